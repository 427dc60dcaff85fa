// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Structure, resources and what is checked of every op.
#include "dialects/NPU/NPU.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace pmpd::npu;

#include "dialects/NPU/NPUInterfaces.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/NPU/NPUOps.cpp.inc"

LogicalResult ProgramOp::verify() {
  if (getWbits() < 2 || getWbits() > 4) // C1
    return emitOpError("expected wbits of 2 to 4, but got ") << getWbits();
  if (static_cast<int64_t>(getMaxRows()) < 1 ||
      (getPhase() == pmpd::Phase::Decode && getMaxRows() != 1)) // C2
    return emitOpError("expected max_rows of at least 1, and 1 for decode, "
                       "but got ")
           << static_cast<int64_t>(getMaxRows());
  llvm::DenseSet<int32_t> semaphores;
  for (auto op : getBody()->getOps<SemOp>()) // C3
    if (op.getAt() && !semaphores.insert(*op.getAt()).second)
      return op.emitOpError("expected a number that is not taken, but got ")
             << *op.getAt();
  return success();
}

BufType pmpd::npu::rowsType(MLIRContext *context, int64_t bytes, int64_t rows) {
  constexpr int64_t Line = 64;
  return BufType::get(context, Space::Scratchpad,
                      llvm::alignTo(bytes * rows, Line), Line);
}

Value pmpd::npu::allocate(ImplicitLocOpBuilder &builder, int64_t bytes) {
  return AllocOp::create(builder, rowsType(builder.getContext(), bytes, 1),
                         IntegerAttr(), IntegerAttr(), IntegerAttr());
}

Value pmpd::npu::allocateRows(ImplicitLocOpBuilder &builder, int64_t bytes,
                              int64_t rows) {
  return AllocOp::create(builder, rowsType(builder.getContext(), bytes, rows),
                         IntegerAttr(), builder.getI64IntegerAttr(bytes),
                         IntegerAttr());
}

LogicalResult AllocOp::verify() {
  BufType type = getResult().getType();
  if (getAt() && (static_cast<int64_t>(*getAt()) < 0 ||
                  *getAt() % type.getAlign() != 0)) // C1
    return emitOpError("expected an address that is a multiple of ")
           << type.getAlign() << ", but got " << static_cast<int64_t>(*getAt());
  if (getSlots() && *getSlots() != 0 &&
      type.getBytes() % *getSlots() != 0) // C2
    return emitOpError("expected slots that divide ")
           << type.getBytes() << " bytes, but got " << *getSlots();
  auto perRow = static_cast<int64_t>(getPerRow().value_or(1));
  if (perRow < 1 || perRow > type.getBytes()) // C3
    return emitOpError("expected 1 to ")
           << type.getBytes() << " bytes per row, but got " << perRow;
  return success();
}

LogicalResult RegOp::verify() {
  if (!getAt())
    return success();
  int32_t at = *getAt();
  if (at <= PMPD_NPU_R_ZERO || at >= PMPD_NPU_REGISTERS) // C1
    return emitOpError("expected a register from 1 to ")
           << PMPD_NPU_REGISTERS - 1 << ", but got " << at;
  if (getRole() && static_cast<int32_t>(*getRole()) != at) // C2
    return emitOpError("expected register ") << static_cast<int32_t>(*getRole())
                                             << " for its role, but got " << at;
  return success();
}

LogicalResult SemOp::verify() {
  if (getAt() && static_cast<uint32_t>(*getAt()) >= PMPD_NPU_SEMAPHORES) // C1
    return emitOpError("expected a semaphore from 0 to ")
           << PMPD_NPU_SEMAPHORES - 1 << ", but got " << *getAt();
  return success();
}

void LoopOp::build(OpBuilder &builder, OperationState &state, int64_t count) {
  state.addAttribute(getCountAttrName(state.name),
                     builder.getI64IntegerAttr(count));
  state.addRegion()->emplaceBlock();
}

