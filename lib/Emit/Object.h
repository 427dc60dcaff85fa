// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_EMIT_OBJECT_H
#define LIB_EMIT_OBJECT_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>

namespace pmpd::emit {

/// Translates a module, or a gpu.module, in the LLVM dialect and optimizes it
/// for `machine`. Returns null after a diagnostic on failure.
std::unique_ptr<llvm::Module> translate(mlir::Operation *module,
                                        llvm::TargetMachine &machine,
                                        llvm::LLVMContext &context);

/// Prepares and optimizes a module for `machine`.
void optimize(llvm::Module &module, llvm::TargetMachine &machine);

/// The relocatable object, or the assembly, of a translated module.
llvm::SmallVector<char, 0>
compile(llvm::Module &module, llvm::TargetMachine &machine,
        llvm::CodeGenFileType type = llvm::CodeGenFileType::ObjectFile);

} // namespace pmpd::emit

#endif // LIB_EMIT_OBJECT_H
