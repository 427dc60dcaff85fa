// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The model, its resources and its phases.
#include "dialects/PMPD/PMPD.h"

#include "llvm/ADT/SmallSet.h"

#include <cmath>

using namespace mlir;
using namespace pmpd;

//===----------------------------------------------------------------------===//
// ModelOp
//===----------------------------------------------------------------------===//

int64_t ModelOp::getKVPlaneBytes() {
  return getKvHeads() * getContext() * getHeadDim() *
         (getKvType().getIntOrFloatBitWidth() / 8);
}

LogicalResult ModelOp::verify() {
  for (auto [name, value] :
       std::initializer_list<std::pair<const char *, int64_t>>{
           {"vocab", getVocab()},
           {"hidden", getHidden()},
           {"layers", getLayers()},
           {"heads", getHeads()},
           {"kv_heads", getKvHeads()},
           {"head_dim", getHeadDim()},
           {"context", getContext()}})
    if (value <= 0) // C1
      return emitOpError("expected positive ") << name << ", but got " << value;
  if (getHeads() % getKvHeads() != 0) // C2
    return emitOpError("expected heads to be a multiple of ")
           << getKvHeads() << " kv_heads, but got " << getHeads();
  if (!getKvType().isF16() && !getKvType().isF32()) // C3
    return emitOpError("expected kv of f16 or f32, but got ") << getKvType();
  return success();
}

//===----------------------------------------------------------------------===//
// WeightOp
//===----------------------------------------------------------------------===//

NestedType WeightOp::getNested() { return dyn_cast<NestedType>(getType()); }

int64_t WeightOp::getRows() {
  if (NestedType nested = getNested())
    return nested.getRows();
  auto type = cast<RankedTensorType>(getType());
  return type.getRank() == 2 ? type.getDimSize(0) : 1;
}

int64_t WeightOp::getCols() {
  if (NestedType nested = getNested())
    return nested.getCols();
  auto type = cast<RankedTensorType>(getType());
  return type.getDimSize(type.getRank() - 1);
}

LogicalResult WeightOp::verify() {
  auto dense = dyn_cast<RankedTensorType>(getType());
  bool validDense =
      dense && dense.hasStaticShape() &&
      (dense.getRank() == 1 || dense.getRank() == 2) &&
      (dense.getElementType().isF16() || dense.getElementType().isF32());
  if (!validDense && !getNested()) // C1
    return emitOpError("expected a nested type or a static f16 or f32 tensor "
                       "of rank 1 or 2, but got ")
           << getType();
  if (SourceAttr source = getSourceAttr()) { // C2
    ArrayRef<int64_t> stored = source.getType().getShape();
    bool matrix = stored.size() == 2;
    int64_t rows = !matrix ? 1 : stored[source.getTransposed() ? 1 : 0];
    int64_t cols = stored.empty() ? 0
                   : !matrix      ? stored[0]
                                  : stored[source.getTransposed() ? 0 : 1];
    // A vector slice starts at an element, a matrix slice at a row.
    bool fits = matrix ? cols == getCols() && source.getRow() >= 0 &&
                             source.getRow() + getRows() <= rows
                       : getRows() == 1 && source.getRow() >= 0 &&
                             source.getRow() + getCols() <= cols;
    fits &= !source.getType().getEncoding() || !source.getTransposed();
    if (!fits)
      return emitOpError("expected a source that holds ")
             << getRows() << "x" << getCols() << " from row " << source.getRow()
             << ", but got " << source.getType();
  }
  if (getAt() && (*getAt() < 0 || *getAt() % 64 != 0)) // C3
    return emitOpError("expected a place that is a multiple of 64, but got ")
           << *getAt();
  return success();
}

//===----------------------------------------------------------------------===//
// RopeTableOp
//===----------------------------------------------------------------------===//

