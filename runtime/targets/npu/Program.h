// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_NPU_PROGRAM_H
#define PMPD_RUNTIME_TARGETS_NPU_PROGRAM_H

#include "pmpd/npu_program.h"
#include "runtime/Digest.h"
#include "runtime/Status.h"

#include <string>
#include <vector>

namespace pmpd::npu {

/// A program file whose container has been checked. Owns its contents.
class Program {
public:
  struct Section {
    std::string tag;
    uint32_t align;
    uint64_t offset, bytes;
  };

  /// Copies and checks a container: magic, version, sizes, checksums, hashes,
  /// the tables. Does not look into the instructions. `name` stands for the
  /// file in errors. Errors: BAD_MODEL.
  static pmpd_status read(const std::string &name, const void *data,
                          size_t bytes, Program &program);

  /// read(), then the static verifier (Verify.h). What every run needs.
  /// Errors: BAD_MODEL.
  static pmpd_status load(const std::string &name, const void *data,
                          size_t bytes, Program &program);

  /// Refuses weights the program was not compiled for. Errors: BAD_MODEL.
  pmpd_status checkWeights(const rt::Digest &digest) const;

  const std::string &name() const { return fileName; }
  const pmpd_npu_file_header &header() const { return fileHeader; }
  const pmpd_npu_requirements &requirements() const { return required; }
  const pmpd_npu_abi &abi() const { return hostAbi; }
  const std::vector<pmpd_npu_region> &regions() const { return regionTable; }
  const std::vector<pmpd_npu_tensor> &tensors() const { return tensorTable; }
  const std::vector<pmpd_npu_line> &lines() const { return lineTable; }
  const std::vector<pmpd_npu_instruction> &code() const { return codeTable; }
  const std::vector<uint8_t> &constants() const { return constantBytes; }
  /// The configuration it was compiled for, as JSON.
  const std::string &hardwareText() const { return hardware; }
  const std::vector<Section> &sections() const { return sectionTable; }
  const std::string &strings() const { return stringBytes; }
  /// The string at an offset that read() has checked.
  const char *string(uint32_t offset) const {
    return stringBytes.c_str() + offset;
  }

  /// The region of a phase and bits, or null.
  const pmpd_npu_region *findRegion(int phase, int bits) const;

private:
  std::string fileName;
  pmpd_npu_file_header fileHeader;
  pmpd_npu_requirements required;
  pmpd_npu_abi hostAbi;
  std::string stringBytes, hardware;
  std::vector<Section> sectionTable;
  std::vector<pmpd_npu_region> regionTable;
  std::vector<pmpd_npu_tensor> tensorTable;
  std::vector<pmpd_npu_line> lineTable;
  std::vector<pmpd_npu_instruction> codeTable;
  std::vector<uint8_t> constantBytes;
};

} // namespace pmpd::npu

#endif // PMPD_RUNTIME_TARGETS_NPU_PROGRAM_H
