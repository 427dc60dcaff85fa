// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_TARGET_H
#define PMPD_LIB_CODEGEN_TARGET_H

#include "llvm/ADT/StringRef.h"
#include "llvm/TargetParser/Triple.h"
#include <optional>

namespace pmpd::codegen {

/// Instruction sets that kernels are written for. Portable needs nothing
/// beyond the triple's baseline.
enum class ISA { Portable, AVX2, AVXVNNI, AVX512VNNI, AMX };

/// "portable", "avx2", "avxvnni", "avx512vnni" or "amx".
llvm::StringRef stringifyISA(ISA isa);
std::optional<ISA> parseISA(llvm::StringRef name);

/// What the kernels may assume of the machine.
struct Target {
  ISA isa = ISA::Portable;
  /// Conversions between f16 and f32 are instructions, not library calls.
  bool nativeHalf = false;

  /// The best target for LLVM's comma-separated `features` ("+avx2,+fma").
  static Target fromFeatures(const llvm::Triple &triple,
                             llvm::StringRef features);

  /// f32 elements of a vector register.
  unsigned lanes() const;
};

/// Features, in LLVM's form, that code for `isa` must be compiled with; empty
/// for Portable.
llvm::StringRef requiredFeatures(ISA isa);

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_TARGET_H
