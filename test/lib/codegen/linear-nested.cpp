// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linear kernels over nested weights against sums in double precision over the
// packed bytes.
#include "lib/Codegen/RowFormat.h"
#include "lib/Pack/Pack.h"
#include "test/lib/RandomTensor.h"
#include "test/lib/ReferenceLinear.h"
#include "test/lib/codegen/CompiledKernel.h"

#include <cstring>
#include <sys/mman.h>

using namespace pmpd;
using namespace pmpd::codegen;
using namespace pmpd::test;

namespace {

struct Case {
  int64_t rows, cols, group;
  bool bias;
};

std::vector<int> prefixesOf(int parentBits) {
  std::vector<int> prefixes;
  for (int bits = 2; bits <= parentBits; ++bits)
    prefixes.push_back(bits);
  return prefixes;
}

int bitsOf(Activations activations) {
  return activations == Activations::Q16 ? 16 : 8;
}

Guarded<uint8_t> asBytes(const std::vector<float> &values) {
  Guarded<uint8_t> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// Rows in the format of RowFormat.h.
Guarded<uint8_t> encodeRows(const std::vector<QuantizedInput> &rows, int bits,
                            int64_t cols, int64_t group) {
  int64_t stride = bytesPerQuantizedRow(cols, bits, group);
  Guarded<uint8_t> bytes(rows.size() * stride);
  for (size_t t = 0; t < rows.size(); ++t) {
    uint8_t *row = bytes.data() + t * stride;
    for (int64_t k = 0; k < cols; ++k) {
      int32_t q = rows[t].q[k];
      int32_t low = static_cast<int8_t>(q);
      if (bits == 8) {
        row[k] = static_cast<uint8_t>(q);
        continue;
      }
      row[k] = static_cast<uint8_t>((q - low) / 256);
      row[cols + k] = static_cast<uint8_t>(low);
    }
    auto *floats = reinterpret_cast<float *>(row + cols * bits / 8);
    int64_t groups = cols / group;
    for (int64_t g = 0; g < groups; ++g) {
      floats[g] = rows[t].scale[g];
      int64_t sum = 0;
      for (int64_t k = g * group; k < (g + 1) * group; ++k)
        sum += rows[t].q[k];
      floats[groups + g] = rows[t].scale[g] * static_cast<float>(sum);
    }
  }
  return bytes;
}

class LinearNested : public ForEveryISA {
protected:
  void check(pmpd_layout layout, const Case &c, int parentBits, int bits,
             Activations activations, std::vector<int64_t> rowCounts);

  std::mt19937 random{7};
};

void LinearNested::check(pmpd_layout layout, const Case &c, int parentBits,
                         int bits, Activations activations,
                         std::vector<int64_t> rowCounts) {
  NestedShape shape =
      nestedShape(c.rows, c.cols, c.group, prefixesOf(parentBits));
  int prefix = shape.prefixIndex(bits);
  NestedTensor tensor = randomTensor(shape, random());
  // Parameters of other precisions must not matter.
  for (int p = 0; p < static_cast<int>(shape.prefixes.size()); ++p)
    if (p != prefix) {
      constexpr uint16_t nan = 0x7E00;
      std::fill(tensor.params[p].scale.begin(), tensor.params[p].scale.end(),
                nan);
      std::fill(tensor.params[p].min.begin(), tensor.params[p].min.end(), nan);
    }
  Guarded<uint8_t> bytes(pack(tensor, layout));
  PackedWeight weight{c.rows,         c.cols, c.group,     parentBits,
                      shape.prefixes, layout, bytes.data()};

  CompiledKernel kernel(GetParam(), [&](CpuKernels &library) {
    mlir::Builder builder(library.getContext());
    NestedLinear spec{c.rows,
                      c.cols,
                      c.group,
                      static_cast<unsigned>(bits),
                      static_cast<unsigned>(parentBits),
                      static_cast<unsigned>(prefix),
                      activations,
                      c.bias ? Type(builder.getF16Type()) : Type()};
    return layout == PMPD_LAYOUT_S ? library.linearS(spec)
                                   : library.linearPlain(spec);
  });

  std::vector<float> bias = randomFloats(c.rows, random);
  Guarded<uint16_t> biasHalves(toHalves(bias));
  bias = throughHalves(bias);
  int64_t mostRows = *std::max_element(rowCounts.begin(), rowCounts.end());
  std::vector<float> exact = randomFloats(mostRows * c.cols, random, 3);
  std::vector<QuantizedInput> quantized;
  std::vector<std::vector<double>> expected;
  for (int64_t t = 0; t < mostRows; ++t) {
    std::vector<float> x(exact.begin() + t * c.cols,
                         exact.begin() + (t + 1) * c.cols);
    quantized.push_back(
        quantizeInput(x, c.group, quantizedRowLimit(bitsOf(activations))));
    expected.push_back(
        activations == Activations::F32
            ? referenceLinear(weight, bits, x)
            : referenceLinearQuantized(weight, bits, quantized[t]));
  }

  for (int64_t rows : rowCounts) {
    SCOPED_TRACE(testing::Message()
                 << bits << " of " << parentBits << " bits, activations "
                 << static_cast<int>(activations) << ", " << c.rows << "x"
                 << c.cols << ", group " << c.group << ", rows " << rows);
    Guarded<uint8_t> input =
        activations == Activations::F32
            ? asBytes({exact.begin(), exact.begin() + rows * c.cols})
            : encodeRows({quantized.begin(), quantized.begin() + rows},
                         bitsOf(activations), c.cols, c.group);
    Guarded<float> y(rows * c.rows), again(rows * c.rows);
    std::vector<void *> pointers = {bytes.data(), input.data(), y.data()};
    if (c.bias)
      pointers.push_back(biasHalves.data());
    kernel.run(pointers, rows);
    pointers[2] = again.data();
    kernel.runInPieces(pointers, rows, 0, random);
    ASSERT_EQ(std::memcmp(y.data(), again.data(), y.size()), 0)
        << "the result depends on the partition";

    for (int64_t t = 0; t < rows; ++t) {
      double magnitude = 1; // of all terms, weights being at most 17
      for (int64_t k = 0; k < c.cols; ++k)
        magnitude += 17 * std::fabs(exact[t * c.cols + k]);
      for (int64_t n = 0; n < c.rows; ++n)
        ASSERT_NEAR(y[t * c.rows + n], expected[t][n] + (c.bias ? bias[n] : 0),
                    2e-7 * magnitude)
            << "row " << t << ", column " << n;
    }
  }
}

const Case cases[] = {{1, 128, 128, false},  {15, 256, 64, true},
                      {16, 384, 128, false}, {17, 128, 32, true},
                      {48, 256, 128, true},  {250, 192, 96, false},
                      {31, 256, 256, false}, {64, 384, 384, true}};

/// Every precision of every parent with some shapes each, so that all shapes
/// occur.
#define SLICED(name, kind)                                                     \
  TEST_P(LinearNested, name) {                                                 \
    size_t next = 0;                                                           \
    for (int parent = 2; parent <= 4; ++parent)                                \
      for (int bits = 2; bits <= parent; ++bits)                               \
        for (int i = 0; i < 3; ++i)                                            \
          check(PMPD_LAYOUT_S, cases[next++ % std::size(cases)], parent, bits, \
                Activations::kind, {1, 2, 3, 4, 5, 7, 9, 19});                 \
  }
SLICED(sliced_q8, Q8)
SLICED(sliced_q16, Q16)
SLICED(sliced_f32, F32)

/// More rows, groups and panels than fit in a chunk, a span and a tile.
TEST_P(LinearNested, sliced_many_rows) {
  for (Activations kind :
       {Activations::F32, Activations::Q8, Activations::Q16}) {
    check(PMPD_LAYOUT_S, {20, 128, 64, false}, 4, 3, kind, {49, 145});
    check(PMPD_LAYOUT_S, {20, 2112, 32, false}, 2, 2, kind, {16});
    check(PMPD_LAYOUT_S, {530, 64, 64, false}, 4, 4, kind, {16});
  }
}

TEST_P(LinearNested, plain) {
  size_t next = 0;
  for (int parent = 2; parent <= 4; ++parent)
    for (int bits = 2; bits <= parent; ++bits)
      check(PMPD_LAYOUT_PLAIN, cases[next++], parent, bits, Activations::F32,
            {1, 3});
}

TEST_P(LinearNested, reads_only_its_planes) {
  constexpr int64_t rows = 1024, cols = 512, group = 128;
  NestedShape shape = nestedShape(rows, cols, group, {2, 3, 4});
  std::vector<uint8_t> packed = pack(randomTensor(shape, 3), PMPD_LAYOUT_S);
  for (unsigned bits = 2; bits < 4; ++bits) {
    CompiledKernel kernel(GetParam(), [&](CpuKernels &library) {
      return library.linearS(
          {rows, cols, group, bits, 4, bits - 2, Activations::F32, Type()});
    });
    size_t size = llvm::alignTo(packed.size(), 4096);
    auto *weight =
        static_cast<uint8_t *>(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(weight, MAP_FAILED);
    std::memcpy(weight, packed.data(), packed.size());
    uint64_t first = pmpd_s_region_offset(rows, cols, bits);
    uint64_t end = pmpd_s_region_offset(rows, cols, 4);
    ASSERT_EQ(first % 4096, 0u);
    ASSERT_EQ(mprotect(weight + first, end - first, PROT_NONE), 0);
    std::vector<float> x = randomFloats(cols, random);
    std::vector<float> y(rows);
    kernel.run({weight, x.data(), y.data()}, 1);
    PackedWeight reference{rows,           cols,          group,        4,
                           shape.prefixes, PMPD_LAYOUT_S, packed.data()};
    std::vector<double> expected = referenceLinear(reference, bits, x);
    for (int64_t n = 0; n < rows; ++n)
      EXPECT_NEAR(y[n], expected[n], 1e-3);
    munmap(weight, size);
  }
}

PMPD_FOR_EVERY_ISA(LinearNested);

} // namespace
