// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_RAISE_H
#define PASSES_RAISE_H

#include "dialects/ONNX/Dims.h"
#include "dialects/ONNX/ONNX.h"
#include "lib/Import/ONNX/Evaluator.h"
#include "passes/RaiseMeaning.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

namespace pmpd::raise {

/// The chunk for which auxiliary values are computed: `rows` tokens after
/// `past` ones, nothing masked out.
struct Probe {
  int64_t rows;
  int64_t past;
};

/// Computes auxiliary values of a graph.
class Probes {
public:
  Probes(mlir::func::FuncOp graph);

  /// Finds the symbols of the graph's inputs. Fails with a diagnostic if an
  /// input is not one of a decoder.
  llvm::LogicalResult readInputs();

  /// `value` for `probe`, valid until forgotten.
  llvm::Expected<const onnx::Tensor *> evaluate(mlir::Value value, Probe probe);
  /// Drops what was computed for `probe`, which may be large.
  void forget(Probe probe) { evaluators.erase({probe.rows, probe.past}); }

  /// Whether a type's dimension is the rows, all tokens or a constant when the
  /// batch is 1.
  llvm::SmallVector<Dim> classify(mlir::Value value);

  onnx::FileCache &getFiles() { return files; }

private:
  llvm::StringMap<int64_t> bind(Probe probe) const;

  mlir::func::FuncOp graph;
  onnx::FileCache files;
  onnx::DimSymbols symbols;
  llvm::StringMap<Probe> roles; // symbol = rows * tokens + past * past tokens
  llvm::StringSet<> batches;
  mlir::Value mask, positions;
  std::map<std::pair<int64_t, int64_t>, std::unique_ptr<onnx::Evaluator>>
      evaluators;
};

/// A weight of the graph: an initializer, possibly transposed.
struct WeightRef {
  onnx::InitializerOp initializer;
  bool transposed = false; // the value is the transpose of what is stored
  onnx::Shape shape;       // of the value, without axes of one element
  mlir::RankedTensorType blocks = {}; // what is stored, if codes in blocks
};

struct Settings {
  std::string name;    // of the model
  int64_t context = 0; // 0: the smaller of 4096 and what the model can do
};

/// Raises one graph to a pmpd.model.
class Raiser {
public:
  Raiser(mlir::func::FuncOp graph, const Settings &options);

  /// Puts a model next to the graph. Fails after a diagnostic for every node
  /// that is the cause of a failure.
  llvm::LogicalResult run();

private:
  using Handler = Meaning (Raiser::*)(onnx::NodeOp);
  struct Layer {
    mlir::Value keys, values;
    bool appended = false;
  };
  struct RopeTable {
    std::string name;
    std::vector<double> frequencies;
    double scale;
    RopeStyle style;
  };

  // Raise.cpp: the walk over the graph.
  static Handler getHandler(onnx::NodeOp node);
  llvm::LogicalResult visitInputs();
  void visit(mlir::Operation &op);
  void visitNode(onnx::NodeOp node);
  Meaning refuse(onnx::NodeOp node, const llvm::Twine &reason);
  llvm::LogicalResult checkOutputs(mlir::Value &logits);
  llvm::LogicalResult finish(mlir::Value logits);
  void selectLast(mlir::Value logits);
  void eraseUnused();
  bool isAuxiliary(mlir::Value value) const;
  template <typename T> const T *get(mlir::Value value) const {
    auto it = meanings.find(value);
    return it == meanings.end() ? nullptr : std::get_if<T>(&it->second);
  }

  // RaiseShape.cpp: operators that rearrange.
  Meaning raisePassThrough(onnx::NodeOp node);
  Meaning raiseConcat(onnx::NodeOp node);
  Meaning raiseExpand(onnx::NodeOp node);
  Meaning raiseGather(onnx::NodeOp node);
  Meaning raiseReshape(onnx::NodeOp node);
  Meaning raiseSlice(onnx::NodeOp node);
  Meaning raiseSplit(onnx::NodeOp node);
  Meaning raiseTranspose(onnx::NodeOp node);
  /// Applies `change` to the view of a value.
  Meaning
  changeView(onnx::NodeOp node,
             llvm::function_ref<std::optional<View>(const View &)> change);

