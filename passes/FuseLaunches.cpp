// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"
#include "pmpd/kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_FUSELAUNCHES
#include "passes/Passes.h.inc"

namespace {

/// Launches in their order that become one.
using Group = SmallVector<LaunchOp>;

bool worksByRows(LaunchOp launch) {
  return launch.getTasks() == 1 && launch.getRowTile() == 1;
}

gpu::GPUFuncOp kernelOf(LaunchOp launch) {
  return SymbolTable::lookupNearestSymbolFrom<gpu::GPUFuncOp>(
      launch->getParentOfType<ModuleOp>(), launch.getKernelAttr());
}

/// Whether a kernel can run `launch` too that runs `group`.
bool canJoin(const Group &group, LaunchOp launch) {
  LaunchOp first = group.front();
  if (!launch.getGroup() || launch.getGroup() != first.getGroup() ||
      launch.getRows() != first.getRows() ||
      launch.getRowTile() != first.getRowTile() ||
      worksByRows(launch) != worksByRows(first) ||
      kernelOf(launch).getKnownBlockSize() !=
          kernelOf(first).getKnownBlockSize())
    return false;
  size_t pointers = launch.getAddresses().size();
  for (LaunchOp each : group)
    pointers += each.getAddresses().size();
  return pointers <= PMPD_KERNEL_POINTERS;
}

/// Writes one kernel of the bodies of several.
class KernelWriter {
public:
  KernelWriter(gpu::GPUFuncOp func)
      : b(func.getLoc(), func.getContext()), func(func) {
    b.setInsertionPointToStart(&func.getBody().front());
  }

  void inTurn(const Group &group);
  void sideBySide(const Group &group);
  void finish() {
    gpu::ReturnOp::create(b);
    shareMemory();
  }

private:
  /// A copy of the body of `launch`, whose pointers begin at `pointer` and
  /// whose block is `block`, or that of the kernel.
  void copy(LaunchOp launch, unsigned pointer, Value block);
  void shareMemory();

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }

  ImplicitLocOpBuilder b;
  gpu::GPUFuncOp func;
  /// Arrays in shared memory by their place in a body.
  SmallVector<SmallVector<LLVM::AddressOfOp>> arrays;
};

void KernelWriter::copy(LaunchOp launch, unsigned pointer, Value block) {
  gpu::GPUFuncOp source = kernelOf(launch);
  IRMapping mapping;
  unsigned pointers = launch.getAddresses().size();
  for (unsigned i = 0; i < pointers; ++i)
    mapping.map(source.getArgument(i), func.getArgument(pointer + i));
  mapping.map(source.getArgument(pointers),
              func.getArgument(func.getNumArguments() - 1));
  SmallVector<Operation *> clones;
  for (Operation &op : source.getBody().front().without_terminator())
    clones.push_back(b.clone(op, mapping));
  llvm::SetVector<StringRef> names;
  for (Operation *clone : clones)
    clone->walk([&](Operation *op) {
      if (auto id = dyn_cast<gpu::BlockIdOp>(op); id && block)
        id.replaceAllUsesWith(block);
      auto address = dyn_cast<LLVM::AddressOfOp>(op);
      if (!address || address.getType().getAddressSpace() !=
                          unsigned(NVVM::NVVMMemorySpace::Shared))
        return;
      names.insert(address.getGlobalName());
      size_t place = llvm::find(names, address.getGlobalName()) - names.begin();
      arrays.resize(std::max(arrays.size(), place + 1));
      arrays[place].push_back(address);
    });
}

/// The bodies one after another. What one writes for a row the next reads.
void KernelWriter::inTurn(const Group &group) {
  unsigned pointer = 0;
  for (LaunchOp launch : group) {
    if (pointer)
      gpu::BarrierOp::create(b);
    copy(launch, pointer, Value());
    pointer += launch.getAddresses().size();
  }
}

/// Each body for the blocks that are its own: the tasks of all bodies follow
/// each other, for every tile of rows.
void KernelWriter::sideBySide(const Group &group) {
  int64_t tasks = 0, start = 0;
  for (LaunchOp launch : group)
    tasks += launch.getTasks();
  Value block = gpu::BlockIdOp::create(b, gpu::Dimension::x);
  Value tile = arith::DivUIOp::create(b, block, index(tasks));
  Value task = arith::RemUIOp::create(b, block, index(tasks));
  unsigned pointer = 0;
  for (LaunchOp launch : group) {
    int64_t own = launch.getTasks();
    Value taskInOwn = arith::SubIOp::create(b, task, index(start));
    // Below the first one it wraps around.
    Value isOwn = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, taskInOwn,
                                        index(own));
    auto branch = scf::IfOp::create(b, isOwn);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&branch.getThenRegion().front());
    Value ownBlock = arith::AddIOp::create(
        b, arith::MulIOp::create(b, tile, index(own)), taskInOwn);
    copy(launch, pointer, ownBlock);
    pointer += launch.getAddresses().size();
    start += own;
  }
}

