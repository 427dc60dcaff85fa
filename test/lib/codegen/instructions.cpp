// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What generated code consists of, read from its assembly.
#include "test/lib/codegen/CompiledKernel.h"

#include "llvm/Object/ObjectFile.h"

using namespace pmpd::codegen;
using namespace pmpd::test;

namespace {

Kernel makeLinear(CpuKernels &library, unsigned bits) {
  return library.linearS(
      {256, 768, 128, bits, 4, bits - 2, Activations::Q8, Type()});
}

std::string assemblyOf(ISA isa, MakeKernel make) {
  pmpd::emit::KernelCode code = generate(
      "x86-64", stringifyISA(isa), llvm::CodeGenFileType::AssemblyFile, make);
  return {code.contents.begin(), code.contents.end()};
}

size_t count(llvm::StringRef text, llvm::StringRef word) {
  return text.count(word);
}

TEST(Instructions, avx512_selects_and_multiplies_in_one_each) {
  for (unsigned bits = 2; bits <= 4; ++bits) {
    std::string code = assemblyOf(ISA::AVX512VNNI, [&](CpuKernels &library) {
      return makeLinear(library, bits);
    });
    // 8 quads of 4 tiles, in the bodies for 1 and for 4 rows, at 2 bits also in
    // that for 3 places at once, and a line of a block of 8 rows and 2 panels.
    size_t bodies = 1 + 4 + (bits == 2 ? 3 : 0);
    EXPECT_EQ(count(code, "vpdpbusd"), 8 * 4 * bodies + 16);
    size_t selects = bits == 2 ? 0 : bits == 3 ? 4 : 6;
    EXPECT_EQ(count(code, "vpternlog"), 3 * 4 * selects);
    EXPECT_EQ(count(code, "call"), 0u);
    EXPECT_GT(count(code, "prefetcht0"), 0u);
  }
}

TEST(Instructions, amx_multiplies_blocks_of_rows_in_tiles) {
  std::string code = assemblyOf(
      ISA::AMX, [](CpuKernels &library) { return makeLinear(library, 4); });
  // A tile takes 64 of a group's 128 columns.
  EXPECT_GT(count(code, "tdpbsud"), 0u);
  EXPECT_EQ(count(code, "tdpbsud") % 2, 0u);
  EXPECT_EQ(count(code, "tdpbsud"), 2 * count(code, "tilestored"));
  EXPECT_EQ(count(code, "ldtilecfg"), 1u);
}

TEST(Instructions, avx2_uses_byte_products) {
  std::string code = assemblyOf(
      ISA::AVX2, [](CpuKernels &library) { return makeLinear(library, 4); });
  EXPECT_GT(count(code, "vpmaddubsw"), 0u);
  EXPECT_EQ(count(code, "zmm"), 0u);
  EXPECT_EQ(count(code, "call"), 0u);
}

TEST(Instructions, avxvnni_stays_within_256_bits) {
  std::string code = assemblyOf(
      ISA::AVXVNNI, [](CpuKernels &library) { return makeLinear(library, 3); });
  EXPECT_GT(count(code, "vpdpbusd"), 0u);
  EXPECT_EQ(count(code, "zmm"), 0u);
}

/// One kernel of each kind.
std::vector<std::function<Kernel(CpuKernels &)>> everyKind() {
  auto half = [](CpuKernels &l) {
    return mlir::Builder(l.getContext()).getF16Type();
  };
  auto cache = [half](CpuKernels &l) { return CacheShape{half(l), 2, 24, 64}; };
  using L = CpuKernels;
  return {
      [](L &l) { return makeLinear(l, 4); },
      [](L &l) {
        return l.linearPlain({8, 64, 32, 3, 4, 1, Activations::F32, Type()});
      },
      [=](L &l) {
        return l.linearDense({9, 70, half(l), half(l)});
      },
      [](L &l) { return l.quantizeRows(128, 16, 64); },
      [=](L &l) { return l.embed(70, half(l), 2.0); },
      [=](L &l) { return l.addPosition(70, half(l), 2); },
      [=](L &l) { return l.rmsNorm(1, 70, half(l), 1e-5); },
      [=](L &l) { return l.rmsNorm(3, 24, half(l), 1e-5); },
      [=](L &l) { return l.layerNorm(70, half(l), half(l), 1e-5); },
      [](L &l) {
        return l.rope({2, 24, 10, pmpd::RopeStyle::Interleaved});
      },
      [=](L &l) { return l.kvAppend(cache(l)); },
      [=](L &l) {
        return l.attention({cache(l), 4, 0.2, std::nullopt}).kernel;
      },
      [](L &l) { return l.activate(70, pmpd::ActivationKind::Silu); },
      [](L &l) { return l.activate(70, pmpd::ActivationKind::GeluTanh); },
      [](L &l) { return l.activate(70, pmpd::ActivationKind::GeluErf); },
      [](L &l) { return l.add(70); },
  };
}

TEST(Instructions, no_kernel_calls_anything) {
  for (const auto &make : everyKind())
    for (ISA isa : {ISA::Portable, ISA::AVX2, ISA::AVX512VNNI}) {
      std::string code = assemblyOf(isa, make);
      EXPECT_EQ(count(code, "call"), 0u) << stringifyISA(isa).str() << ":\n"
                                         << code;
    }
}

TEST(Instructions, every_kernel_cross_compiles_to_aarch64) {
  for (const auto &make : everyKind()) {
    pmpd::emit::KernelCode object = generate(
        "aarch64", "portable", llvm::CodeGenFileType::ObjectFile, make);
    llvm::StringRef bytes(object.contents.data(), object.contents.size());
    auto file = llvm::object::ObjectFile::createObjectFile(
        llvm::MemoryBufferRef(bytes, object.name));
    ASSERT_TRUE(static_cast<bool>(file));
    EXPECT_EQ((*file)->getArch(), llvm::Triple::aarch64);
    for (const llvm::object::SymbolRef &symbol : (*file)->symbols())
      EXPECT_FALSE(llvm::cantFail(symbol.getFlags()) &
                   llvm::object::SymbolRef::SF_Undefined)
          << object.name << " calls " << llvm::cantFail(symbol.getName()).str();
  }
}

} // namespace
