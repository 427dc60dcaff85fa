// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/EmitLaunches.h"
#include "pmpd/kernel.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <cstddef>

using namespace mlir;

namespace pmpd {

static bool worksByRows(LaunchOp launch) {
  return launch.getTasks() == 1 && launch.getRowTile() == 1;
}

/// An internal pmpd_kernel, its body to be written; the caller guards the
/// insertion point.
LLVM::LLVMFuncOp LaunchEmitter::begin(StringRef name) {
  Operation *around = b.builder.getInsertionBlock()->getParentOp();
  if (isa<LLVM::LLVMFuncOp>(around))
    b.builder.setInsertionPointAfter(around);
  auto func = b.function(
      name, LLVM::LLVMFunctionType::get(b.nothing, {b.ptr, b.i64, b.i64}),
      LLVM::Linkage::Internal);
  b.builder.setInsertionPointToStart(func.addEntryBlock(b.builder));
  return func;
}

/// The pmpd_kernel that takes the arguments of `kernel` from a struct.
std::string LaunchEmitter::task(StringRef kernel) {
  std::string &name = tasks[kernel];
  if (!name.empty())
    return name;
  auto callee = b.symbols.lookup<LLVM::LLVMFuncOp>(kernel);
  callee.setLinkage(LLVM::Linkage::Internal);
  OpBuilder::InsertionGuard guard(b.builder);
  auto func = begin((kernel + "_task").str());
  Value args = func.getArgument(0);
  SmallVector<Value> operands;
  for (unsigned i = 0, e = callee.getNumArguments() - 4; i != e; ++i)
    operands.push_back(b.load(
        b.ptr, args, offsetof(pmpd_kernel_args, ptr) + i * sizeof(void *)));
  operands.push_back(b.load(b.i64, args, offsetof(pmpd_kernel_args, rows)));
  operands.push_back(b.load(b.i64, args, offsetof(pmpd_kernel_args, position)));
  operands.push_back(func.getArgument(1));
  operands.push_back(func.getArgument(2));
  LLVM::CallOp::create(b.builder, b.loc, callee, operands);
  LLVM::ReturnOp::create(b.builder, b.loc, ValueRange());
  name = func.getSymName().str();
  names.push_back({name, kernel.str()});
  return name;
}

/// Calls member `index` of a group, whose arguments follow each other.
void LaunchEmitter::call(LaunchOp launch, Value args, unsigned index,
                         Value first, Value end) {
  auto callee =
      b.symbols.lookup<LLVM::LLVMFuncOp>(task(launch.getKernelName()));
  Value own = b.field(args, index * sizeof(pmpd_kernel_args));
  LLVM::CallOp::create(b.builder, b.loc, callee, ValueRange{own, first, end});
}

/// for row of the tasks: every member's task of that row
std::string LaunchEmitter::byRows(const Group &group) {
  auto func = begin("rows_" + std::to_string(tasks.size()));
  Value args = func.getArgument(0), end = func.getArgument(2);
  OpBuilder &builder = b.builder;
  Block *entry = builder.getInsertionBlock();
  Block *header = builder.createBlock(&func.getBody(), {}, {b.i64}, {b.loc});
  Block *body = builder.createBlock(&func.getBody());
  Block *exit = builder.createBlock(&func.getBody());
  builder.setInsertionPointToEnd(entry);
  LLVM::BrOp::create(builder, b.loc, func.getArgument(1), header);
  builder.setInsertionPointToEnd(header);
  Value row = header->getArgument(0);
  Value more =
      LLVM::ICmpOp::create(builder, b.loc, LLVM::ICmpPredicate::slt, row, end);
  LLVM::CondBrOp::create(builder, b.loc, more, body, exit);
  builder.setInsertionPointToEnd(body);
  Value next = LLVM::AddOp::create(builder, b.loc, row, b.constant(1));
  for (auto [index, member] : llvm::enumerate(group))
    call(member, args, index, row, next);
  LLVM::BrOp::create(builder, b.loc, next, header);
  builder.setInsertionPointToEnd(exit);
  LLVM::ReturnOp::create(builder, b.loc, ValueRange());
  return func.getSymName().str();
}

/// The tasks of the members one after another: each member gets those of its
/// own that are among the tasks.
std::string LaunchEmitter::sideBySide(const Group &group) {
  auto func = begin("joined_" + std::to_string(tasks.size()));
  Value args = func.getArgument(0);
  OpBuilder &builder = b.builder;
  int64_t start = 0;
  for (auto [index, each] : llvm::enumerate(group)) {
    LaunchOp member = each;
    auto within = [&](Value task) -> Value {
      Value own = LLVM::SubOp::create(builder, b.loc, task, b.constant(start));
      Value notBefore =
          LLVM::SMaxOp::create(builder, b.loc, own, b.constant(0));
      return LLVM::SMinOp::create(builder, b.loc, notBefore,
                                  b.constant(member.getTasks()));
    };
    Value first = within(func.getArgument(1));
    Value end = within(func.getArgument(2));
    Value any = LLVM::ICmpOp::create(builder, b.loc, LLVM::ICmpPredicate::slt,
                                     first, end);
    Block *here = builder.getInsertionBlock();
    Block *run = builder.createBlock(&func.getBody());
    Block *after = builder.createBlock(&func.getBody());
    builder.setInsertionPointToEnd(here);
    LLVM::CondBrOp::create(builder, b.loc, any, run, after);
    builder.setInsertionPointToEnd(run);
    call(member, args, index, first, end);
    LLVM::BrOp::create(builder, b.loc, ValueRange(), after);
    builder.setInsertionPointToEnd(after);
    start += member.getTasks();
  }
  LLVM::ReturnOp::create(builder, b.loc, ValueRange());
  return func.getSymName().str();
}

void LaunchEmitter::fillArgs(LaunchOp launch, Value region, Value args) {
  Value rows = b.load(b.i64, region, offsetof(pmpd_region_args, rows));
  Value logitRows =
      b.load(b.i64, region, offsetof(pmpd_region_args, logit_rows));
  for (auto [index, address] :
       llvm::enumerate(launch.getAddresses().getAsRange<AddressAttr>())) {
    size_t base = 0;
    switch (address.getSpace()) {
    case Space::Weights:
      base = offsetof(pmpd_region_args, weights);
      break;
    case Space::Scratch:
      base = offsetof(pmpd_region_args, scratch);
      break;
    case Space::KV:
      base = offsetof(pmpd_region_args, kv);
      break;
    case Space::Tokens:
      base = offsetof(pmpd_region_args, tokens);
      break;
    case Space::Logits:
      base = offsetof(pmpd_region_args, logits);
      break;
    }
    Value pointer =
        b.offset(b.load(b.ptr, region, base), b.constant(address.getOffset()));
    if (address.getSkip() != 0) {
      Value skipped = LLVM::SubOp::create(b.builder, b.loc, rows, logitRows);
      pointer =
          b.offset(pointer, LLVM::MulOp::create(b.builder, b.loc, skipped,
                                                b.constant(address.getSkip())));
    }
    b.store(pointer, args,
            offsetof(pmpd_kernel_args, ptr) + index * sizeof(void *));
  }
  b.store(launch.getRows() == Rows::All ? rows : logitRows, args,
          offsetof(pmpd_kernel_args, rows));
  b.store(b.load(b.i64, region, offsetof(pmpd_region_args, position)), args,
          offsetof(pmpd_kernel_args, position));
}

/// The number of tasks for `rows`.
Value LaunchEmitter::count(const Group &group, Value rows) {
  LaunchOp first = group.front();
  if (std::optional<int64_t> tile = first.getRowTile()) {
    Value above =
        LLVM::AddOp::create(b.builder, b.loc, rows, b.constant(*tile - 1));
    Value tiles =
        LLVM::UDivOp::create(b.builder, b.loc, above, b.constant(*tile));
    return LLVM::MulOp::create(b.builder, b.loc, b.constant(first.getTasks()),
                               tiles);
  }
  int64_t tasks = 0;
  for (LaunchOp launch : group)
    tasks += launch.getTasks();
  // No rows, no tasks: a kernel would read its weights for nothing.
  Value none = LLVM::ICmpOp::create(b.builder, b.loc, LLVM::ICmpPredicate::eq,
                                    rows, b.constant(0));
  return LLVM::SelectOp::create(b.builder, b.loc, none, b.constant(0),
                                b.constant(tasks));
}

void LaunchEmitter::launch(const Group &group, Value region, Value args) {
  for (auto [index, member] : llvm::enumerate(group))
    fillArgs(member, region, b.field(args, index * sizeof(pmpd_kernel_args)));
  std::string key, name;
  for (LaunchOp member : group) {
    // Equal kernels in another order or split are other functions.
    key += (member.getKernelName() + " ").str();
    name += (name.empty() ? "" : "+") + member.getKernelName().str();
  }
  std::string symbol;
  if (group.size() == 1) {
    symbol = task(LaunchOp(group.front()).getKernelName());
  } else {
    symbol = tasks.lookup(key);
    if (symbol.empty()) {
      OpBuilder::InsertionGuard guard(b.builder);
      symbol = worksByRows(group.front()) ? byRows(group) : sideBySide(group);
      tasks[key] = symbol;
      names.push_back({symbol, name});
    }
  }
  Value rows = b.load(b.i64, args, offsetof(pmpd_kernel_args, rows));
  Value parallelFor =
      b.load(b.ptr, region, offsetof(pmpd_region_args, parallel_for));
  Value pool = b.load(b.ptr, region, offsetof(pmpd_region_args, pool));
  LLVM::CallOp::create(
      b.builder, b.loc,
      LLVM::LLVMFunctionType::get(b.nothing, {b.ptr, b.ptr, b.ptr, b.i64}),
      ValueRange{parallelFor, pool, b.addressOf(symbol), args,
                 count(group, rows)});
}

std::string LaunchEmitter::deviceKernel(LLVM::LLVMFuncOp kernel) {
  std::string &global = tasks[kernel.getSymName()];
  if (!global.empty())
    return global;
  OpBuilder::InsertionGuard guard(b.builder);
  Operation *around = b.builder.getInsertionBlock()->getParentOp();
  if (isa<LLVM::LLVMFuncOp>(around))
    b.builder.setInsertionPoint(around);
  auto block = kernel->getAttrOfType<DenseI32ArrayAttr>(
      NVVM::NVVMDialect::getMaxntidAttrName());
  std::string name = b.text(kernel.getSymName());
  auto type =
      LLVM::LLVMStructType::getLiteral(&b.context(), {b.ptr, b.i32, b.i32});
  global = b.global(kernel.getSymName() + "_kernel", type, [&] {
    return b.fill(type, {b.addressOf(name), b.literal(b.i32, block[0]),
                         b.literal(b.i32, kernel.getNumArguments() - 1)});
  });
  onDevice.push_back(global);
  return global;
}

void LaunchEmitter::launchOnDevice(LaunchOp launch, Value region, Value args) {
  fillArgs(launch, region, args);
  Value rows = b.load(b.i64, args, offsetof(pmpd_kernel_args, rows));
  Value function = b.load(b.ptr, region, offsetof(pmpd_region_args, launch));
  Value device = b.load(b.ptr, region, offsetof(pmpd_region_args, device));
  LLVM::CallOp::create(
      b.builder, b.loc,
      LLVM::LLVMFunctionType::get(b.nothing, {b.ptr, b.ptr, b.ptr, b.i64}),
      ValueRange{function, device,
                 b.addressOf(deviceKernel(b.kernelOf(launch))), args,
                 count({launch}, rows)});
}

FailureOr<std::string> LaunchEmitter::entry(RegionOp region) {
  SmallVector<Group> groups;
  size_t most = 1;
  for (LaunchOp launch : region.getBody()->getOps<LaunchOp>()) {
    LaunchOp first = groups.empty() ? LaunchOp() : groups.back().front();
    if (!first || !launch.getGroup() || launch.isOnDevice() ||
        first.getGroup() != launch.getGroup()) {
      groups.push_back({launch});
      continue;
    }
    bool alike = worksByRows(first)
                     ? worksByRows(launch)
                     : !first.getRowTile() && !launch.getRowTile();
    if (!alike || first.getRows() != launch.getRows())
      return launch.emitOpError("expected the tasks of its group: all of one "
                                "row each, or all of no rows, and over the "
                                "same rows");
    groups.back().push_back(launch);
    most = std::max<size_t>(most, groups.back().size());
  }
  OpBuilder::InsertionGuard guard(b.builder);
  auto func = b.function(region.getSymName(),
                         LLVM::LLVMFunctionType::get(b.nothing, {b.ptr}),
                         LLVM::Linkage::Internal);
  b.builder.setInsertionPointToStart(func.addEntryBlock(b.builder));
  Value args = LLVM::AllocaOp::create(
      b.builder, b.loc, b.ptr, b.i8,
      b.constant(most * sizeof(pmpd_kernel_args)), alignof(pmpd_kernel_args));
  for (const Group &group : groups)
    if (LaunchOp(group.front()).isOnDevice())
      launchOnDevice(group.front(), func.getArgument(0), args);
    else
      launch(group, func.getArgument(0), args);
  LLVM::ReturnOp::create(b.builder, b.loc, ValueRange());
  return func.getSymName().str();
}

} // namespace pmpd