void LoopOp::build(OpBuilder &builder, OperationState &state, Value times) {
  state.addOperands(times);
  state.addRegion()->emplaceBlock();
}

LogicalResult LoopOp::verify() {
  if (static_cast<bool>(getTimes()) == getCount().has_value() ||
      (getCount() && static_cast<int64_t>(*getCount()) < 1)) // C1
    return emitOpError("expected either a register or a positive count");
  int levels = 1;
  for (Operation *op = getOperation(); (op = op->getParentOp());)
    levels += isa<LoopOp>(op);
  if (levels > PMPD_NPU_LOOP_LEVELS) // C2
    return emitOpError("expected at most ")
           << int(PMPD_NPU_LOOP_LEVELS) << " loops inside each other, but got "
           << levels;
  if (getBody()->empty()) // C3
    return emitOpError("expected a body that is not empty");
  return success();
}

/// C1 and C2 of all instructions; `counts` must be from 1 to `most`.
template <typename Op>
static LogicalResult verifyCommon(
    Op op, std::initializer_list<std::pair<const char *, int64_t>> counts = {},
    int64_t most = UINT16_MAX) {
  if (op.getWaits().size() > 2 || op.getPosts().size() > 2) // C1
    return op.emitOpError("expected at most two semaphores to wait for and two "
                          "to post, but got ")
           << op.getWaits().size() << " and " << op.getPosts().size();
  for (auto [name, value] : counts) // C2
    if (value < 1 || value > most)
      return op.emitOpError("expected ")
             << name << " from 1 to " << most << ", but got " << value;
  return success();
}

LogicalResult NopOp::verify() { return verifyCommon(*this); }
LogicalResult HaltOp::verify() { return verifyCommon(*this); }
LogicalResult EvtOp::verify() { return verifyCommon(*this); }
LogicalResult FenceOp::verify() { return verifyCommon(*this); }

LogicalResult SaluOp::verify() {
  if (failed(verifyCommon(*this)))
    return failure();
  if (getFn() == SaluFn::Mov && getRa()) // C3
    return emitOpError("expected no x for mov");
  if ((getFn() == SaluFn::CeilDiv || getFn() == SaluFn::Rem) && !getRb() &&
      getImm() == 0) // C4
    return emitOpError("expected a divisor that is not 0");
  return success();
}

template <typename Op> static LogicalResult verifyTransfer(Op op) {
  int64_t count = op.getCount(), bytes = op.getBytes();
  if (failed(verifyCommon(op, {{"count", count}})) ||
      failed(verifyCommon(op, {{"bytes", bytes}}, UINT32_MAX)))
    return failure();
  int64_t end = op.getLocalImm() + (count - 1) * op.getLocalStride() + bytes;
  int64_t size = op.getLocal().getType().getBytes();
  if (static_cast<int64_t>(op.getLocalImm()) < 0 || end > size) // C3
    return op.emitOpError("expected a transfer within the ")
           << size << " bytes of the buffer, but it ends at " << end;
  if (op.getImm() % 64 != 0 || op.getRemoteStride() % 64 != 0) // C4
    return op.emitOpError("expected imm and remote_stride to be multiples of "
                          "64, but got ")
           << static_cast<int64_t>(op.getImm()) << " and "
           << static_cast<int64_t>(op.getRemoteStride());
  if (op.getUnit() < Unit::WeightDMA || op.getUnit() > Unit::StoreDMA) // C5
    return op.emitOpError("expected a DMA queue, but got ")
           << stringifyUnit(op.getUnit());
  return success();
}
LogicalResult LdOp::verify() { return verifyTransfer(*this); }
LogicalResult StOp::verify() { return verifyTransfer(*this); }

static bool isGroup(int64_t group, int64_t cols) {
  return group >= 32 && group <= 4096 && llvm::isPowerOf2_64(group) &&
         cols % group == 0;
}

