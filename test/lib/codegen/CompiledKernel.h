// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_LIB_CODEGEN_COMPILEDKERNEL_H
#define PMPD_TEST_LIB_CODEGEN_COMPILEDKERNEL_H

#include "lib/Emit/LoadedKernel.h"

#include <gtest/gtest.h>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace pmpd::test {

using emit::MakeKernel;

/// Generates a kernel for `arch` and `cpu`, as emit::resolveCpu names them.
emit::KernelCode generate(llvm::StringRef arch, llvm::StringRef cpu,
                          llvm::CodeGenFileType type, MakeKernel make);

/// A kernel of the host that can be called.
class CompiledKernel {
public:
  CompiledKernel(codegen::ISA isa, MakeKernel make);

  /// All tasks at once.
  void run(const std::vector<void *> &pointers, int64_t rows,
           int64_t position = 0) const {
    kernel.run(pointers, rows, position, 0, kernel.tasks(rows));
  }
  /// All tasks in ranges of random sizes, in random order.
  void runInPieces(const std::vector<void *> &pointers, int64_t rows,
                   int64_t position, std::mt19937 &random) const;

private:
  emit::LoadedKernel kernel;
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

/// Runs a test for every instruction set that the host has.
class ForEveryISA : public ::testing::TestWithParam<codegen::ISA> {
protected:
  void SetUp() override;
};
#define PMPD_FOR_EVERY_ISA(suite)                                              \
  INSTANTIATE_TEST_SUITE_P(                                                    \
      ISAs, suite,                                                             \
      ::testing::Values(pmpd::codegen::ISA::Portable,                          \
                        pmpd::codegen::ISA::AVX2, pmpd::codegen::ISA::AVXVNNI, \
                        pmpd::codegen::ISA::AVX512VNNI,                        \
                        pmpd::codegen::ISA::AMX),                              \
      [](const auto &info) {                                                   \
        return pmpd::codegen::stringifyISA(info.param).str();                  \
      })

} // namespace pmpd::test

#endif // PMPD_TEST_LIB_CODEGEN_COMPILEDKERNEL_H
