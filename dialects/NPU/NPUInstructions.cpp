// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bytes, scratchpad accesses and costs of the instructions.
#include "dialects/NPU/NPU.h"
#include "pmpd/npu_layout.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pmpd::npu;

int64_t pmpd::npu::getAddress(Value buffer) {
  return *buffer.getDefiningOp<AllocOp>().getAt();
}

int pmpd::npu::getNumber(Value reg) {
  return reg ? *reg.getDefiningOp<RegOp>().getAt() : PMPD_NPU_R_ZERO;
}

int pmpd::npu::getSemaphore(Value semaphore) {
  return *semaphore.getDefiningOp<SemOp>().getAt();
}

/// An instruction that waits for nothing and posts nothing.
static pmpd_npu_instruction emptyInstruction() {
  pmpd_npu_instruction insn = {};
  insn.h.wait0 = insn.h.wait1 = PMPD_NPU_NO_SEMAPHORE;
  insn.h.post0 = insn.h.post1 = PMPD_NPU_NO_SEMAPHORE;
  return insn;
}

pmpd_npu_instruction pmpd::npu::encode(InstructionOpInterface op) {
  pmpd_npu_instruction insn = emptyInstruction();
  op.encodeOperands(insn);
  return insn;
}

pmpd_npu_instruction pmpd::npu::encodeLoop(LoopOp op, uint8_t level) {
  pmpd_npu_instruction insn = emptyInstruction();
  insn.h.op = PMPD_NPU_LOOP;
  insn.loop.level = level;
  insn.loop.creg = getNumber(op.getTimes());
  insn.loop.count = op.getCount().value_or(0);
  return insn;
}

pmpd_npu_instruction pmpd::npu::encodeLoopEnd(uint8_t level) {
  pmpd_npu_instruction insn = emptyInstruction();
  insn.h.op = PMPD_NPU_ENDL;
  insn.loop.level = level;
  return insn;
}

/// Sets what all headers have.
template <typename Op>
static void setHeader(Op op, uint8_t opcode, pmpd_npu_instruction &insn) {
  insn.h.op = opcode;
  uint8_t *waits[] = {&insn.h.wait0, &insn.h.wait1};
  uint8_t *posts[] = {&insn.h.post0, &insn.h.post1};
  for (auto [i, semaphore] : llvm::enumerate(op.getWaits()))
    *waits[i] = getSemaphore(semaphore);
  for (auto [i, semaphore] : llvm::enumerate(op.getPosts()))
    *posts[i] = getSemaphore(semaphore);
  insn.h.rows = getNumber(op.getRowsFrom());
}

static uint32_t local(Value buffer, int64_t offset = 0, Value reg = {}) {
  return PMPD_NPU_LOCAL(getNumber(reg), getAddress(buffer) + offset);
}

static uint8_t groupMode(int64_t group) {
  return (llvm::Log2_64(group) - 5) << 4;
}

//===----------------------------------------------------------------------===//
// Sequencer
//===----------------------------------------------------------------------===//

Unit NopOp::getExecutingUnit() { return getUnit(); }
void NopOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_NOP, insn);
  insn.h.mode = static_cast<uint8_t>(getUnit());
}
void NopOp::getAccesses(int64_t, SmallVectorImpl<Access> &) {}
Cost NopOp::getCost(int64_t) { return {}; }

Unit HaltOp::getExecutingUnit() { return Unit::Sequencer; }
void HaltOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_HALT, insn);
}
void HaltOp::getAccesses(int64_t, SmallVectorImpl<Access> &) {}
Cost HaltOp::getCost(int64_t) { return {}; }

Unit EvtOp::getExecutingUnit() { return Unit::Sequencer; }
void EvtOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_EVT, insn);
  insn.mark.value = getId();
}
void EvtOp::getAccesses(int64_t, SmallVectorImpl<Access> &) {}
Cost EvtOp::getCost(int64_t) { return {}; }

Unit FenceOp::getExecutingUnit() { return Unit::Sequencer; }
void FenceOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_FENCE, insn);
  insn.mark.value = getUnits();
}
void FenceOp::getAccesses(int64_t, SmallVectorImpl<Access> &) {}
Cost FenceOp::getCost(int64_t) { return {}; }

