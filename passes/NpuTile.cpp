// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/NPU/NPU.h"
#include "passes/Passes.h"
#include "pmpd/npu_layout.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_NPUTILE
#include "passes/Passes.h.inc"

namespace {
using npu::Base;
using npu::SaluFn;
using npu::Unit;

/// A weight cut into tiles: `blocks` blocks of 64 rows each, all of whose
/// columns are taken in `chunks` steps.
struct Tiling {
  int64_t blocks;
  SmallVector<int64_t> chunks; // columns of each
};

/// Bytes of a tile of the weight at `bits`, with its metadata.
int64_t tileBytes(npu::LinearOp op, int64_t rows, int64_t cols, int64_t bits) {
  return pmpd_npu_planes_bytes(rows, cols, bits) +
         pmpd_npu_metadata_bytes(rows, cols, op.getGroup(), PMPD_NPU_F_AFFINE,
                                 bits);
}

/// The largest tiles whose planes take at most `limit` bytes at the weight's
/// own bits, so that all precisions are cut alike.
Tiling tile(npu::LinearOp op, int64_t limit) {
  int64_t cols = op.getCols(), group = op.getGroup(), bits = op.getBits();
  int64_t groups = cols / group;
  int64_t groupBytes = pmpd_npu_planes_bytes(PMPD_NPU_ROW_BLOCK, group, bits);
  int64_t most = std::clamp<int64_t>(limit / groupBytes, 1, groups);
  int64_t steps = llvm::divideCeil(groups, most);
  Tiling tiling = {1, {}};
  for (int64_t i = 0; i < steps; ++i)
    tiling.chunks.push_back(((i + 1) * groups / steps - i * groups / steps) *
                            group);
  // Blocks side by side where all columns fit, in a number that leaves none.
  int64_t blocks = op.getRows() / PMPD_NPU_ROW_BLOCK;
  if (steps == 1)
    for (int64_t n = 2; n <= blocks; ++n)
      if (blocks % n == 0 && n * groups * groupBytes <= limit)
        tiling.blocks = n;
  return tiling;
}

class Tiler {
public:
  Tiler(npu::ProgramOp program, int64_t limit)
      : program(program), limit(limit), b(program.getLoc(), program) {}

  void run();

private:
  void lower(npu::LinearOp op);
  void lower(npu::AttentionOp op);
  /// Tiles of `rows` rows of `op` from where the registers point.
  void emitTile(npu::LinearOp op, const Tiling &tiling, int64_t rows);
  void storeLogits(npu::LinearOp op, int64_t cols, int64_t localStride);

  /// A ring, of a number of slots that is left open.
  Value allocRing(int64_t bytes) {
    Value ring = npu::allocate(b, bytes);
    ring.getDefiningOp<npu::AllocOp>().setSlots(0);
    return ring;
  }
  Value allocRows(int64_t bytes) {
    return npu::allocateRows(b, bytes, program.getMaxRows());
  }
  Value reg() {
    return npu::RegOp::create(b, npu::RegType::get(b.getContext()),
                              npu::RoleAttr(), IntegerAttr());
  }
  void salu(SaluFn fn, Value rd, Value x, Value y, int64_t imm) {
    npu::SaluOp::create(b, fn, rd, x, y, imm, Value(), Value(), Value(),
                        ValueRange(), ValueRange());
  }
  void token(npu::Credit step, Value ring, Unit unit) {
    npu::TokenOp::create(b, step, ring, unit);
  }

