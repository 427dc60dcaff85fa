// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/Pack.h"
#include "lib/Quant/Half.h"
#include "lib/Reference/Interpreter.h"
#include "test/lib/ReferenceTest.h"

#include <cmath>

using namespace pmpd;

namespace {
constexpr int Vocab = 7, Hidden = 8, Heads = 2, KVHeads = 1, HeadDim = 4;
constexpr int KVCols = KVHeads * HeadDim;

/// The weights of the model below, one after the other in its file.
struct Weights {
  std::vector<float> all;
  int embed, norm, q, k, v, output, bias; // Offsets of elements.

  Weights() {
    embed = add(Vocab * Hidden);
    norm = add(Hidden);
    q = add(Heads * HeadDim * Hidden);
    k = add(KVCols * Hidden);
    v = add(KVCols * Hidden);
    output = add(Hidden * Heads * HeadDim);
    bias = add(Hidden);
  }
  int add(int count) {
    int offset = all.size();
    for (int i = 0; i < count; ++i)
      all.push_back(std::sin(1.3 * all.size()) / 2);
    return offset;
  }
};

/// One layer of attention: embed, norm, q k v, rope, attention, output with
/// bias, residual, logits of the tied embedding.
const char *const Model = R"(
pmpd.model @m vocab = 7, hidden = 8, layers = 1, heads = 2, kv_heads = 1, head_dim = 4, context = 6, kv = f32 {
  pmpd.weight @embed : tensor<7x8xf32> from #pmpd.source<FILE, offset = 0, type = tensor<7x8xf32>, transposed = false, row = 0>
  pmpd.weight @norm : tensor<8xf32> from #pmpd.source<FILE, offset = 224, type = tensor<8xf32>, transposed = false, row = 0>
  pmpd.weight @q : tensor<8x8xf32> from #pmpd.source<FILE, offset = 256, type = tensor<8x8xf32>, transposed = false, row = 0>
  pmpd.weight @k : tensor<4x8xf32> from #pmpd.source<FILE, offset = 512, type = tensor<4x8xf32>, transposed = false, row = 0>
  pmpd.weight @v : tensor<4x8xf32> from #pmpd.source<FILE, offset = 640, type = tensor<4x8xf32>, transposed = false, row = 0>
  pmpd.weight @o : tensor<8x8xf32> from #pmpd.source<FILE, offset = 768, type = tensor<8x8xf32>, transposed = false, row = 0>
  pmpd.weight @bias : tensor<8xf32> from #pmpd.source<FILE, offset = 1024, type = tensor<8xf32>, transposed = false, row = 0>
  pmpd.rope_table @rope inv_freq = [1.0, 0.25], scale = 1.0, half
  pmpd.body {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x8xf32>
    %n = pmpd.rms_norm %h, @norm eps 1.0e-5 : tensor<?x8xf32>
    %q = pmpd.linear %n, @q : tensor<?x8xf32> -> tensor<?x8xf32>
    %k = pmpd.linear %n, @k : tensor<?x8xf32> -> tensor<?x4xf32>
    %v = pmpd.linear %n, @v : tensor<?x8xf32> -> tensor<?x4xf32>
    %qr = pmpd.rope %q, @rope heads 2 : tensor<?x8xf32>
    %kr = pmpd.rope %k, @rope heads 1 : tensor<?x4xf32>
    pmpd.kv_append %kr, %v layer 0 : tensor<?x4xf32>
    %a = pmpd.attention %qr layer 0 scale 0.5 : tensor<?x8xf32>
    %o = pmpd.linear %a, @o bias @bias : tensor<?x8xf32> -> tensor<?x8xf32>
    %r = pmpd.add %h, %o : tensor<?x8xf32>
    %s = pmpd.select_last %r : tensor<?x8xf32>
    %logits = pmpd.linear %s, @embed : tensor<?x8xf32> -> tensor<?x7xf32>
    pmpd.yield %logits : tensor<?x7xf32>
  }
}
)";

using Rows = std::vector<std::vector<double>>;

Rows multiply(const Rows &input, const float *weight, int rows) {
  Rows result;
  for (const std::vector<double> &row : input) {
    result.emplace_back(rows, 0);
    for (int n = 0; n < rows; ++n)
      for (size_t k = 0; k < row.size(); ++k)
        result.back()[n] += row[k] * weight[n * row.size() + k];
  }
  return result;
}

void rotate(Rows &rows) {
  for (size_t t = 0; t < rows.size(); ++t)
    for (size_t head = 0; head < rows[t].size(); head += HeadDim)
      for (int i = 0; i < 2; ++i) {
        double angle = t * (i == 0 ? 1.0 : 0.25);
        double &x = rows[t][head + i], &y = rows[t][head + i + 2], old = x;
        x = x * std::cos(angle) - y * std::sin(angle);
        y = y * std::cos(angle) + old * std::sin(angle);
      }
}