Unit SaluOp::getExecutingUnit() { return Unit::Sequencer; }
void SaluOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_SALU, insn);
  insn.salu.fn = static_cast<uint8_t>(getFn());
  insn.salu.rd = getNumber(getRd());
  insn.salu.ra = getNumber(getRa());
  insn.salu.rb = getNumber(getRb());
  insn.salu.imm = getImm();
}
void SaluOp::getAccesses(int64_t, SmallVectorImpl<Access> &) {}
Cost SaluOp::getCost(int64_t) { return {}; }

//===----------------------------------------------------------------------===//
// Transfers
//===----------------------------------------------------------------------===//

template <typename Op>
static void encodeTransfer(Op op, uint8_t opcode, pmpd_npu_instruction &insn) {
  setHeader(op, opcode, insn);
  insn.h.mode = static_cast<uint8_t>(op.getUnit());
  if (op.getRowsFrom())
    insn.h.flags = op.getLengthFromRows() ? PMPD_NPU_F_LEN : PMPD_NPU_F_CNT;
  insn.dma.breg = static_cast<uint8_t>(op.getBase());
  insn.dma.oreg = getNumber(op.getRemoteOffset());
  insn.dma.cnt1 = op.getCount();
  insn.dma.imm64 = op.getImm() / 64;
  insn.dma.local = local(op.getLocal(), op.getLocalImm(), op.getInOffset());
  insn.dma.len0 = op.getBytes();
  insn.dma.dstride64 = op.getRemoteStride() / 64;
  insn.dma.lstride = op.getLocalStride();
}

/// Rows and bytes of a row of one execution.
template <typename Op>
static std::pair<int64_t, int64_t> extentOf(Op op, int64_t rows) {
  if (!op.getRowsFrom())
    return {op.getCount(), op.getBytes()};
  return op.getLengthFromRows()
             ? std::pair<int64_t, int64_t>(op.getCount(), rows)
             : std::pair<int64_t, int64_t>(rows, op.getBytes());
}

template <typename Op>
static void accessTransfer(Op op, int64_t rows, bool write,
                           SmallVectorImpl<Access> &accesses) {
  auto [count, bytes] = extentOf(op, rows);
  if (count > 0 && bytes > 0)
    accesses.push_back(
        {op.getLocal(), op.getInOffset(),
         static_cast<int64_t>(op.getLocalImm()),
         (count - 1) * static_cast<int64_t>(op.getLocalStride()) + bytes,
         write});
}

Unit LdOp::getExecutingUnit() { return getUnit(); }
void LdOp::encodeOperands(pmpd_npu_instruction &insn) {
  encodeTransfer(*this, PMPD_NPU_LD, insn);
}
void LdOp::getAccesses(int64_t rows, SmallVectorImpl<Access> &accesses) {
  accessTransfer(*this, rows, /*write=*/true, accesses);
}
Cost LdOp::getCost(int64_t rows) {
  auto [count, bytes] = extentOf(*this, rows);
  return {count * bytes, 0};
}

Unit StOp::getExecutingUnit() { return getUnit(); }
void StOp::encodeOperands(pmpd_npu_instruction &insn) {
  encodeTransfer(*this, PMPD_NPU_ST, insn);
}
void StOp::getAccesses(int64_t rows, SmallVectorImpl<Access> &accesses) {
  accessTransfer(*this, rows, /*write=*/false, accesses);
}
Cost StOp::getCost(int64_t rows) {
  auto [count, bytes] = extentOf(*this, rows);
  return {count * bytes, 0};
}

//===----------------------------------------------------------------------===//
// Products and attention
//===----------------------------------------------------------------------===//

/// Bytes of the group scales of `cols` columns.
static int64_t scaleBytes(int64_t cols, int64_t group) {
  return cols / group * static_cast<int64_t>(sizeof(pmpd_npu_group_scale));
}

template <typename Op>
static void encodeProduct(Op op, uint8_t opcode, pmpd_npu_instruction &insn) {
  setHeader(op, opcode, insn);
  insn.h.flags = PMPD_NPU_F_AFFINE | (op.getAcc() ? PMPD_NPU_F_ACC : 0) |
                 (op.getAbits() == 16 ? PMPD_NPU_F_A16 : 0);
  insn.h.mode = op.getWbits() | groupMode(op.getGroup());
}