/// Bodies use the same shared memory: a block runs one of them at a time.
void KernelWriter::shareMemory() {
  Operation *module = func->getParentOp();
  for (auto [place, addresses] : llvm::enumerate(arrays)) {
    LLVM::GlobalOp largest;
    auto bytes = [](LLVM::GlobalOp global) {
      return cast<LLVM::LLVMArrayType>(global.getType()).getNumElements();
    };
    for (LLVM::AddressOfOp address : addresses) {
      auto global = SymbolTable::lookupNearestSymbolFrom<LLVM::GlobalOp>(
          module, address.getGlobalNameAttr());
      if (!largest || bytes(global) > bytes(largest))
        largest = global;
    }
    for (LLVM::AddressOfOp address : addresses)
      address.setGlobalName(largest.getSymName());
  }
}

struct FuseLaunches : impl::FuseLaunchesBase<FuseLaunches> {
  void runOnOperation() override {
    for (ModelOp model : getOperation().getOps<ModelOp>())
      for (RegionOp region : model.getBody()->getOps<RegionOp>()) {
        SmallVector<Group> groups;
        for (LaunchOp launch : region.getBody()->getOps<LaunchOp>()) {
          if (!launch.isOnDevice())
            continue;
          if (groups.empty() || !canJoin(groups.back(), launch))
            groups.emplace_back();
          groups.back().push_back(launch);
        }
        for (const Group &group : groups)
          if (group.size() > 1)
            fuse(group);
      }
    eraseUnused();
  }

  void fuse(const Group &group) {
    LaunchOp first = group.front();
    std::string name;
    SmallVector<Attribute> addresses;
    int64_t tasks = 0;
    for (LaunchOp launch : group) {
      name += (name.empty() ? "" : "__") + launch.getKernelName().str();
      llvm::append_range(addresses, launch.getAddresses());
      tasks += launch.getTasks();
      fused.insert(kernelOf(launch));
    }
    auto module = kernelOf(first)->getParentOfType<gpu::GPUModuleOp>();
    if (!module.lookupSymbol(name))
      write(module, name, group, addresses.size());
    OpBuilder builder(first);
    auto kernel =
        SymbolRefAttr::get(first.getKernel().getRootReference(),
                           FlatSymbolRefAttr::get(builder.getContext(), name));
    LaunchOp::create(
        builder, first.getLoc(), kernel, builder.getArrayAttr(addresses),
        builder.getI64IntegerAttr(worksByRows(first) ? 1 : tasks),
        first.getRowTileAttr(), first.getRowsAttr(), IntegerAttr());
    for (LaunchOp launch : group)
      launch.erase();
  }

  void write(gpu::GPUModuleOp module, StringRef name, const Group &group,
             size_t pointers) {
    gpu::GPUFuncOp like = kernelOf(group.front());
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    SmallVector<Type> inputs(pointers + 1, like.getArgumentTypes().front());
    auto func = gpu::GPUFuncOp::create(builder, like.getLoc(), name,
                                       builder.getFunctionType(inputs, {}));
    func->setAttr(gpu::GPUDialect::getKernelFuncAttrName(),
                  builder.getUnitAttr());
    func.setKnownBlockSizeAttr(like.getKnownBlockSizeAttr());
    StringRef residentBlocks = NVVM::NVVMDialect::getMinctasmAttrName();
    if (Attribute blocks = like->getAttr(residentBlocks))
      func->setAttr(residentBlocks, blocks);
    KernelWriter writer(func);
    if (worksByRows(group.front()))
      writer.inTurn(group);
    else
      writer.sideBySide(group);
    writer.finish();
  }

  /// Kernels that only run as part of others.
  void eraseUnused() {
    llvm::DenseSet<Operation *> used;
    getOperation().walk([&](LaunchOp launch) {
      if (launch.isOnDevice())
        used.insert(kernelOf(launch));
    });
    for (Operation *kernel : fused)
      if (!used.contains(kernel))
        kernel->erase();
  }

  llvm::SetVector<Operation *> fused;
};
} // namespace
} // namespace pmpd
