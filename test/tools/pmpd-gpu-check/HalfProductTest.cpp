// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls of NVIDIA's libraries, on stand-ins for them.
#include "lib/Quant/Half.h"
#include "runtime/targets/cuda/Device.h"
#include "tools/pmpd-gpu-check/Cublas.h"
#include "tools/pmpd-gpu-check/CublasLt.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace pmpd;
using namespace pmpd::tools;
using Order = HalfProduct::Order;

namespace {

std::vector<uint16_t> numbers(int64_t count, int64_t step) {
  std::vector<uint16_t> halves(count);
  for (int64_t i = 0; i < count; ++i)
    halves[i] = floatToHalf(float(i * step % 17 - 8) / 8);
  return halves;
}

class HalfProductTest : public ::testing::TestWithParam<Order> {
protected:
  void SetUp() override {
    ASSERT_EQ(cuda::Device::open(0, device), PMPD_OK);
    gpu = std::make_unique<Gpu>(*device);
    weight = numbers(rows * cols, 5);
    in = numbers(batch * cols, 7);
  }

  /// Runs it twice, as a graph does after what is run to record it.
  void expectProduct(const HalfMultiply &multiply) {
    cuda::DeviceMemory onWeight = gpu->memory(weight.data(), 2 * weight.size());
    cuda::DeviceMemory onIn = gpu->memory(in.data(), 2 * in.size());
    cuda::DeviceMemory onOut = gpu->memory(2 * batch * rows);
    gpu->launch(gpu->record([&] {
      multiply.queue(onWeight.get(), onIn.get(), onOut.get());
      return PMPD_OK;
    }));
    std::vector<uint16_t> out(batch * rows);
    gpu->read(out.data(), onOut.get(), 2 * out.size());
    for (int64_t token = 0; token < batch; ++token)
      for (int64_t row = 0; row < rows; ++row) {
        double sum = 0;
        for (int64_t k = 0; k < cols; ++k)
          sum += double(halfToFloat(
                     weight[GetParam() == Order::RowMajor ? row * cols + k
                                                          : k * rows + row])) *
                 halfToFloat(in[token * cols + k]);
        EXPECT_NEAR(halfToFloat(out[token * rows + row]), sum, 0.02)
            << multiply.name << ", token " << token << ", row " << row;
      }
  }

  static constexpr int64_t rows = 24, cols = 40, batch = 3;
  const HalfProduct product = {rows, cols, batch, GetParam()};
  std::unique_ptr<cuda::Device> device;
  std::unique_ptr<Gpu> gpu;
  std::vector<uint16_t> weight, in;
};

} // namespace

TEST_P(HalfProductTest, cublas_computes_it) {
  std::unique_ptr<Cublas> cublas = Cublas::open(*gpu);
  ASSERT_NE(cublas, nullptr);
  expectProduct(cublas->multiply(product));
}

// The stand-in has two algorithms, and a third that it does not support.
TEST_P(HalfProductTest, each_algorithm_of_cublaslt_computes_it) {
  std::unique_ptr<CublasLt> cublasLt = CublasLt::open(*gpu);
  ASSERT_NE(cublasLt, nullptr);
  std::vector<HalfMultiply> ways = cublasLt->multiplies(product, 4);
  ASSERT_EQ(ways.size(), 2u);
  for (const HalfMultiply &way : ways)
    expectProduct(way);
  EXPECT_EQ(cublasLt->multiplies(product, 1).size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Orders, HalfProductTest,
                         ::testing::Values(Order::RowMajor,
                                           Order::ColumnMajor));
