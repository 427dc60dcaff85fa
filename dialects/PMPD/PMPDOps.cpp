// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The ops of the decoder and of its lowered form.
#include "dialects/PMPD/PMPD.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace pmpd;

/// Numbers with all their digits: what an array attribute prints is not what
/// it holds.
static void printNumbers(OpAsmPrinter &printer, Operation *,
                         DenseF64ArrayAttr numbers) {
  printer << '[';
  llvm::interleaveComma(numbers.asArrayRef(), printer, [&](double number) {
    printer.printFloat(llvm::APFloat(number));
  });
  printer << ']';
}

static ParseResult parseNumbers(OpAsmParser &parser,
                                DenseF64ArrayAttr &numbers) {
  SmallVector<double> values;
  auto parseNumber = [&] { return parser.parseFloat(values.emplace_back()); };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square,
                                     parseNumber))
    return failure();
  numbers = parser.getBuilder().getDenseF64ArrayAttr(values);
  return success();
}

#define GET_OP_CLASSES
#include "dialects/PMPD/PMPDOps.cpp.inc"

static int64_t getColumns(Value value) {
  if (auto rows = dyn_cast<QuantizedRowsType>(value.getType()))
    return rows.getCols();
  return cast<RankedTensorType>(value.getType()).getShape().back();
}

/// The dense weight of `rank` with `cols` columns that `name` must be.
static FailureOr<WeightOp> findDense(Operation *op,
                                     SymbolTableCollection &symbols,
                                     FlatSymbolRefAttr name, int64_t rank,
                                     int64_t cols) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(op, name);
  auto type = weight ? dyn_cast<RankedTensorType>(weight.getType())
                     : RankedTensorType();
  if (!type || type.getRank() != rank || weight.getCols() != cols)
    return op->emitOpError("expected ")
           << name << " to be a dense weight of rank " << rank << " with "
           << cols << " columns";
  return weight;
}

LogicalResult EmbedOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return findDense(*this, symbols, getTableAttr(), 2,
                   getColumns(getResult())); // C1, C2
}

LogicalResult AddPositionOp::verifySymbolUses(SymbolTableCollection &symbols) {
  FailureOr<WeightOp> table = findDense(*this, symbols, getTableAttr(), 2,
                                        getColumns(getInput())); // C1
  if (failed(table))
    return failure();
  int64_t context = cast<ModelOp>((*table)->getParentOp()).getContext();
  if (static_cast<int64_t>(getOffset()) + context > table->getRows()) // C2
    return emitOpError("expected a table of at least ")
           << getOffset() + context << " rows, but got " << table->getRows();
  return success();
}

/// C2 of the normalizations.
static LogicalResult verifyEps(Operation *op, const APFloat &eps) {
  if (eps.isNegative() || !eps.isNormal())
    return op->emitOpError("expected a positive eps");
  return success();
}

LogicalResult RmsNormOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weight =
      symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  int64_t cols = getColumns(getInput());
  int64_t head = weight && weight.getCols() > 0 ? weight.getCols() : cols;
  if (failed(findDense(*this, symbols, getWeightAttr(), 1,
                       cols % head == 0 ? head : cols))) // C1
    return failure();
  return verifyEps(*this, getEps());
}

LogicalResult LayerNormOp::verifySymbolUses(SymbolTableCollection &symbols) {
  for (FlatSymbolRefAttr name : {getWeightAttr(), getBiasAttr()}) // C1
    if (failed(findDense(*this, symbols, name, 1, getColumns(getInput()))))
      return failure();
  return verifyEps(*this, getEps());
}

LogicalResult QuantizeRowsOp::verify() {
  if (getColumns(getInput()) != getResult().getType().getCols()) // C1
    return emitOpError("expected a result of ")
           << getColumns(getInput()) << " columns, but got "
           << getResult().getType().getCols();
  return success();
}