/// The model as loops over doubles.
Rows computeLogits(const Weights &weights, const std::vector<int32_t> &tokens) {
  auto at = [&](int offset) { return weights.all.data() + offset; };
  Rows h, n;
  for (int32_t token : tokens) {
    const float *row = at(weights.embed) + token * Hidden;
    h.emplace_back(row, row + Hidden);
    double squares = 0;
    for (double x : h.back())
      squares += x * x;
    n.push_back(h.back());
    for (int k = 0; k < Hidden; ++k)
      n.back()[k] *= at(weights.norm)[k] / std::sqrt(squares / Hidden + 1e-5);
  }
  Rows q = multiply(n, at(weights.q), Heads * HeadDim);
  Rows k = multiply(n, at(weights.k), KVCols);
  Rows v = multiply(n, at(weights.v), KVCols);
  rotate(q);
  rotate(k);
  Rows attended(tokens.size(), std::vector<double>(Heads * HeadDim, 0));
  for (size_t t = 0; t < tokens.size(); ++t)
    for (int head = 0; head < Heads; ++head) {
      std::vector<double> p;
      double sum = 0;
      for (size_t j = 0; j <= t; ++j) {
        double dot = 0;
        for (int i = 0; i < HeadDim; ++i)
          dot += q[t][head * HeadDim + i] * k[j][i];
        p.push_back(std::exp(0.5 * dot));
        sum += p.back();
      }
      for (size_t j = 0; j <= t; ++j)
        for (int i = 0; i < HeadDim; ++i)
          attended[t][head * HeadDim + i] += p[j] / sum * v[j][i];
    }
  Rows o = multiply(attended, at(weights.output), Hidden);
  for (size_t t = 0; t < tokens.size(); ++t)
    for (int i = 0; i < Hidden; ++i)
      h[t][i] += o[t][i] + at(weights.bias)[i];
  return multiply(h, at(weights.embed), Vocab);
}

class InterpreterTest : public test::ReferenceTest {
protected:
  void SetUp() override {
    ReferenceTest::SetUp();
    load(Model);
  }

  void load(const std::string &ir) {
    writeWeights(weights.all);
    module = parse(ir);
    module->walk([&](BodyOp found) { body = found; });
  }

  static Sequence makeSequence(std::vector<int32_t> tokens) {
    Sequence sequence;
    sequence.tokens = std::move(tokens);
    return sequence;
  }

  RowMatrix run(mlir::MutableArrayRef<Sequence> sequences,
                const InterpreterOptions &options = {}) {
    mlir::FailureOr<RowMatrix> logits = interpret(body, sequences, options);
    EXPECT_TRUE(succeeded(logits)) << error;
    return succeeded(logits) ? *logits : RowMatrix();
  }

  Weights weights;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  BodyOp body;
};

void expectRows(const RowMatrix &actual, int64_t begin, const Rows &expected,
                size_t first) {
  ASSERT_LE(begin + expected.size() - first, size_t(actual.rows()));
  for (size_t t = first; t < expected.size(); ++t)
    for (int i = 0; i < Vocab; ++i)
      EXPECT_NEAR(actual(begin + t - first, i), expected[t][i], 1e-5)
          << "token " << t << ", logit " << i;
}
} // namespace

TEST_F(InterpreterTest, EqualsLoopsOverDoubles) {
  Sequence sequence = makeSequence({3, 0, 6, 2});
  RowMatrix logits = run(sequence);
  ASSERT_EQ(logits.rows(), 4);
  expectRows(logits, 0, computeLogits(weights, sequence.tokens), 0);
}

TEST_F(InterpreterTest, ContinuesFromTheCache) {
  Sequence sequence = makeSequence({3, 0});
  run(sequence);
  EXPECT_EQ(sequence.position, 2);
  sequence.tokens = {6};
  run(sequence);
  sequence.tokens = {2};
  RowMatrix logits = run(sequence);
  ASSERT_EQ(logits.rows(), 1);
  expectRows(logits, 0, computeLogits(weights, {3, 0, 6, 2}), 3);
}

TEST_F(InterpreterTest, KeepsSequencesApart) {
  Sequence sequences[] = {makeSequence({3, 0, 6}), makeSequence({5, 1})};
  RowMatrix logits = run(sequences);
  ASSERT_EQ(logits.rows(), 5);
  expectRows(logits, 0, computeLogits(weights, {3, 0, 6}), 0);
  expectRows(logits, 3, computeLogits(weights, {5, 1}), 0);
}

TEST_F(InterpreterTest, SelectsTheLastRows) {
  Sequence sequences[] = {makeSequence({3, 0, 6}), makeSequence({5})};
  InterpreterOptions options;
  options.logitRows = 2;
  RowMatrix logits = run(sequences, options);
  ASSERT_EQ(logits.rows(), 3);
  expectRows(logits, 0, computeLogits(weights, {3, 0, 6}), 1);
  expectRows(logits, 2, computeLogits(weights, {5}), 0);
}