  // RaiseArithmetic.cpp: operators that work element by element, and norms.
  Meaning raiseUnary(onnx::NodeOp node);
  Meaning raiseBinary(onnx::NodeOp node);
  Meaning raiseWhere(onnx::NodeOp node);
  Meaning raiseIsNaN(onnx::NodeOp node);
  Meaning raiseReduceMean(onnx::NodeOp node);
  Meaning raiseLayerNormalization(onnx::NodeOp node);
  /// A sum or product of equal layouts as a value of its own.
  std::optional<Features> combine(onnx::NodeOp node, const Features &left,
                                  const Features &right, bool adds);
  Meaning raiseScalar(onnx::NodeOp node, const Meaning &operand,
                      Function function);
  Meaning raiseWithTable(onnx::NodeOp node, mlir::Value data,
                         mlir::Value auxiliary);
  Meaning raisePair(onnx::NodeOp node);
  Meaning normalize(onnx::NodeOp node, const Features &rows,
                    const Statistic &statistic, bool divides);
  Meaning emitNorm(onnx::NodeOp node, const Normalized &norm,
                   mlir::Value weight, mlir::Value bias);

  // RaiseLinear.cpp: products with weights and rows of tables.
  Meaning raiseMatMul(onnx::NodeOp node);
  /// The product with a weight [in, out], or [out, in] if that is transposed.
  Meaning multiplyWeight(onnx::NodeOp node, mlir::Value left, mlir::Value right,
                         bool transposed);
  Meaning multiplyCache(onnx::NodeOp node, mlir::Value left,
                        const Cache &cache);
  Meaning raiseGemm(onnx::NodeOp node);
  Meaning raiseEmbedding(onnx::NodeOp node);
  Meaning addBias(onnx::NodeOp node, const Features &features,
                  mlir::Value bias);
  /// Auxiliary if `added` is no row of a table.
  Meaning addPosition(onnx::NodeOp node, const Features &features,
                      mlir::Value added);
  Meaning emitLinear(onnx::NodeOp node, const Features &input,
                     const WeightRef &weight, mlir::Value bias);

  // RaiseFused.cpp: operators of ONNX Runtime that stand for several.
  static Handler getFusedHandler(llvm::StringRef opType);
  Meaning raiseActivation(onnx::NodeOp node);
  Meaning raiseFusedMatMul(onnx::NodeOp node);
  Meaning raiseMatMulNBits(onnx::NodeOp node);
  Meaning raiseSkipNormalization(onnx::NodeOp node);
  /// Whether all that a node has is named here, or off, and only the first
  /// `results` are used; else refuses it.
  bool hasOnly(onnx::NodeOp node, llvm::ArrayRef<llvm::StringRef> attributes,
               llvm::ArrayRef<llvm::StringRef> inputs, unsigned results);

  // RaiseGroupQuery.cpp: the same for rotary embeddings and attention.
  struct Rotation {
    mlir::Value cosines, sines; // [positions, pairs]
    mlir::Value positions;      // of the tokens
    bool interleaved;
  };
  Meaning raiseGroupQueryAttention(onnx::NodeOp node);
  Meaning raiseRotaryEmbedding(onnx::NodeOp node);
  /// Rotates heads of `headSize` columns; refuses and returns none if the
  /// caches do not fit.
  std::optional<Features> rotate(onnx::NodeOp node, const Features &features,
                                 int64_t headSize, const Rotation &rotation);
  /// A node that takes the rows of `table` at `positions`.
  mlir::Value lookUp(onnx::NodeOp node, mlir::Value table,
                     mlir::Value positions);
  /// The positions of the chunk when `total` is the number of all tokens.
  mlir::Value getPositions(onnx::NodeOp node, mlir::Value total);
  /// Whether an auxiliary is the number `expected` for every chunk.
  bool isNumber(mlir::Value value, llvm::function_ref<int64_t(Probe)> expected);

  // RaiseWeights.cpp
  /// The initializer that an auxiliary value is, but for axes of one element
  /// and its transposition; none if it is computed.
  std::optional<WeightRef> resolveWeight(mlir::Value value);
  /// A symbol named after the scope of `node` and `suffix`.
  mlir::FlatSymbolRefAttr getWeight(onnx::NodeOp node, const WeightRef &weight,
                                    llvm::StringRef suffix);
  /// A symbol for `rows` rows of a weight, or elements of a vector, from `row`.
  mlir::FlatSymbolRefAttr getSlice(mlir::FlatSymbolRefAttr weight, int64_t row,
                                   int64_t rows);
  mlir::FlatSymbolRefAttr addWeight(llvm::StringRef name, mlir::Type type,
                                    SourceAttr source);
  /// A symbol for a vector; refuses and fails if `value` is none of `size`.
  mlir::FailureOr<mlir::FlatSymbolRefAttr> getVector(onnx::NodeOp node,
                                                     mlir::Value value,
                                                     int64_t size,
                                                     llvm::StringRef suffix);
  /// Lets the head read the embedding table if their elements are equal.
  void tieWeights();

