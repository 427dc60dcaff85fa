// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/Target.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSet.h"

namespace pmpd::codegen {
namespace {

struct ISAInfo {
  ISA isa;
  llvm::StringLiteral name;
  llvm::StringLiteral features;
  unsigned lanes;
};

// Best last.
constexpr ISAInfo infos[] = {
    {ISA::Portable, "portable", "", 4},
    {ISA::AVX2, "avx2", "+avx2,+fma,+f16c", 8},
    {ISA::AVXVNNI, "avxvnni", "+avx2,+fma,+f16c,+avxvnni", 8},
    {ISA::AVX512VNNI, "avx512vnni",
     "+avx2,+fma,+f16c,+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512vnni", 16},
    {ISA::AMX, "amx",
     "+avx2,+fma,+f16c,+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512vnni,"
     "+amx-tile,+amx-int8",
     16},
};

const ISAInfo &infoOf(ISA isa) { return infos[static_cast<unsigned>(isa)]; }

} // namespace

llvm::StringRef stringifyISA(ISA isa) { return infoOf(isa).name; }

std::optional<ISA> parseISA(llvm::StringRef name) {
  for (const ISAInfo &info : infos)
    if (info.name == name)
      return info.isa;
  return std::nullopt;
}

llvm::StringRef requiredFeatures(ISA isa) { return infoOf(isa).features; }

unsigned Target::lanes() const { return infoOf(isa).lanes; }

Target Target::fromFeatures(const llvm::Triple &triple,
                            llvm::StringRef features) {
  if (triple.isAArch64())
    return {ISA::Portable, /*nativeHalf=*/true};
  if (!triple.isX86())
    return {};
  llvm::SmallVector<llvm::StringRef> list;
  llvm::StringSet<> present;
  features.split(list, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  // LLVM lets the last mention of a feature win.
  for (llvm::StringRef feature : list) {
    feature = feature.trim();
    if (feature.consume_front("-"))
      present.erase(feature);
    else if (feature.consume_front("+"))
      present.insert(feature);
  }
  for (const ISAInfo &info : llvm::reverse(infos)) {
    llvm::SmallVector<llvm::StringRef> needed;
    info.features.split(needed, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
    if (llvm::all_of(needed, [&](llvm::StringRef feature) {
          return present.contains(feature.drop_front());
        }))
      return {info.isa, present.contains("f16c")};
  }
  return {};
}

} // namespace pmpd::codegen