LogicalResult RopeTableOp::verify() {
  ArrayRef<double> frequencies = getInvFreq();
  if (frequencies.empty() || !llvm::all_of(frequencies, [](double value) {
        return std::isfinite(value);
      })) // C1
    return emitOpError("expected finite frequencies");
  int64_t headDim = cast<ModelOp>((*this)->getParentOp()).getHeadDim();
  if (2 * static_cast<int64_t>(frequencies.size()) > headDim) // C2
    return emitOpError("expected at most ")
           << headDim / 2 << " frequencies, but got " << frequencies.size();
  if (getAt() && (*getAt() < 0 || *getAt() % 64 != 0)) // C3
    return emitOpError("expected a place that is a multiple of 64, but got ")
           << *getAt();
  return success();
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

/// C1 and C2 of every phase-like op.
static LogicalResult verifyPhase(Operation *op, Block &block,
                                 bool needsLogits) {
  auto isRows = [](Type type, Type element) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.isDynamicDim(0) &&
           tensor.getElementType() == element;
  };
  Builder builder(op->getContext());
  if (block.getNumArguments() != 1 ||
      !isRows(block.getArgument(0).getType(), builder.getI32Type()) ||
      cast<RankedTensorType>(block.getArgument(0).getType()).getRank() != 1)
    return op->emitOpError("expected one argument of type tensor<?xi32>"); // C1
  Value logits = cast<YieldOp>(block.getTerminator()).getLogits();
  int64_t vocab = cast<ModelOp>(op->getParentOp()).getVocab();
  if (!logits && !needsLogits)
    return success();
  if (!logits || !isRows(logits.getType(), builder.getF32Type()) ||
      cast<RankedTensorType>(logits.getType()).getShape().back() != vocab) // C2
    return op->emitOpError("expected to yield tensor<?x")
           << vocab << "xf32> for a vocab of " << vocab;
  return success();
}

/// C3 of the annotated phases.
static LogicalResult verifyBits(Operation *op, ArrayRef<int32_t> bits) {
  llvm::SmallSet<int32_t, 4> seen;
  for (int32_t value : bits) {
    bool valid = (value >= 2 && value <= 4) || value == 16 || value == 32;
    if (!valid || !seen.insert(value).second)
      return op->emitOpError("expected different bits of 2 to 4, 16 or 32, but "
                             "got ")
             << value;
  }
  return success();
}

LogicalResult BodyOp::verify() {
  return verifyPhase(*this, *getBody(), /*needsLogits=*/true);
}

LogicalResult PrefillOp::verify() {
  if (failed(verifyPhase(*this, *getBody(), /*needsLogits=*/true)))
    return failure();
  return verifyBits(*this, getBits());
}

LogicalResult DecodeOp::verify() {
  if (failed(verifyPhase(*this, *getBody(), /*needsLogits=*/true)))
    return failure();
  return verifyBits(*this, getBits());
}

LogicalResult RegionOp::verify() {
  if (failed(verifyPhase(*this, *getBody(), /*needsLogits=*/false)))
    return failure();
  if (getMaxRows() < 1 ||
      (getPhase() == Phase::Decode && getMaxRows() != 1)) // C3
    return emitOpError("expected positive max_rows, and 1 for decode, but got ")
           << getMaxRows();
  auto model = cast<ModelOp>((*this)->getParentOp());
  for (LinearOp linear : getBody()->getOps<LinearOp>()) {
    auto weight = model.lookupSymbol<WeightOp>(linear.getWeight());
    if (weight && weight.getNested() && !linear.getBits()) // C4
      return linear.emitOpError("expected bits for nested weight ")
             << linear.getWeightAttr();
  }
  return success();
}

LogicalResult
RegionTableOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  llvm::SmallSet<std::pair<int, int>, 8> seen;
  for (auto name : getRegions().getAsRange<FlatSymbolRefAttr>()) {
    auto region = symbolTable.lookupNearestSymbolFrom<RegionOp>(*this, name);
    if (!region) // C1
      return emitOpError("expected the name of a pmpd.region, but got ")
             << name;
    if (!seen.insert({int(region.getPhase()), int(region.getBits())})
             .second) // C2
      return emitOpError("expected one region for each phase and bits, but ")
             << name << " is a second " << stringifyPhase(region.getPhase())
             << " at " << region.getBits() << " bits";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// ClassifierOp
//===----------------------------------------------------------------------===//

LogicalResult ClassifierOp::verify() {
  if (getFrom() <= getTo()) // C1
    return emitOpError("expected to lower the bits, but got ")
           << getFrom() << " to " << getTo();
  if (getClasses() < 2) // C2
    return emitOpError("expected at least 2 classes, but got ") << getClasses();
  return success();
}

LogicalResult
ClassifierOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  for (auto name : getWeights().getAsRange<FlatSymbolRefAttr>()) {
    auto weight = symbolTable.lookupNearestSymbolFrom<WeightOp>(*this, name);
    if (!weight || weight.getNested()) // C3
      return emitOpError("expected the name of a dense pmpd.weight, but got ")
             << name;
  }
  return success();
}