TEST_F(InterpreterTest, ShowsTheInputsOfLinearLayers) {
  std::vector<std::string> seen;
  InterpreterOptions options;
  options.computeLogits = false;
  options.observer = [&](LinearOp layer, const RowMatrix &input) {
    seen.push_back(layer.getWeight().str());
    EXPECT_EQ(input.rows(), 2);
    return mlir::success();
  };
  Sequence sequence = makeSequence({1, 2});
  EXPECT_EQ(run(sequence, options).size(), 0);
  EXPECT_EQ(seen, (std::vector<std::string>{"q", "k", "v", "o", "embed"}));
}

TEST_F(InterpreterTest, RoundsTheCacheToItsType) {
  std::string ir = Model;
  ir.replace(ir.find("kv = f32"), 8, "kv = f16");
  load(ir);
  Sequence sequence = makeSequence({3, 0, 6, 2});
  run(sequence);
  const RowMatrix &keys = sequence.layers[0].keys;
  EXPECT_EQ(keys, roundToHalf(keys));
}

TEST_F(InterpreterTest, RefusesTokensOutsideTheVocabulary) {
  Sequence sequence = makeSequence({1, 7});
  EXPECT_TRUE(failed(interpret(body, sequence)));
  EXPECT_EQ(error, "'pmpd.body' op expected tokens in [0, 7), but got 7");
}

TEST_F(InterpreterTest, RefusesMoreTokensThanTheContext) {
  Sequence sequence = makeSequence({1, 2, 3, 4});
  run(sequence);
  EXPECT_TRUE(failed(interpret(body, sequence)));
  EXPECT_EQ(error, "'pmpd.body' op expected at most 6 tokens of context, but "
                   "got 8");
}

TEST_F(InterpreterTest, RefusesAttentionWithoutItsTokens) {
  std::string ir = Model;
  size_t append = ir.find("pmpd.kv_append");
  ir.erase(append, ir.find('\n', append) - append);
  load(ir);
  Sequence sequence = makeSequence({1});
  EXPECT_TRUE(failed(interpret(body, sequence)));
  EXPECT_EQ(error, "'pmpd.attention' op expected a pmpd.kv_append of layer 0 "
                   "before it");
}

TEST_F(InterpreterTest, ReadsANestedWeightAtTheBitsAsked) {
  NestedShape shape;
  shape.rows = 1;
  shape.cols = 32;
  shape.group = 32;
  shape.bits = 3;
  shape.prefixes = {2, 3};
  NestedTensor tensor(shape);
  for (int k = 0; k < 32; ++k)
    tensor.codes[k] = k % 8;
  tensor.params[0] = {{floatToHalf(2)}, {floatToHalf(-1)}};
  tensor.params[1] = {{floatToHalf(0.5f)}, {floatToHalf(10)}};
  std::vector<uint8_t> file = pack(tensor, PMPD_LAYOUT_PLAIN);
  // The embedding of the one token, behind the codes: 32 ones.
  std::vector<float> ones(32, 1);
  size_t embed = file.size();
  file.resize(embed + 32 * sizeof(float));
  std::memcpy(&file[embed], ones.data(), 32 * sizeof(float));
  writeWeights(file);
  module = parse(R"(
pmpd.model @m vocab = 1, hidden = 32, layers = 1, heads = 1, kv_heads = 1, head_dim = 32, context = 6, kv = f32 {
  pmpd.weight @embed : tensor<1x32xf32> from #pmpd.source<FILE, offset = )" +
                 std::to_string(embed) +
                 R"(, type = tensor<1x32xf32>, transposed = false, row = 0>
  pmpd.weight @w : !pmpd.nested<1x32, bits = 3, prefixes = [2, 3], affine, group = 32, unpacked> from #pmpd.source<FILE, offset = 0, type = tensor<1x32xi8>, transposed = false, row = 0>
  pmpd.body {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x32xf32>
    %w = pmpd.linear %h, @w : tensor<?x32xf32> -> tensor<?x1xf32>
    pmpd.yield %w : tensor<?x1xf32>
  }
}
)");
  module->walk([&](BodyOp found) { body = found; });
  // Codes 0 .. 7 four times: their sum is 112, that of their high bits 48.
  InterpreterOptions options;
  for (auto [bits, expected] :
       {std::pair{2, 2.0f * 48 - 32}, std::pair{3, 0.5f * 112 + 320}}) {
    options.bits = bits;
    Sequence sequence = makeSequence({0});
    EXPECT_EQ(run(sequence, options)(0, 0), expected);
  }
  options.bits = 4;
  Sequence sequence = makeSequence({0});
  EXPECT_TRUE(failed(interpret(body, sequence, options)));
  EXPECT_NE(error.find("to be readable at 4 bits"), std::string::npos) << error;
}
