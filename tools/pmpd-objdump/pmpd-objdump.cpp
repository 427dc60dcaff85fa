// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Mapping.h"
#include "runtime/targets/npu/Text.h"
#include "tools/support/Tool.h"

#include <iostream>

using namespace pmpd;
using namespace pmpd::tools;

namespace {

struct Args {
  std::string input, output = "-";
  bool assemble = false, unverified = false;
};

void readProgram(const Args &args, npu::Program &program) {
  rt::Mapping file;
  check(rt::Mapping::ofFile(args.input, file));
  check((args.unverified ? npu::Program::read : npu::Program::load)(
      args.input, file.data(), file.size(), program));
}

std::string assembled(const Args &args) {
  std::vector<uint8_t> bytes;
  check(npu::assemble(args.input, readText(args.input), bytes));
  npu::Program program;
  check((args.unverified ? npu::Program::read : npu::Program::load)(
      args.input, bytes.data(), bytes.size(), program));
  return {bytes.begin(), bytes.end()};
}

std::string disassembled(const Args &args) {
  npu::Program program;
  readProgram(args, program);
  return npu::disassemble(program);
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Prints a program of the NPU target as text, or makes one of "
               "such text. Text and bytes correspond exactly.",
               "pmpd-objdump");
  Args args;
  app.add_option("input", args.input,
                 "NAME.pnpu; with --assemble a text, - for stdin")
      ->required()
      ->type_name("FILE");
  app.add_option("-o,--output", args.output, "file to write; - is stdout")
      ->type_name("FILE");
  app.add_flag("--assemble", args.assemble, "make a program of a text");
  app.add_flag("--unverified", args.unverified,
               "also take programs whose instructions the verifier refuses");
  return runTool(app, argc, argv, [&] {
    std::string content = args.assemble ? assembled(args) : disassembled(args);
    if (args.output == "-")
      std::cout << content << std::flush;
    else
      writeText(args.output, content);
    return 0;
  });
}