template <typename Op>
static void accessProduct(Op op, int64_t rows,
                          SmallVectorImpl<Access> &accesses) {
  if (rows < 1)
    return;
  int64_t weight = pmpd_npu_planes_bytes(op.getN(), op.getK(), op.getWbits()) +
                   pmpd_npu_metadata_bytes(op.getN(), op.getK(), op.getGroup(),
                                           PMPD_NPU_F_AFFINE, op.getWbits());
  int64_t bytes = op.getAbits() / 8;
  int64_t first = op.getFirstCol(), cols = op.getCols(), k = op.getK();
  accesses.push_back({op.getW(), op.getInOffset(), 0, weight, false});
  accesses.push_back(
      {op.getX(), {}, first * bytes, ((rows - 1) * cols + k) * bytes, false});
  accesses.push_back({op.getSx(),
                      {},
                      scaleBytes(first, op.getGroup()),
                      scaleBytes((rows - 1) * cols + k, op.getGroup()),
                      false});
  accesses.push_back({op.getDst(), op.getOutOffset(), 0,
                      ((rows - 1) * static_cast<int64_t>(op.getOutCols()) +
                       static_cast<int64_t>(op.getN())) *
                          4,
                      true});
}

Unit BpmvOp::getExecutingUnit() { return Unit::BitPlane; }
void BpmvOp::encodeOperands(pmpd_npu_instruction &insn) {
  encodeProduct(*this, PMPD_NPU_BPMV, insn);
  insn.h.rows = 0;
  insn.bpmv.w = local(getW(), 0, getInOffset());
  insn.bpmv.sw = local(
      getW(), pmpd_npu_planes_bytes(getN(), getK(), getWbits()), getInOffset());
  insn.bpmv.x = local(getX(), getFirstCol() * getAbits() / 8);
  insn.bpmv.sx = local(getSx(), scaleBytes(getFirstCol(), getGroup()));
  insn.bpmv.out = local(getDst(), 0, getOutOffset());
  insn.bpmv.N = getN();
  insn.bpmv.K = getK();
}
void BpmvOp::getAccesses(int64_t, SmallVectorImpl<Access> &accesses) {
  accessProduct(*this, 1, accesses);
}
Cost BpmvOp::getCost(int64_t) {
  return {0, static_cast<int64_t>(getN() * getK())};
}

Unit MmqOp::getExecutingUnit() { return Unit::Matrix; }
void MmqOp::encodeOperands(pmpd_npu_instruction &insn) {
  encodeProduct(*this, PMPD_NPU_MMQ, insn);
  insn.mmq.w = local(getW(), 0, getInOffset());
  insn.mmq.x = local(getX(), getFirstCol() * getAbits() / 8);
  insn.mmq.sx = local(getSx(), scaleBytes(getFirstCol(), getGroup()));
  insn.mmq.out = local(getDst(), 0, getOutOffset());
  insn.mmq.N = getN();
  insn.mmq.K = getK();
  insn.mmq.xcols32 = getCols() / 32;
  insn.mmq.ostride64 = getOutCols() * 4 / 64;
}
void MmqOp::getAccesses(int64_t rows, SmallVectorImpl<Access> &accesses) {
  accessProduct(*this, rows, accesses);
}
Cost MmqOp::getCost(int64_t rows) {
  return {0, static_cast<int64_t>(getN() * getK()) * rows};
}

Unit MmhOp::getExecutingUnit() { return Unit::Matrix; }
void MmhOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_MMH, insn);
  insn.mmh.w = local(getW(), 0, getInOffset());
  insn.mmh.x = local(getX());
  insn.mmh.out = local(getDst(), 0, getOutOffset());
  insn.mmh.N = getN();
  insn.mmh.K = getK();
  insn.mmh.xstride64 = getXStride() / 64;
  insn.mmh.ostride64 = getOutStride() / 64;
}
void MmhOp::getAccesses(int64_t rows, SmallVectorImpl<Access> &accesses) {
  int64_t n = getN(), k = getK();
  accesses.push_back({getW(), getInOffset(), 0,
                      static_cast<int64_t>(pmpd_npu_half_bytes(n, k)), false});
  accesses.push_back(
      {getX(), {}, 0, (rows - 1) * int64_t(getXStride()) + k * 2, false});
  accesses.push_back({getDst(), getOutOffset(), 0,
                      (rows - 1) * int64_t(getOutStride()) + n * 4, true});
}
Cost MmhOp::getCost(int64_t rows) {
  return {0, static_cast<int64_t>(getN() * getK()) * rows};
}

