// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-compile/Compile.h"
#include "tools/pmpd-compile/Staging.h"

int main(int argc, char **argv) {
  Staging::catchSignals();
  return runWithOptions(argc, argv, [](const Options &options) {
    return compile(options) ? 0 : 1;
  });
}
