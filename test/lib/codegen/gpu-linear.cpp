// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of the GPU for quantized weights, run thread by thread on the host,
// against sums in double precision over the packed bytes.
#include "lib/Codegen/RowFormat.h"
#include "lib/Codegen/gpu/GpuRowFormat.h"
#include "lib/Pack/Pack.h"
#include "test/lib/RandomTensor.h"
#include "test/lib/ReferenceLinear.h"
#include "test/lib/codegen/CompiledKernel.h"
#include "test/simt/LoadedGpuKernel.h"

#include <cstring>

using namespace pmpd;
using namespace pmpd::codegen;
using namespace pmpd::test;

namespace {

constexpr int limit = 32639;

/// Rows as the comments of GpuRowFormat.h describe them.
Guarded<uint8_t> encodeRows(const std::vector<QuantizedInput> &rows,
                            int64_t cols, int64_t group) {
  int64_t padded = roundUp(cols, 256), stride = 2 * padded + padded / 128 * 8;
  Guarded<uint8_t> bytes(rows.size() * stride);
  std::fill_n(bytes.data(), bytes.size(), 0);
  for (size_t t = 0; t < rows.size(); ++t) {
    uint8_t *row = bytes.data() + t * stride;
    std::vector<int64_t> sums(cols / 128);
    for (int64_t k = 0; k < cols; ++k) {
      int32_t q = rows[t].q[k], low = static_cast<int8_t>(q);
      int64_t place = k / 32 * 32 + 4 * (k % 8) + k % 32 / 8;
      row[place] = static_cast<uint8_t>((q - low) / 256);
      row[padded + place] = static_cast<uint8_t>(low);
      sums[k / 128] += q;
    }
    for (int64_t i = 0; i < cols / 128; ++i) {
      float scale = rows[t].scale[i * 128 / group];
      float params[] = {scale, scale * static_cast<float>(sums[i])};
      std::memcpy(row + 2 * padded + i * 8, params, sizeof(params));
    }
  }
  return bytes;
}

simt::LoadedGpuKernel load(simt::MakeGpuKernel make) {
  llvm::ExitOnError check("kernel: ");
  return check(simt::LoadedGpuKernel::create(make));
}

/// Runs in both orders, which must agree.
template <typename T>
void run(const simt::LoadedGpuKernel &kernel, std::vector<void *> pointers,
         size_t output, const Guarded<T> &result, int64_t rows) {
  Guarded<T> again(result.count());
  std::memset(result.data(), 0xA5, result.size());
  std::memset(again.data(), 0xA5, again.size());
  ASSERT_EQ(kernel.run(pointers, rows, 0), "");
  pointers[output] = again.data();
  ASSERT_EQ(kernel.run(pointers, rows, 0, simt::Order::Descending), "");
  EXPECT_EQ(std::memcmp(result.data(), again.data(), result.size()), 0);
}

struct Case {
  int64_t rows, cols, group;
  bool bias;
};

class GpuLinear : public testing::Test {
protected:
  void check(const Case &c, int bits, int64_t maxRows,
             const std::vector<int64_t> &rowCounts);
  std::mt19937 random{11};
};

void GpuLinear::check(const Case &c, int bits, int64_t maxRows,
                      const std::vector<int64_t> &rowCounts) {
  SCOPED_TRACE(testing::Message()
               << bits << " bits, " << c.rows << "x" << c.cols << ", group "
               << c.group << ", at most " << maxRows << " rows");
  NestedShape shape = nestedShape(c.rows, c.cols, c.group, {2, 3, 4});
  NestedTensor tensor = randomTensor(shape, random());
  // Parameters of other precisions must not matter.
  for (int other = 2; other <= 4; ++other)
    if (other != bits) {
      constexpr uint16_t nan = 0x7E00;
      NestedParams &params = tensor.params[other - 2];
      std::fill(params.scale.begin(), params.scale.end(), nan);
      std::fill(params.min.begin(), params.min.end(), nan);
    }
  Guarded<uint8_t> bytes(pack(tensor, PMPD_LAYOUT_GPU));
  PackedWeight weight{c.rows,    c.cols,          c.group,     4,
                      {2, 3, 4}, PMPD_LAYOUT_GPU, bytes.data()};
  simt::LoadedGpuKernel kernel = load([&](GpuKernels &library) {
    NestedLinear spec{
        c.rows,
        c.cols,
        c.group,
        static_cast<unsigned>(bits),
        4,
        static_cast<unsigned>(bits - 2),
        Activations::Q16,
        c.bias ? Type(mlir::Float16Type::get(library.getContext())) : Type(),
        maxRows};
    return llvm::cantFail(library.linearNested(Layout::GPU, spec));
  });

  std::vector<float> bias = randomFloats(c.rows, random);
  Guarded<uint16_t> biasHalves(toHalves(bias));
  bias = throughHalves(bias);
  int64_t mostRows = *std::max_element(rowCounts.begin(), rowCounts.end());
  std::vector<float> x = randomFloats(mostRows * c.cols, random, 3);
  std::vector<QuantizedInput> quantized;
  std::vector<std::vector<double>> expected;
  for (int64_t t = 0; t < mostRows; ++t) {
    quantized.push_back(
        quantizeInput({x.begin() + t * c.cols, x.begin() + (t + 1) * c.cols},
                      c.group, limit));
    expected.push_back(referenceLinearQuantized(weight, bits, quantized[t]));
  }
  for (int64_t rows : rowCounts) {
    SCOPED_TRACE(testing::Message() << rows << " rows");
    Guarded<uint8_t> input = encodeRows(
        {quantized.begin(), quantized.begin() + rows}, c.cols, c.group);
    Guarded<float> y(rows * c.rows);
    std::vector<void *> pointers = {bytes.data(), input.data(), y.data()};
    if (c.bias)
      pointers.push_back(biasHalves.data());
    run(kernel, pointers, /*output=*/2, y, rows);
    for (int64_t t = 0; t < rows; ++t) {
      double magnitude = 1; // of all terms, weights being at most 17
      for (int64_t k = 0; k < c.cols; ++k)
        magnitude += 17 * std::fabs(x[t * c.cols + k]);
      for (int64_t n = 0; n < c.rows; ++n)
        ASSERT_NEAR(y[t * c.rows + n], expected[t][n] + (c.bias ? bias[n] : 0),
                    2e-7 * magnitude)
            << "row " << t << ", column " << n;
    }
  }
}

/// Around tiles of 16 rows and 256 columns: one group, odd numbers of groups,
/// groups of more than 128.
const Case cases[] = {{1, 128, 128, false},  {15, 256, 128, true},
                      {16, 384, 128, false}, {17, 384, 384, true},
                      {33, 1152, 384, true}, {40, 1024, 256, false}};
/// More column tiles than are on their way at once, for every number of bits.
const Case manyTiles = {49, 8832, 128, true};

#define FOR_EVERY_CASE(name, maxRows, ...)                                     \
  TEST_F(GpuLinear, name) {                                                    \
    for (int bits = 2; bits <= 4; ++bits)                                      \
      for (const Case &c : cases)                                              \
        check(c, bits, maxRows, {__VA_ARGS__});                                \
  }
FOR_EVERY_CASE(one_row, 1, 1)
FOR_EVERY_CASE(up_to_4_rows, 4, 1, 3, 4)
FOR_EVERY_CASE(up_to_16_rows, 16, 1, 5, 16)
FOR_EVERY_CASE(up_to_64_rows, 64, 3, 64)
FOR_EVERY_CASE(many_rows, 512, 1, 5, 70)

TEST_F(GpuLinear, many_tiles) {
  for (int bits = 2; bits <= 4; ++bits) {
    check(manyTiles, bits, 1, {1});
    check(manyTiles, bits, 16, {7});
  }
}

TEST_F(GpuLinear, wide_blocks) {
  // Enough rows of the weight for blocks of 64 of them with 16 activation rows.
  check({8192 + 17, 128, 128, true}, 2, 16, {2});
}

TEST(GpuQuantizeRows, equals_the_reference) {
  std::mt19937 random(1);
  for (auto [cols, group] : {std::pair<int64_t, int64_t>{128, 128},
                             {384, 128},
                             {512, 256},
                             {1152, 384}}) {
    SCOPED_TRACE(testing::Message() << cols << " / " << group);
    constexpr int64_t rows = 5;
    simt::LoadedGpuKernel kernel =
        load([cols = cols, group = group](GpuKernels &library) {
          return library.quantizeRows(cols, 16, group);
        });
    Guarded<float> x(randomFloats(rows * cols, random, 10));
    std::fill_n(x.data(), group, 0.0f);          // no largest magnitude
    std::fill_n(x.data() + cols, group, 1e-40f); // one without an inverse
    x[2 * cols + 1] = 1000;                      // an outlier
    for (int64_t k = 0; k < group; ++k)          // ties, and both ends
      x[3 * cols + k] = k == 0 ? limit : k == 1 ? -limit : k % 100 - 49.5f;
    std::vector<QuantizedInput> quantized;
    for (int64_t t = 0; t < rows; ++t)
      quantized.push_back(quantizeInput(
          {x.data() + t * cols, x.data() + (t + 1) * cols}, group, limit));
    Guarded<uint8_t> expected = encodeRows(quantized, cols, group);
    Guarded<uint8_t> y(rows * bytesPerGpuRow(cols));
    ASSERT_EQ(y.size(), expected.size());
    run(kernel, {x.data(), y.data()}, /*output=*/1, y, rows);
    for (size_t i = 0; i < y.size(); ++i)
      ASSERT_EQ(y.data()[i], expected.data()[i]) << "byte " << i;
  }
}

} // namespace
