// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_PMPD_COMPILE_COMPILE_H
#define TOOLS_PMPD_COMPILE_COMPILE_H

#include "tools/pmpd-compile/Options.h"

/// Compiles; prints errors and a summary. Returns whether it succeeded; if not,
/// the output directory is as it was.
bool compile(const Options &options);

#endif // TOOLS_PMPD_COMPILE_COMPILE_H
