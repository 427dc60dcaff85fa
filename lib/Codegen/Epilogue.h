// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_EPILOGUE_H
#define PMPD_LIB_CODEGEN_EPILOGUE_H

#include "lib/Codegen/KernelBuilder.h"

namespace pmpd::codegen {

/// Writes a panel of a linear kernel's output, pointer 2, and adds the bias,
/// pointer 3, where the kernel has one. `y` is the `panelRows` results of
/// `count` activation rows from `firstRow`, as vectors [row][slice]. Of the
/// last panel only what is within `weightRows` is touched.
void storePanel(KernelBuilder &b, int64_t weightRows, int64_t panelRows,
                Value panel, Value firstRow, ValueRange y, unsigned count);

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_EPILOGUE_H
