// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_EMIT_CPUTARGET_H
#define LIB_EMIT_CPUTARGET_H

#include "lib/Codegen/Target.h"

#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>
#include <string>

namespace pmpd::emit {

/// A CPU to generate code for.
struct CpuTarget {
  std::unique_ptr<llvm::TargetMachine> machine;
  codegen::Target kernels;
  /// LLVM names of the features that code for it may use, comma-separated:
  /// what a machine must have to run it.
  std::string features;

  std::string triple() const { return machine->getTargetTriple().str(); }
};

/// Resolves `arch` (`x86-64` or `aarch64`) and `cpu`: `native`, the CPU of this
/// machine; `portable`, any CPU of the architecture; `avx2`, `avxvnni`,
/// `avx512vnni` or `amx`, any CPU with those instructions; or a CPU's name as
/// LLVM spells it.
llvm::Expected<CpuTarget> resolveCpu(llvm::StringRef arch, llvm::StringRef cpu);

} // namespace pmpd::emit

#endif // LIB_EMIT_CPUTARGET_H