  // RaiseRows.cpp: from views to values.
  /// What a value means as features; refuses and returns none if it cannot be.
  std::optional<Features> getFeatures(onnx::NodeOp node, mlir::Value value);
  /// A view of exactly the columns of a value of their own.
  std::optional<View> compact(const View &view);
  /// The same features on a value of their own, without a function.
  std::optional<Features> settle(onnx::NodeOp node, const Features &features);
  /// The rows of features in the order of their columns.
  mlir::Value getRows(onnx::NodeOp node, const Features &features);
  /// A value with `function` applied; null if that is no decoder op.
  mlir::Value applyFunction(mlir::Value rows, const Function &function);
  Features makeFeatures(mlir::Value rows, llvm::ArrayRef<Axis> prefix);

  // RaiseAttention.cpp
  Meaning appendPast(onnx::NodeOp node);
  Meaning raiseScores(onnx::NodeOp node, const Features &query,
                      const Cache &keys);
  /// Takes `rows` for what is appended to a past; refuses and returns false if
  /// there is such already.
  bool setAppended(onnx::NodeOp node, const Past &past, mlir::Value rows);
  /// Attention over what was appended to the layer; refuses and returns null
  /// if its heads are not those of other layers.
  mlir::Value emitAttention(onnx::NodeOp node, const Scores &scores,
                            std::optional<int64_t> window);
  Meaning raiseAttention(onnx::NodeOp node, const Probabilities &weights,
                         const Cache &values);
  Meaning raiseSoftmax(onnx::NodeOp node);

  // RaiseMask.cpp
  /// Whether `masks` let every token see itself and what came before it.
  /// Returns the reason if not.
  std::string checkMasks(llvm::ArrayRef<MaskStep> masks,
                         std::optional<int64_t> &window);
  /// What each row sees of all tokens, [rows, rows + past].
  llvm::Expected<std::vector<Sight>> getSight(llvm::ArrayRef<MaskStep> masks,
                                              Probe probe);

  // RaiseRope.cpp
  std::optional<Combination> getCombination(const Meaning &meaning);
  Meaning multiplyTable(onnx::NodeOp node, const Combination &combination,
                        mlir::Value table);
  Meaning concatCombinations(onnx::NodeOp node);
  Meaning addCombinations(onnx::NodeOp node, const Combination &left,
                          const Combination &right, double sign);
  std::optional<Features> emitRope(onnx::NodeOp node,
                                   const Combination &combination);
  /// An entry of the table of a term, times its factor.
  llvm::Expected<double> readTable(const Term &term, Probe probe, int64_t row);
  /// Fills in the frequencies and the scale. Returns the reason if the pairs
  /// are not rotated by position times frequency.
  std::string recoverTable(llvm::ArrayRef<Pair> pairs, RopeTable &table);
  mlir::FlatSymbolRefAttr getRopeTable(const RopeTable &table);

  /// The number that an auxiliary is at every probe.
  std::optional<double> getNumber(mlir::Value value);
  /// The integers that an auxiliary is at every probe.
  std::optional<onnx::Shape> getIntegers(mlir::Value value);
  /// The largest context, at most `limit`, at which `works` holds.
  static int64_t findContext(int64_t limit,
                             llvm::function_ref<bool(int64_t)> works);

  mlir::func::FuncOp graph;
  Settings options;
  mlir::OpBuilder builder;
  Probes probes;
  ModelOp model;
  BodyOp body;
  llvm::DenseMap<mlir::Value, Meaning> meanings;
  llvm::MapVector<mlir::Operation *, std::string> refused;
  llvm::StringSet<> reasons;
  std::map<int64_t, Layer> layers;
  llvm::DenseMap<std::pair<mlir::Attribute, mlir::Type>,
                 mlir::FlatSymbolRefAttr>
      weights; // by source and type
  llvm::DenseMap<std::pair<mlir::Value, std::pair<int64_t, int64_t>>,
                 mlir::Value>
      slices; // by the whole, the first column and their number
  llvm::DenseMap<std::pair<mlir::Value, mlir::Value>, mlir::Value>
      lookedUp; // rows of a table at positions
  llvm::DenseMap<mlir::Value, mlir::Value> chunkPositions; // by all tokens
  std::vector<RopeTable> ropes;
  /// Heads whose table is known already, as terms of their elements.
  std::vector<std::pair<std::vector<llvm::SmallVector<Term, 2>>,
                        mlir::FlatSymbolRefAttr>>
      knownHeads;
  int64_t context; // the most that is known to work
  int64_t heads = 1, kvHeads = 1, headDim = 0;
};

} // namespace pmpd::raise

#endif // PASSES_RAISE_H