  npu::ProgramOp program;
  int64_t limit; // bytes of a tile
  ImplicitLocOpBuilder b;
  Value weights, cache;             // rings
  Value planes, metadata, out, dst; // registers and target of a product
};

void Tiler::run() {
  SmallVector<npu::LinearOp> linears;
  SmallVector<npu::AttentionOp> attentions;
  int64_t largest = 0;
  program.walk([&](npu::LinearOp op) {
    linears.push_back(op);
    Tiling tiling = tile(op, limit);
    largest =
        std::max(largest, tileBytes(op, tiling.blocks * PMPD_NPU_ROW_BLOCK,
                                    tiling.chunks.back(), op.getBits()));
  });
  program.walk([&](npu::AttentionOp op) { attentions.push_back(op); });
  b.setInsertionPointToStart(program.getBody());
  if (!linears.empty())
    weights = allocRing(largest);
  if (!attentions.empty())
    cache = allocRing(pmpd_npu_kv_tile_bytes(PMPD_NPU_KV_F16,
                                             attentions.front().getHeadDim()));
  for (npu::LinearOp op : linears)
    lower(op);
  for (npu::AttentionOp op : attentions)
    lower(op);
}

void Tiler::emitTile(npu::LinearOp op, const Tiling &tiling, int64_t rows) {
  bool decode = program.getPhase() == Phase::Decode;
  Unit unit = decode ? Unit::BitPlane : Unit::Matrix;
  int64_t bits = op.getWbits(), group = op.getGroup();
  int64_t tileRows = llvm::alignTo(rows, PMPD_NPU_ROW_BLOCK);
  auto prefix = llvm::find(op.getPrefixes(), bits) - op.getPrefixes().begin();
  int64_t plane = pmpd_npu_plane_bytes(op.getRows(), op.getCols());
  int64_t table = pmpd_npu_metadata_bytes(op.getRows(), op.getCols(), group,
                                          PMPD_NPU_F_AFFINE, op.getBits());
  int64_t firstPlane = op.getImm();
  int64_t firstTable = firstPlane + op.getBits() * plane + prefix * table;
  int64_t col = 0;
  for (int64_t cols : tiling.chunks) {
    int64_t planeBytes = pmpd_npu_plane_bytes(tileRows, cols);
    int64_t tableBytes =
        pmpd_npu_metadata_bytes(tileRows, cols, group, PMPD_NPU_F_AFFINE, bits);
    auto load = [&](Value offset, int64_t imm, int64_t count, int64_t bytes,
                    int64_t stride, int64_t local) {
      npu::LdOp::create(b, weights, Base::Weights, offset, imm, count, bytes,
                        stride, bytes, local, false, Unit::WeightDMA, Value(),
                        Value(), Value(), ValueRange(), ValueRange());
    };
    token(npu::Credit::Acquire, weights, Unit::WeightDMA);
    // A chunk is part of one block, or all columns of several.
    load(planes, firstPlane + pmpd_npu_plane_bytes(PMPD_NPU_ROW_BLOCK, col),
         bits, planeBytes, plane, 0);
    load(metadata,
         firstTable + pmpd_npu_metadata_bytes(PMPD_NPU_ROW_BLOCK, col, group,
                                              PMPD_NPU_F_AFFINE, bits),
         1, tableBytes, 0, bits * planeBytes);
    token(npu::Credit::Publish, weights, Unit::WeightDMA);
    token(npu::Credit::Consume, weights, unit);
    bool accumulate = col > 0 || op.getAcc();
    int64_t outCols = op.getDst() ? static_cast<int64_t>(op.getRows())
                                  : tiling.blocks * PMPD_NPU_ROW_BLOCK;
    Value at = op.getDst() ? out : Value();
    if (decode)
      npu::BpmvOp::create(b, weights, op.getQ(), op.getSx(), dst, rows, cols,
                          bits, op.getAbits(), group, col, op.getCols(),
                          outCols, accumulate, Value(), at, Value(),
                          ValueRange(), ValueRange());
    else
      npu::MmqOp::create(b, weights, op.getQ(), op.getSx(), dst, rows, cols,
                         bits, op.getAbits(), group, col, op.getCols(), outCols,
                         accumulate, Value(), at, op.getRowsFrom(),
                         ValueRange(), ValueRange());
    token(npu::Credit::Release, weights, unit);
    col += cols;
  }
  if (!op.getDst())
    storeLogits(op, rows, tiling.blocks * PMPD_NPU_ROW_BLOCK * 4);
}

/// Logits go out as they come: `cols` of them for every row.
void Tiler::storeLogits(npu::LinearOp op, int64_t cols, int64_t localStride) {
  int64_t rowBytes = op.getRows() * 4;
  auto store = [&](Value to, int64_t remoteStride, Value from, Value rows) {
    npu::StOp::create(b, dst, Base::Logits, to, 0, 1, cols * 4, remoteStride,
                      localStride, 0, false, Unit::StoreDMA, from, Value(),
                      rows, ValueRange(), ValueRange());
  };
  if (!op.getRowsFrom())
    return store(out, 0, {}, {});
  if (rowBytes % 64 == 0)
    return store(out, rowBytes, {}, op.getRowsFrom());
  // A stride that no transfer has: row by row.
  Value to = reg(), from = reg();
  salu(SaluFn::Mov, to, {}, out, 0);
  salu(SaluFn::Mov, from, {}, {}, 0);
  auto loop = npu::LoopOp::create(b, op.getRowsFrom());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  store(to, 0, from, {});
  salu(SaluFn::Add, to, to, {}, rowBytes);
  salu(SaluFn::Add, from, from, {}, localStride);
}

void Tiler::lower(npu::LinearOp op) {
  Tiling tiling = tile(op, limit);
  int64_t rows = tiling.blocks * PMPD_NPU_ROW_BLOCK;
  int64_t whole = op.getRows() / rows, rest = op.getRows() % rows;
  b.setInsertionPoint(op);
  b.setLoc(op.getLoc());
  planes = reg();
  metadata = reg();
  out = reg();
  dst = op.getDst() ? Value(op.getDst()) : allocRows(rows * 4);
  salu(SaluFn::Mov, planes, {}, op.getRemoteOffset(), 0);
  salu(SaluFn::Mov, metadata, {}, op.getRemoteOffset(), 0);
  salu(SaluFn::Mov, out, {}, {}, 0);
  {
    OpBuilder::InsertionGuard guard(b);
    if (whole > 1 || (whole > 0 && rest > 0)) {
      auto loop = npu::LoopOp::create(b, whole);
      b.setInsertionPointToStart(loop.getBody());
    }
    if (whole > 0)
      emitTile(op, tiling, rows);
    if (b.getInsertionBlock() != op->getBlock()) {
      salu(SaluFn::Add, planes, planes, {},
           pmpd_npu_plane_bytes(rows, op.getCols()));
      salu(SaluFn::Add, metadata, metadata, {},
           pmpd_npu_metadata_bytes(rows, op.getCols(), op.getGroup(),
                                   PMPD_NPU_F_AFFINE, op.getBits()));
      salu(SaluFn::Add, out, out, {}, rows * 4);
    }
  }
  if (rest > 0)
    emitTile(op, tiling, rest);
  op.erase();
}

void Tiler::lower(npu::AttentionOp op) {
  constexpr int64_t Tokens = PMPD_NPU_ATT_TOKENS;
  // So few that every row sees none of the tile.
  constexpr int64_t None = -(int64_t(1) << 20);
  int64_t dim = op.getHeadDim(), queries = op.getHeads() / op.getKvHeads();
  int64_t tokenBytes = pmpd_npu_kv_token_bytes(PMPD_NPU_KV_F16, dim);
  int64_t stretch = op.getTokens() * tokenBytes;
  b.setInsertionPoint(op);
  b.setLoc(op.getLoc());
  Value state = allocRows(queries * (sizeof(pmpd_npu_att_state) + dim * 4));
  Value held = reg(), tiles = reg(), head = reg(), column = reg();
  salu(SaluFn::Add, held, op.getPosition(), op.getRowsFrom(),
       op.getRowsFrom() ? 0 : 1);
  salu(SaluFn::CeilDiv, tiles, held, {}, Tokens);
  salu(SaluFn::Mov, head, {}, op.getRemoteOffset(), 0);
  salu(SaluFn::Mov, column, {}, {}, 0);
  // The cache is read by a queue of its own, which must not overtake the store
  // of the new tokens.
  npu::NopOp::create(b, Unit::KVDMA, Value(), Value(), Value(), ValueRange(),
                     ValueRange());
  auto heads = npu::LoopOp::create(b, op.getKvHeads());
  b.setInsertionPointToStart(heads.getBody());
  Value seen = reg();
  auto attend = [&](bool first, bool last) {
    npu::AttOp::create(b, op.getQ(), cache, state, op.getDst(), seen,
                       op.getScaleAttr().getValue(), op.getHeads(), dim,
                       queries, first, last, Value(), column, op.getRowsFrom(),
                       ValueRange(), ValueRange());
  };
  salu(SaluFn::Mov, seen, {}, {}, None);
  attend(/*first=*/true, /*last=*/false);
  Value tile = reg(), left = reg(), length = reg();
  salu(SaluFn::Mov, tile, {}, head, 0);
  salu(SaluFn::Mov, left, {}, held, 0);
  salu(SaluFn::Add, seen, op.getPosition(), {}, 1);
  auto loop = npu::LoopOp::create(b, tiles);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    salu(SaluFn::Min, length, left, {}, Tokens);
    salu(SaluFn::Mul, length, length, {}, tokenBytes);
    token(npu::Credit::Acquire, cache, Unit::KVDMA);
    npu::LdOp::create(b, cache, Base::KV, tile, 0, 2, Tokens * tokenBytes,
                      op.getKvHeads() * stretch, Tokens * tokenBytes, 0, true,
                      Unit::KVDMA, Value(), Value(), length, ValueRange(),
                      ValueRange());
    token(npu::Credit::Publish, cache, Unit::KVDMA);
    token(npu::Credit::Consume, cache, Unit::Matrix);
    attend(/*first=*/false, /*last=*/false);
    token(npu::Credit::Release, cache, Unit::Matrix);
    salu(SaluFn::Add, tile, tile, {}, Tokens * tokenBytes);
    salu(SaluFn::Sub, left, left, {}, Tokens);
    salu(SaluFn::Sub, seen, seen, {}, Tokens);
  }
  salu(SaluFn::Mov, seen, {}, {}, None);
  attend(/*first=*/false, /*last=*/true);
  salu(SaluFn::Add, head, head, {}, stretch);
  salu(SaluFn::Add, column, column, {}, queries * dim * 4);
  op.erase();
}

struct NpuTile : impl::NpuTileBase<NpuTile> {
  using NpuTileBase::NpuTileBase;

  void runOnOperation() override {
    if (tileBytes < 1) {
      getOperation().emitError("expected tile-bytes of at least 1, but got ")
          << tileBytes.getValue();
      return signalPassFailure();
    }
    getOperation().walk(
        [&](npu::ProgramOp program) { Tiler(program, tileBytes).run(); });
  }
};
} // namespace
} // namespace pmpd