LogicalResult LinearOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weight =
      symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  auto dense = weight ? dyn_cast<RankedTensorType>(weight.getType())
                      : RankedTensorType();
  if (!weight || (dense && dense.getRank() != 2) ||
      weight.getCols() != getColumns(getInput())) // C1
    return emitOpError("expected ")
           << getWeightAttr() << " to be a weight of rank 2 with "
           << getColumns(getInput()) << " columns";
  if (getColumns(getResult()) != weight.getRows()) // C2
    return emitOpError("expected a result of ")
           << weight.getRows() << " columns, but got "
           << getColumns(getResult());
  if (getBiasAttr() && failed(findDense(*this, symbols, getBiasAttr(), 1,
                                        weight.getRows()))) // C3
    return failure();
  NestedType nested = weight.getNested();
  if (getBits() && (!nested || nested.getPrefixIndex(*getBits()) < 0)) // C4
    return emitOpError("expected bits that ")
           << getWeightAttr() << " can be read at, but got " << *getBits();
  if (auto rows = dyn_cast<QuantizedRowsType>(getInput().getType()))
    if (!nested || nested.getGroup() != rows.getGroup()) // C5
      return emitOpError("expected a nested weight of group ")
             << rows.getGroup() << " for quantized rows";
  return success();
}

LogicalResult RopeOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto table =
      symbols.lookupNearestSymbolFrom<RopeTableOp>(*this, getTableAttr());
  if (!table) // C1
    return emitOpError("expected the name of a pmpd.rope_table, but got ")
           << getTableAttr();
  int64_t cols = getColumns(getInput()), heads = getHeads();
  int64_t rotary = 2 * table.getInvFreq().size();
  if (heads <= 0 || cols % heads != 0 || cols / heads < rotary) // C2
    return emitOpError("expected heads that divide ")
           << cols << " columns with at least " << rotary
           << " elements each, but got " << heads;
  return success();
}

/// C1 and C2 of the ops on the KV cache.
static LogicalResult verifyCache(Operation *op, Value rows, int64_t layer,
                                 int64_t (*heads)(ModelOp)) {
  auto model = op->getParentOfType<ModelOp>();
  if (!model)
    return op->emitOpError("expected to be in a pmpd.model");
  int64_t cols = heads(model) * model.getHeadDim();
  if (getColumns(rows) != cols) // C1
    return op->emitOpError("expected ")
           << cols << " columns, but got " << getColumns(rows);
  if (layer < 0 || layer >= static_cast<int64_t>(model.getLayers())) // C2
    return op->emitOpError("expected a layer below ")
           << model.getLayers() << ", but got " << layer;
  return success();
}

LogicalResult KVAppendOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyCache(*this, getKeys(), getLayer(),
                     [](ModelOp m) { return int64_t(m.getKvHeads()); });
}

LogicalResult AttentionOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (failed(verifyCache(*this, getQuery(), getLayer(),
                         [](ModelOp m) { return int64_t(m.getHeads()); })))
    return failure();
  if (getWindow() && static_cast<int64_t>(*getWindow()) <= 0) // C3
    return emitOpError("expected a positive window, but got ") << *getWindow();
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // Kernels live beside the model, so that its regions share them.
  auto kernel = symbols.lookupNearestSymbolFrom<FunctionOpInterface>(
      (*this)->getParentOfType<ModelOp>()->getParentOp(), getKernelAttr());
  if (!kernel) // C1
    return emitOpError("expected the name of a function, but got ")
           << getKernelAttr();
  unsigned pointers = 0;
  ArrayRef<Type> inputs = kernel.getArgumentTypes();
  while (pointers < inputs.size() &&
         isa<BaseMemRefType, LLVM::LLVMPointerType>(inputs[pointers]))
    ++pointers;
  ArrayRef<Type> scalars = inputs.drop_front(pointers);
  bool onDevice = isa<gpu::GPUModuleOp>(kernel->getParentOp());
  bool valid =
      onDevice ? scalars.empty() && pointers-- > 0
               : scalars.size() == 4 && llvm::all_of(scalars, [](Type type) {
                   return type.isIndex() || type.isInteger(64);
                 });
  if (!valid || pointers != getAddresses().size()) // C2
    return emitOpError("expected a kernel of ")
           << getAddresses().size() << " buffers and "
           << (onDevice ? "one more pointer" : "4 index values") << ", but "
           << getKernelAttr() << " is " << kernel.getFunctionType();
  int64_t tasks = getTasks(), rowTile = getRowTile().value_or(1);
  if (getAddresses().size() > 16 || tasks < 1 || rowTile < 1) // C3
    return emitOpError("expected at most 16 addresses, at least 1 task and a "
                       "row tile of at least 1, but got ")
           << getAddresses().size() << ", " << tasks << " and " << rowTile;
  return success();
}
