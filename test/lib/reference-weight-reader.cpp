// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/Half.h"
#include "lib/Reference/WeightReader.h"
#include "pmpd/layout.h"
#include "test/lib/ReferenceTest.h"

using namespace pmpd;

namespace {
class WeightReaderTest : public test::ReferenceTest {
protected:
  /// Reads all of a weight given as `TYPE from SOURCE`.
  std::vector<float> read(const std::string &weight) {
    mlir::FailureOr<WeightReader> reader = open(weight);
    EXPECT_TRUE(succeeded(reader)) << error;
    return succeeded(reader) ? reader->read(0, reader->getRows())
                             : std::vector<float>();
  }

  mlir::FailureOr<WeightReader> open(const std::string &weight) {
    module = parse("pmpd.model @m vocab = 1, hidden = 1, layers = 1, heads = "
                   "1, kv_heads = 1, head_dim = 1, context = 1, kv = f32 {\n"
                   "pmpd.weight @w : " +
                   weight + "\n}");
    WeightOp op;
    module->walk([&](WeightOp found) { op = found; });
    return WeightReader::open(op);
  }

  mlir::OwningOpRef<mlir::ModuleOp> module;
};
using Floats = std::vector<float>;
} // namespace

TEST_F(WeightReaderTest, ReadsRowsOfASlice) {
  writeWeights<float>({9, 0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(read("tensor<2x2xf32> from #pmpd.source<FILE, offset = 4, type = "
                 "tensor<4x2xf32>, transposed = false, row = 1>"),
            (Floats{2, 3, 4, 5}));
}

TEST_F(WeightReaderTest, TransposesASlice) {
  writeWeights<float>({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(read("tensor<3x2xf32> from #pmpd.source<FILE, offset = 0, type = "
                 "tensor<2x4xf32>, transposed = true, row = 1>"),
            (Floats{1, 5, 2, 6, 3, 7}));
}

TEST_F(WeightReaderTest, TransposesPastTheTiles) {
  constexpr int Rows = 130, Cols = 67;
  Floats stored(Rows * Cols);
  for (size_t i = 0; i < stored.size(); ++i)
    stored[i] = i;
  writeWeights(stored);
  Floats values =
      read("tensor<130x67xf32> from #pmpd.source<FILE, offset = 0, type = "
           "tensor<67x130xf32>, transposed = true, row = 0>");
  for (int row = 0; row < Rows; ++row)
    for (int col = 0; col < Cols; ++col)
      ASSERT_EQ(values[row * Cols + col], stored[col * Rows + row]);
}

TEST_F(WeightReaderTest, ReadsSomeElementsOfAVector) {
  writeWeights<float>({0, 1, 2, 3, 4});
  EXPECT_EQ(read("tensor<2xf32> from #pmpd.source<FILE, offset = 0, type = "
                 "tensor<5xf32>, transposed = false, row = 2>"),
            (Floats{2, 3}));
}

TEST_F(WeightReaderTest, ConvertsElements) {
  writeWeights<uint16_t>({0x3E00, 0xC000, 0x0001});
  EXPECT_EQ(read("tensor<3xf32> from #pmpd.source<FILE, offset = 0, type = "
                 "tensor<3xf16>, transposed = false, row = 0>"),
            (Floats{1.5f, -2, 0x1p-24f}));
  EXPECT_EQ(read("tensor<2xf32> from #pmpd.source<FILE, offset = 0, type = "
                 "tensor<2xbf16>, transposed = false, row = 0>"),
            (Floats{0.125f, -2}));
  writeWeights<double>({0.1, -3});
  EXPECT_EQ(read("tensor<2xf32> from #pmpd.source<FILE, offset = 0, type = "
                 "tensor<2xf64>, transposed = false, row = 0>"),
            (Floats{0.1f, -3}));
}

TEST_F(WeightReaderTest, ReadsANestedStore) {
  // One row of 32 codes, then (scale, min) of 2 and of 3 bits.
  std::vector<uint8_t> store(64 + 2 * 64);
  for (int k = 0; k < 32; ++k)
    store[k] = k % 8;
  auto put = [&](size_t at, float value) {
    uint16_t half = floatToHalf(value);
    std::memcpy(&store[at], &half, 2);
  };
  put(64, 2);
  put(66, -1);
  put(128, 0.5f);
  put(130, 10);
  writeWeights(store);
  auto reader = open("!pmpd.nested<1x32, bits = 3, prefixes = [2, 3], affine, "
                     "group = 32, unpacked> from #pmpd.source<FILE, offset = "
                     "0, type = tensor<1x32xi8>, transposed = false, row = 0>");
  ASSERT_TRUE(succeeded(reader)) << error;
  NestedTensor tensor = reader->readNested();
  Floats two = dequantize(tensor, 0), three = dequantize(tensor, 1);
  for (int k = 0; k < 32; ++k) {
    EXPECT_EQ(two[k], 2 * (k % 8 / 2) - 1);
    EXPECT_EQ(three[k], 0.5f * (k % 8) + 10);
  }
}

TEST_F(WeightReaderTest, ReadsBlocks) {
  // Rows of 12 elements: blocks of 8 codes of 4 bits, the last half empty.
  std::vector<uint8_t> stored(3 * 8);
  for (size_t i = 0; i < stored.size(); ++i)
    stored[i] = 37 * i;
  constexpr int zeros = 24, scales = 27;
  stored.insert(stored.end(), {0x3a, 0x5c, 0x91}); // 10, 3; 12, 5; 1, 9
  for (float scale : {0.5f, 2.0f, 1.0f, -3.0f, 4.0f, 0.25f}) {
    auto *bytes = reinterpret_cast<const uint8_t *>(&scale);
    stored.insert(stored.end(), bytes, bytes + 4);
  }
  writeWeights(stored);
  auto codeAt = [&](int row, int col) {
    return stored[row * 8 + col / 2] >> (col % 2 * 4) & 15;
  };
  auto scaleAt = [&](int block) {
    float scale;
    std::memcpy(&scale, &stored[scales + 4 * block], 4);
    return scale;
  };
  std::string source =
      "tensor<2x12xf32> from #pmpd.source<FILE, offset = 0, type = "
      "tensor<3x12xf32, #pmpd.blocks<4, size = 8, scales = FILE, 27, zeros = ";
  std::string rest = ">>, transposed = false, row = 1>";
  Floats with = read(source + "FILE, 24" + rest);
  Floats without = read(source + "\"\", 0" + rest);
  for (int row = 1; row < 3; ++row)
    for (int col = 0; col < 12; ++col) {
      int block = row * 2 + col / 8;
      int zero = stored[zeros + row] >> (col / 8 * 4) & 15;
      size_t at = (row - 1) * 12 + col;
      EXPECT_EQ(with[at], (codeAt(row, col) - zero) * scaleAt(block));
      EXPECT_EQ(without[at], (codeAt(row, col) - 8) * scaleAt(block));
    }
}

TEST_F(WeightReaderTest, RefusesShortScales) {
  writeWeights(std::vector<uint8_t>(16));
  EXPECT_TRUE(failed(
      open("tensor<2x8xf32> from #pmpd.source<FILE, offset = 0, type = "
           "tensor<2x8xf32, #pmpd.blocks<4, size = 8, scales = FILE, 12, zeros "
           "= \"\", 0>>, transposed = false, row = 0>")));
  EXPECT_EQ(error, "weight @w: expected 8 bytes from offset 12 of '" +
                       weightsPath() +
                       "', but it ends at 16; copy the file again");
}

TEST_F(WeightReaderTest, RefusesAShortFile) {
  writeWeights<float>({0, 1, 2});
  EXPECT_TRUE(
      failed(open("tensor<2x2xf32> from #pmpd.source<FILE, offset = 4, type = "
                  "tensor<2x2xf32>, transposed = false, row = 0>")));
  EXPECT_EQ(error, "weight @w: expected 16 bytes from offset 4 of '" +
                       weightsPath() +
                       "', but it ends at 12; copy the file again");
}

TEST_F(WeightReaderTest, RefusesAMissingFile) {
  EXPECT_TRUE(failed(
      open("tensor<2xf32> from #pmpd.source<\"/missing/w.bin\", offset = 0, "
           "type = tensor<2xf32>, transposed = false, row = 0>")));
  EXPECT_EQ(error, "weight @w: cannot read '/missing/w.bin': No such "
                   "file or directory");
}

TEST_F(WeightReaderTest, RefusesIntegers) {
  writeWeights<int32_t>({1, 2});
  EXPECT_TRUE(
      failed(open("tensor<2xf32> from #pmpd.source<FILE, offset = 0, type = "
                  "tensor<2xi32>, transposed = false, row = 0>")));
  EXPECT_EQ(error, "weight @w: expected a source of f16, bf16, f32 or "
                   "f64, but got 'tensor<2xi32>'");
}

TEST_F(WeightReaderTest, RefusesAWeightWithoutSource) {
  EXPECT_TRUE(failed(open("tensor<2xf32>")));
  EXPECT_EQ(error, "weight @w: expected a source to read values from");
}
