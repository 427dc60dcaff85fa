// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_LIB_CODEGEN_COMPILEDKERNEL_H
#define PMPD_TEST_LIB_CODEGEN_COMPILEDKERNEL_H

#include "lib/Emit/LoadedKernel.h"
#include "test/simt/LoadedGpuKernel.h"

#include <gtest/gtest.h>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pmpd::test {

using emit::MakeKernel;

/// Generates a kernel for `arch` and `cpu`, as emit::resolveCpu names them.
emit::KernelCode generate(llvm::StringRef arch, llvm::StringRef cpu,
                          llvm::CodeGenFileType type, MakeKernel make);

/// What runs a kernel: the host with an instruction set, or a GPU, whose
/// threads the host runs one after another.
struct Machine {
  Machine(codegen::ISA isa) : isa(isa) {}
  static Machine gpu() { return Machine(); }

  std::optional<codegen::ISA> isa; // none for the GPU

private:
  Machine() = default;
};

/// A kernel that can be called.
class CompiledKernel {
public:
  /// Asks the library of either kind of machine for a kernel.
  using MakeAnyKernel =
      llvm::function_ref<codegen::Kernel(codegen::KernelLibrary &)>;

  CompiledKernel(codegen::ISA isa, MakeKernel make);
  CompiledKernel(const Machine &machine, MakeAnyKernel make);

  /// All tasks at once.
  void run(const std::vector<void *> &pointers, int64_t rows,
           int64_t position = 0) const;
  /// All tasks in another order: on the host in ranges of random sizes.
  void runInPieces(const std::vector<void *> &pointers, int64_t rows,
                   int64_t position, std::mt19937 &random) const;

private:
  std::variant<emit::LoadedKernel, simt::LoadedGpuKernel> kernel;
};

/// Bytes that end where an unmapped page begins, so that an access past the end
/// is a fault.
class GuardedBytes {
public:
  explicit GuardedBytes(size_t bytes);
  ~GuardedBytes();
  GuardedBytes(GuardedBytes &&other)
      : mapping(std::exchange(other.mapping, nullptr)), mapped(other.mapped),
        begin(other.begin), bytes(other.bytes) {}
  GuardedBytes &operator=(GuardedBytes &&) = delete;
  uint8_t *data() const { return begin; }
  size_t size() const { return bytes; }

private:
  uint8_t *mapping;
  size_t mapped;
  uint8_t *begin;
  size_t bytes;
};

template <typename T> class Guarded : public GuardedBytes {
public:
  explicit Guarded(size_t count) : GuardedBytes(count * sizeof(T)) {}
  explicit Guarded(const std::vector<T> &values) : Guarded(values.size()) {
    std::copy(values.begin(), values.end(), data());
  }
  T *data() const { return reinterpret_cast<T *>(GuardedBytes::data()); }
  size_t count() const { return size() / sizeof(T); }
  T &operator[](size_t i) const { return data()[i]; }
};

/// Values in [-range, range).
std::vector<float> randomFloats(size_t count, std::mt19937 &random,
                                float range = 1);
/// The nearest halves, as bits.
std::vector<uint16_t> toHalves(const std::vector<float> &values);
/// The nearest halves, as floats.
std::vector<float> throughHalves(const std::vector<float> &values);

/// Skips a test if the host lacks an instruction set.
void requireISA(codegen::ISA isa);

/// Runs a test for every instruction set that the host has.
class ForEveryISA : public ::testing::TestWithParam<codegen::ISA> {
protected:
  void SetUp() override { requireISA(GetParam()); }
};

/// Runs a test for those and for the GPU.
class ForEveryMachine : public ::testing::TestWithParam<Machine> {
protected:
  void SetUp() override {
    if (GetParam().isa)
      requireISA(*GetParam().isa);
  }
};
#define PMPD_FOR_EVERY_ISA(suite)                                              \
  INSTANTIATE_TEST_SUITE_P(ISAs, suite,                                        \
                           ::testing::Values(pmpd::codegen::ISA::Portable,     \
                                             pmpd::codegen::ISA::AVX2,         \
                                             pmpd::codegen::ISA::AVXVNNI,      \
                                             pmpd::codegen::ISA::AVX512VNNI,   \
                                             pmpd::codegen::ISA::AMX),         \
                           [](const auto &info) {                              \
                             return pmpd::codegen::stringifyISA(               \
                                        *pmpd::test::Machine(info.param).isa)  \
                                 .str();                                       \
                           })

#define PMPD_FOR_EVERY_MACHINE(suite)                                          \
  PMPD_FOR_EVERY_ISA(suite);                                                   \
  INSTANTIATE_TEST_SUITE_P(GPU, suite,                                         \
                           ::testing::Values(pmpd::test::Machine::gpu()),      \
                           [](const auto &) { return std::string("simt"); })

} // namespace pmpd::test

#endif // PMPD_TEST_LIB_CODEGEN_COMPILEDKERNEL_H