LogicalResult QactOp::verify() {
  if (failed(verifyCommon(*this, {{"cols", getCols()}})))
    return failure();
  if ((getAbits() != 8 && getAbits() != 16) ||
      !isGroup(getGroup(), getCols())) // C3
    return emitOpError("expected 8 or 16 bits and a group of a power of two "
                       "that divides the columns, but got ")
           << getAbits() << " and " << getGroup();
  return success();
}

template <typename Op> static LogicalResult verifyProduct(Op op) {
  if (failed(verifyCommon(op, {{"n", op.getN()}, {"k", op.getK()}})))
    return failure();
  if (!isGroup(op.getGroup(), op.getK())) // C3
    return op.emitOpError("expected columns in groups of a power of two, but "
                          "got ")
           << op.getK() << " in groups of " << op.getGroup();
  if (op.getWbits() < 2 || op.getWbits() > 4 ||
      (op.getAbits() != 8 && op.getAbits() != 16)) // C4
    return op.emitOpError("expected weights of 2 to 4 bits and activations of "
                          "8 or 16, but got ")
           << op.getWbits() << " and " << op.getAbits();
  if (op.getFirstCol() % op.getGroup() != 0) // C5
    return op.emitOpError("expected columns from the start of a group, but "
                          "got ")
           << op.getFirstCol();
  return success();
}
LogicalResult BpmvOp::verify() { return verifyProduct(*this); }
LogicalResult MmqOp::verify() { return verifyProduct(*this); }

LogicalResult MmhOp::verify() {
  return verifyCommon(*this, {{"n", getN()}, {"k", getK()}});
}
/// Heads and their dimension, in units of 8, have a byte each.
template <typename Op> static LogicalResult verifyHeads(Op op) {
  if (failed(verifyCommon(op, {{"heads", op.getHeads()}}, UINT8_MAX)) ||
      failed(verifyCommon(op, {{"head_dim", op.getHeadDim()}}, UINT8_MAX * 8)))
    return failure();
  if (op.getHeadDim() % 8 != 0)
    return op.emitOpError("expected a head_dim that is a multiple of 8, but "
                          "got ")
           << op.getHeadDim();
  return success();
}

LogicalResult AttOp::verify() {
  if (failed(verifyHeads(*this)))
    return failure();
  return verifyCommon(*this, {{"queries", getQueries()}}, getHeads());
}
LogicalResult NormOp::verify() {
  if (failed(verifyCommon(*this, {{"cols", getCols()}})))
    return failure();
  if ((getKind() == NormKind::Layer) != static_cast<bool>(getBias())) // C3
    return emitOpError("expected a bias for a layer normalization only");
  return success();
}
LogicalResult RopeOp::verify() {
  if (failed(verifyHeads(*this)))
    return failure();
  return verifyCommon(*this, {{"frequencies", getFrequencies()}},
                      getHeadDim() / 2);
}
LogicalResult EltOp::verify() {
  if (failed(verifyCommon(*this, {{"cols", getCols()}}, UINT32_MAX)))
    return failure();
  bool binary = getFn() == EltFn::Add || getFn() == EltFn::Sub ||
                getFn() == EltFn::Mul || getFn() == EltFn::SiluMul;
  if (binary != static_cast<bool>(getB())) // C3
    return emitOpError("expected a second operand for functions of two only");
  return success();
}
LogicalResult RedOp::verify() {
  return verifyCommon(*this, {{"cols", getCols()}}, UINT32_MAX);
}
LogicalResult KvqOp::verify() {
  return verifyCommon(*this,
                      {{"heads", getHeads()}, {"head_dim", getHeadDim()}});
}

LogicalResult LinearOp::verify() {
  if (!isGroup(getGroup(), getCols())) // C1
    return emitOpError("expected columns in groups of a power of two, but got ")
           << getCols() << " in groups of " << getGroup();
  if (!llvm::is_contained(getPrefixes(),
                          static_cast<int32_t>(getWbits()))) // C2
    return emitOpError("expected wbits that the weight can be read at, but "
                       "got ")
           << getWbits();
  return success();
}
