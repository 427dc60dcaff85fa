// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-compile/Compile.h"
#include "tools/pmpd-compile/Staging.h"

int main(int argc, char **argv) {
  Staging::catchSignals();
  Options options;
  switch (parseOptions(argc, argv, options)) {
  case Parsed::Run:
    return compile(options) ? 0 : 1;
  case Parsed::Done:
    return 0;
  case Parsed::Invalid:
    return 2;
  }
}
