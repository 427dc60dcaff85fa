// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/NpuLiveness.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace pmpd;

namespace {
/// The op and, for a loop, its last op in program order.
using Span = std::pair<int64_t, int64_t>;

int64_t number(Block &block, int64_t next, DenseMap<Operation *, Span> &spans) {
  for (Operation &op : block) {
    int64_t begin = next++;
    for (Region &region : op.getRegions())
      for (Block &inner : region)
        next = number(inner, next, spans);
    spans[&op] = {begin, next};
  }
  return next;
}

bool isRing(Operation *op) {
  auto alloc = dyn_cast<npu::AllocOp>(op);
  return alloc && alloc.getSlots();
}
} // namespace

template <typename Op>
SmallVector<LiveRange> pmpd::findLiveRanges(npu::ProgramOp program) {
  DenseMap<Operation *, Span> spans;
  int64_t end = number(*program.getBody(), 0, spans);
  SmallVector<LiveRange> ranges;
  program.walk([&](Op op) {
    LiveRange range = {op.getResult(), end, 0};
    for (Operation *user : op.getResult().getUsers()) {
      // The outermost op with the use that is beside the definition.
      while (user->getBlock() != op->getBlock())
        user = user->getParentOp();
      range.begin = std::min(range.begin, spans[user].first);
      range.end = std::max(range.end, spans[user].second);
    }
    if (range.begin >= range.end)
      return;
    if (isRing(op))
      range = {op.getResult(), 0, end};
    ranges.push_back(range);
  });
  llvm::stable_sort(ranges, [](const LiveRange &a, const LiveRange &b) {
    return a.begin < b.begin;
  });
  return ranges;
}

template SmallVector<LiveRange>
    pmpd::findLiveRanges<npu::AllocOp>(npu::ProgramOp);
template SmallVector<LiveRange>
    pmpd::findLiveRanges<npu::RegOp>(npu::ProgramOp);

int64_t pmpd::placeBuffers(npu::ProgramOp program, bool assign) {
  SmallVector<LiveRange> ranges = findLiveRanges<npu::AllocOp>(program);
  auto bytesOf = [](Value buffer) {
    return cast<npu::BufType>(buffer.getType()).getBytes();
  };
  // Small ones fit into what large ones leave, but not the other way round.
  llvm::stable_sort(ranges, [&](const LiveRange &a, const LiveRange &b) {
    return bytesOf(a.value) > bytesOf(b.value);
  });
  struct Placed {
    int64_t address, bytes;
    const LiveRange *range;
  };
  SmallVector<Placed> placed; // by address
  int64_t peak = 0;
  Builder builder(program.getContext());
  for (const LiveRange &range : ranges) {
    auto op = range.value.getDefiningOp<npu::AllocOp>();
    if (op.getSlots() == uint64_t(0))
      continue;
    npu::BufType type = op.getResult().getType();
    int64_t address = 0;
    for (const Placed &other : placed) {
      if (other.range->end <= range.begin || range.end <= other.range->begin)
        continue;
      if (other.address - address >= type.getBytes())
        break;
      address = std::max<int64_t>(
          address, llvm::alignTo(other.address + other.bytes, type.getAlign()));
    }
    Placed one = {address, type.getBytes(), &range};
    placed.insert(llvm::upper_bound(placed, one,
                                    [](const Placed &a, const Placed &b) {
                                      return a.address < b.address;
                                    }),
                  one);
    peak = std::max(peak, address + type.getBytes());
    if (assign)
      op.setAtAttr(builder.getI64IntegerAttr(address));
  }
  return peak;
}
