// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_ACTIVATION_H
#define PMPD_LIB_CODEGEN_ACTIVATION_H

#include "dialects/PMPD/PMPD.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace pmpd::codegen {

/// The activation of `x`, an f32 or a vector of them. Elementary functions are
/// left to expandFunctions.
mlir::Value emitActivation(mlir::ImplicitLocOpBuilder &b, ActivationKind kind,
                           mlir::Value x);

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_ACTIVATION_H