Unit AttOp::getExecutingUnit() { return Unit::Matrix; }
void AttOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_ATT, insn);
  insn.h.flags =
      (getFirst() ? PMPD_NPU_F_FIRST : 0) | (getLast() ? PMPD_NPU_F_LAST : 0);
  insn.h.mode = PMPD_NPU_KV_F16;
  insn.att.q = local(getQ(), 0, getOutOffset());
  insn.att.kv = local(getKv(), 0, getInOffset());
  insn.att.state = local(getState());
  insn.att.out = local(getDst(), 0, getOutOffset());
  insn.att.hd8 = getHeadDim() / 8;
  insn.att.nq = getQueries();
  insn.att.treg = getNumber(getSeen());
  insn.att.heads = getHeads();
  insn.att.scale = getScale().convertToFloat();
}
void AttOp::getAccesses(int64_t rows, SmallVectorImpl<Access> &accesses) {
  int64_t dim = getHeadDim(), queries = getQueries();
  int64_t rowBytes = getHeads() * dim * 4, bytes = queries * dim * 4;
  accesses.push_back(
      {getQ(), getOutOffset(), 0, (rows - 1) * rowBytes + bytes, false});
  if (!getFirst() && !getLast())
    accesses.push_back(
        {getKv(), getInOffset(), 0,
         static_cast<int64_t>(pmpd_npu_kv_tile_bytes(PMPD_NPU_KV_F16, dim)),
         false});
  accesses.push_back(
      {getState(),
       {},
       0,
       rows * queries *
           (static_cast<int64_t>(sizeof(pmpd_npu_att_state)) + dim * 4),
       true});
  if (getLast())
    accesses.push_back(
        {getDst(), getOutOffset(), 0, (rows - 1) * rowBytes + bytes, true});
}
Cost AttOp::getCost(int64_t rows) {
  return {0, rows * static_cast<int64_t>(2 * PMPD_NPU_ATT_TOKENS *
                                         getHeadDim() * getQueries())};
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

Unit QactOp::getExecutingUnit() { return Unit::Vector; }
void QactOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_QACT, insn);
  insn.h.flags = getAbits() == 16 ? PMPD_NPU_F_A16 : 0;
  insn.h.mode = groupMode(getGroup());
  insn.qact.x = local(getX(), 0, getInOffset());
  insn.qact.q = local(getQ());
  insn.qact.s = local(getSx());
  insn.qact.K = getCols();
  insn.qact.xstride64 = getCols() * 4 / 64;
}
void QactOp::getAccesses(int64_t rows, SmallVectorImpl<Access> &accesses) {
  int64_t elements = rows * getCols();
  accesses.push_back({getX(), getInOffset(), 0, elements * 4, false});
  accesses.push_back({getQ(), {}, 0, elements * getAbits() / 8, true});
  accesses.push_back({getSx(), {}, 0, scaleBytes(elements, getGroup()), true});
}
Cost QactOp::getCost(int64_t rows) {
  return {0, rows * static_cast<int64_t>(getCols())};
}

Unit NormOp::getExecutingUnit() { return Unit::Vector; }
void NormOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_NORM, insn);
  insn.h.mode = static_cast<uint8_t>(getKind());
  insn.norm.x = local(getX(), 0, getInOffset());
  insn.norm.w = local(getWeight());
  insn.norm.b = getBias() ? local(getBias()) : 0;
  insn.norm.out = local(getDst());
  insn.norm.D = getCols();
  insn.norm.eps = getEps().convertToFloat();
}
void NormOp::getAccesses(int64_t rows, SmallVectorImpl<Access> &accesses) {
  int64_t bytes = getCols() * 4;
  accesses.push_back({getX(), getInOffset(), 0, rows * bytes, false});
  accesses.push_back({getWeight(), {}, 0, bytes, false});
  if (getBias())
    accesses.push_back({getBias(), {}, 0, bytes, false});
  accesses.push_back({getDst(), {}, 0, rows * bytes, true});
}
Cost NormOp::getCost(int64_t rows) {
  return {0, rows * static_cast<int64_t>(getCols())};
}

