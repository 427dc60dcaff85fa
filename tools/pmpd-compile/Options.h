// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_PMPD_COMPILE_OPTIONS_H
#define TOOLS_PMPD_COMPILE_OPTIONS_H

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

/// The command line of pmpd-compile, checked as far as it can be alone.
struct Options {
  std::string model, output, name, tokenizer, calibration;
  std::string statistics; ///< Read, or with a calibration written.
  std::string scheduler;  ///< file of a learned scheduler, or nothing
  std::vector<int> bits = {2, 3, 4}, prefillBits, decodeBits;
  std::vector<std::string> precision;
  int64_t group = 128, context = 0, prefillRows = 0, calibrationTokens = 4096;
  std::string quantizer = "nldlq", activations, kv, layout = "s";
  std::string arch, cpu = "native";
  std::string npuConfig; ///< Hardware of the NPU, or nothing for others.
  /// Names such as sm_90, or nothing for others.
  std::vector<std::string> gpus;
  std::set<std::string> emit = {"static", "shared"};
  int simulate = 0; // Bits, or 0 for nested weights.
  unsigned threads = 0;
  bool timing = false;

  /// Of the machine that runs the library.
  std::string hostArch() const;
  bool forGpu() const { return arch == "nvptx"; }
  bool forNpu() const { return arch == "npu"; }
};

/// Parses the command line and runs `body` with it. Returns the exit code: what
/// body returns, 0 where help or the version was printed, 2 after an error.
int runWithOptions(int argc, char **argv,
                   const std::function<int(const Options &)> &body);

#endif // TOOLS_PMPD_COMPILE_OPTIONS_H
