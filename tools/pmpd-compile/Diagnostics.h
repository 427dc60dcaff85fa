// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_PMPD_COMPILE_DIAGNOSTICS_H
#define TOOLS_PMPD_COMPILE_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"

#include <functional>

/// Writes diagnostics to stderr as "FILE: NODE: error: what", of which the file
/// and the node are there where they are known. Calls `prepare` before each.
class Diagnostics {
public:
  Diagnostics(mlir::MLIRContext &context, std::function<void()> prepare);

private:
  mlir::ScopedDiagnosticHandler handler;
};

#endif // TOOLS_PMPD_COMPILE_DIAGNOSTICS_H