Unit RopeOp::getExecutingUnit() { return Unit::Vector; }
void RopeOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_ROPE, insn);
  insn.h.mode = static_cast<uint8_t>(getStyle());
  insn.rope.x = insn.rope.out = local(getX());
  insn.rope.cs = local(getTable());
  insn.rope.heads = getHeads();
  insn.rope.hd8 = getHeadDim() / 8;
  insn.rope.n = getFrequencies();
  insn.rope.xstride64 = insn.rope.ostride64 =
      getHeads() * getHeadDim() * 4 / 64;
}
void RopeOp::getAccesses(int64_t rows, SmallVectorImpl<Access> &accesses) {
  int64_t bytes = getHeads() * getHeadDim() * 4;
  accesses.push_back({getX(), {}, 0, rows * bytes, true});
  accesses.push_back(
      {getTable(), {}, 0, rows * int64_t(getFrequencies()) * 8, false});
}
Cost RopeOp::getCost(int64_t rows) {
  return {0, rows * static_cast<int64_t>(getHeads() * getHeadDim())};
}

Unit EltOp::getExecutingUnit() { return Unit::Vector; }
void EltOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_ELT, insn);
  insn.h.mode = static_cast<uint8_t>(getFn());
  insn.elt.a = local(getA());
  insn.elt.b = getB() ? local(getB()) : 0;
  insn.elt.out = local(getDst());
  insn.elt.n = getCols();
  bool scales = getFn() == EltFn::Scale || getFn() == EltFn::Cvt32;
  insn.elt.imm = scales ? getScale().convertToFloat() : 0;
  insn.elt.astride64 = getCols() * (getFn() == EltFn::Cvt32 ? 2 : 4) / 64;
  insn.elt.ostride64 = getCols() * (getFn() == EltFn::Cvt16 ? 2 : 4) / 64;
}
void EltOp::getAccesses(int64_t rows, SmallVectorImpl<Access> &accesses) {
  int64_t elements = rows * getCols();
  accesses.push_back(
      {getA(), {}, 0, elements * (getFn() == EltFn::Cvt32 ? 2 : 4), false});
  if (getB())
    accesses.push_back({getB(), {}, 0, elements * 4, false});
  accesses.push_back(
      {getDst(), {}, 0, elements * (getFn() == EltFn::Cvt16 ? 2 : 4), true});
}
Cost EltOp::getCost(int64_t rows) {
  return {0, rows * static_cast<int64_t>(getCols())};
}

Unit RedOp::getExecutingUnit() { return Unit::Vector; }
void RedOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_RED, insn);
  insn.red.x = local(getX(), 0, getInOffset());
  insn.red.out = local(getDst());
  insn.red.n = getCols();
  insn.red.rd = getNumber(getRd());
}
void RedOp::getAccesses(int64_t, SmallVectorImpl<Access> &accesses) {
  accesses.push_back(
      {getX(), getInOffset(), 0, static_cast<int64_t>(getCols()) * 4, false});
  accesses.push_back({getDst(), {}, 0, 4, true});
}
Cost RedOp::getCost(int64_t) { return {0, static_cast<int64_t>(getCols())}; }

Unit KvqOp::getExecutingUnit() { return Unit::Vector; }
void KvqOp::encodeOperands(pmpd_npu_instruction &insn) {
  setHeader(*this, PMPD_NPU_KVQ, insn);
  insn.h.mode = PMPD_NPU_KV_F16;
  insn.kvq.x = local(getX());
  insn.kvq.out = local(getDst());
  insn.kvq.heads = getHeads();
  insn.kvq.hd = getHeadDim();
  insn.kvq.xstride64 = getHeads() * getHeadDim() * 4 / 64;
}
void KvqOp::getAccesses(int64_t rows, SmallVectorImpl<Access> &accesses) {
  int64_t elements = rows * getHeads() * getHeadDim();
  accesses.push_back({getX(), {}, 0, elements * 4, false});
  accesses.push_back({getDst(), {}, 0, elements * 2, true});
}
Cost KvqOp::getCost(int64_t rows) {
  return {0, rows * static_cast<int64_t>(getHeads() * getHeadDim())};
}
