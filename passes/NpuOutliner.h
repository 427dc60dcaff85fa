// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_NPUOUTLINER_H
#define PASSES_NPUOUTLINER_H

#include "dialects/NPU/NPU.h"
#include "passes/NpuLayers.h"

namespace pmpd {

/// A value in the scratchpad.
struct Placed {
  mlir::Value buffer;
  mlir::Value scales; // of quantized rows
  mlir::Value rows;   // register with the number of rows, null for one
  mlir::Value offset; // register with where the first of them is, or null
};

/// Makes the program of one region.
class NpuOutliner {
public:
  NpuOutliner(ModelOp model, RegionOp region)
      : model(model), region(region), b(region.getLoc(), region) {}

  mlir::LogicalResult run();

private:
  mlir::LogicalResult emit(llvm::ArrayRef<mlir::Operation *> ops);
  mlir::LogicalResult emitLayers(llvm::ArrayRef<mlir::Operation *> ops);
  mlir::LogicalResult emit(mlir::Operation *op);
  mlir::LogicalResult embed(EmbedOp op);
  mlir::LogicalResult addPosition(AddPositionOp op);
  mlir::LogicalResult normalize(mlir::Operation *op, npu::NormKind kind,
                                mlir::FlatSymbolRefAttr weight,
                                mlir::FlatSymbolRefAttr bias, float eps);
  mlir::FailureOr<mlir::Value>
  loadVector(mlir::Operation *op, mlir::FlatSymbolRefAttr name, int64_t cols);
  mlir::Value loadPositions(int64_t at, int64_t rowBytes);
  mlir::Value widen(mlir::Value stored, bool half, float scale, int64_t cols,
                    mlir::Value count);
  mlir::LogicalResult linear(LinearOp op);
  mlir::LogicalResult rotate(RopeOp op);
  mlir::LogicalResult append(KVAppendOp op);
  mlir::LogicalResult attend(AttentionOp op);
  mlir::LogicalResult activate(ActivateOp op);
  void quantize(QuantizeRowsOp op);
  mlir::LogicalResult combine(mlir::Operation *op, npu::EltFn fn);
  void selectLast(SelectLastOp op);
  mlir::LogicalResult loadRopeTables();

  bool isDecode() { return region.getPhase() == Phase::Decode; }
  int64_t columns(mlir::Value value) {
    return llvm::cast<mlir::RankedTensorType>(value.getType())
        .getShape()
        .back();
  }
  mlir::Value alloc(int64_t bytes) { return npu::allocate(b, bytes); }
  /// A buffer of so many bytes for each row of a call.
  mlir::Value allocRows(int64_t bytes) {
    return npu::allocateRows(b, bytes, maxRows);
  }
  mlir::Value reg(std::optional<npu::Role> role = {}) {
    return npu::RegOp::create(b, npu::RegType::get(b.getContext()),
                              role ? npu::RoleAttr::get(b.getContext(), *role)
                                   : npu::RoleAttr(),
                              mlir::IntegerAttr());
  }
  void salu(npu::SaluFn fn, mlir::Value rd, mlir::Value x, mlir::Value y,
            int64_t imm) {
    npu::SaluOp::create(b, fn, rd, x, y, imm, mlir::Value(), mlir::Value(),
                        mlir::Value(), mlir::ValueRange(), mlir::ValueRange());
  }
  /// Loads `bytes`, or as many as the register `length` says.
  void load(npu::Unit unit, mlir::Value buffer, npu::Base base,
            mlir::Value offset, int64_t imm, int64_t bytes, mlir::Value in = {},
            mlir::Value length = {}) {
    npu::LdOp::create(b, buffer, base, offset, imm, 1, bytes, 0, 0, 0,
                      static_cast<bool>(length), unit, in, mlir::Value(),
                      length, mlir::ValueRange(), mlir::ValueRange());
  }
  /// Where the bytes of a weight or table are, or a diagnostic on `op`.
  mlir::FailureOr<int64_t> placeOf(mlir::Operation *op,
                                   mlir::FlatSymbolRefAttr name);
  /// A table of f16 or f32 rows that are as wide as what `op` makes of them.
  struct Table {
    int64_t at, cols;
    bool half;
    int64_t rowBytes;
  };
  mlir::FailureOr<Table> tableOf(mlir::Operation *op,
                                 mlir::FlatSymbolRefAttr name);
  /// The buffer of a result; that of the layers' input for their output, and
  /// for what may take its place before.
  mlir::Value resultBuffer(mlir::Value result) {
    return layers.count > 0 &&
                   (result == layers.output || result == layers.middle)
               ? values[layers.input].buffer
               : allocRows(columns(result) * 4);
  }
  Placed like(mlir::Value operand, mlir::Value buffer) {
    Placed placed = values[operand];
    placed.buffer = buffer;
    placed.offset = mlir::Value();
    return placed;
  }

  ModelOp model;
  RegionOp region;
  mlir::ImplicitLocOpBuilder b;
  npu::ProgramOp program;
  int64_t maxRows = 1;
  mlir::Value tokens, position, rows,
      logitRows;                     // registers; the last two or null
  mlir::Value layerWeights, layerKV; // registers in the layers' loop
  Layers layers;                     // those that become a loop
  llvm::DenseMap<mlir::Value, Placed> values;
  llvm::DenseMap<mlir::Attribute, mlir::Value>
      ropeTables; // rows from the position on
};

} // namespace pmpd

#endif // PASSES_NPUOUTLINER_H
