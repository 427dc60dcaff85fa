// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The structs of include/pmpd/kernel.h, field by field, in the LLVM dialect.
#include "passes/Passes.h"
#include "pmpd/artifact.h"
#include "pmpd/kernel.h"
#include "pmpd/layout.h"

#include "llvm/ADT/StringExtras.h"

#include <cstddef>

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_EMITCINTERFACE
#include "passes/Passes.h.inc"

namespace {
static_assert(sizeof(void *) == 8, "targets and host are 64-bit");

/// Builds the functions of one model.
class Emitter {
public:
  Emitter(ModuleOp module, ModelOp model)
      : model(model), symbols(module), builder(module.getContext()),
        loc(model.getLoc()), ptr(LLVM::LLVMPointerType::get(&context())),
        i8(builder.getI8Type()), i32(builder.getI32Type()),
        i64(builder.getI64Type()),
        nothing(LLVM::LLVMVoidType::get(&context())) {
    builder.setInsertionPointToEnd(module.getBody());
  }

  LogicalResult emit(StringRef name, StringRef triple, StringRef features);

private:
  MLIRContext &context() { return *model->getContext(); }

  Value constant(int64_t value) {
    return LLVM::ConstantOp::create(builder, loc, i64,
                                    builder.getI64IntegerAttr(value));
  }
  Value addressOf(StringRef symbol) {
    return LLVM::AddressOfOp::create(builder, loc, ptr, symbol);
  }
  Value offset(Value base, Value bytes) {
    return LLVM::GEPOp::create(builder, loc, ptr, i8, base,
                               ArrayRef<LLVM::GEPArg>{bytes});
  }
  Value field(Value base, size_t bytes) {
    return LLVM::GEPOp::create(builder, loc, ptr, i8, base,
                               ArrayRef<LLVM::GEPArg>{int32_t(bytes)});
  }
  Value load(Type type, Value base, size_t bytes) {
    return LLVM::LoadOp::create(builder, loc, type, field(base, bytes));
  }
  void store(Value value, Value base, size_t bytes) {
    LLVM::StoreOp::create(builder, loc, value, field(base, bytes));
  }

  LLVM::LLVMFuncOp function(const Twine &name, LLVM::LLVMFunctionType type,
                            LLVM::Linkage linkage) {
    auto func = LLVM::LLVMFuncOp::create(builder, loc, name.str(), type,
                                         linkage);
    symbols.insert(func);
    return func;
  }
  /// A constant global whose initializer `fill` returns.
  std::string global(const Twine &name, Type type,
                     llvm::function_ref<Value()> fill) {
    auto op = LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true,
                                     LLVM::Linkage::Internal, name.str(),
                                     Attribute());
    symbols.insert(op);
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&op.getInitializerRegion());
    LLVM::ReturnOp::create(builder, loc, fill());
    return op.getSymName().str();
  }
  std::string text(StringRef value) {
    std::string bytes(value.data(), value.size());
    bytes.push_back('\0');
    auto op = LLVM::GlobalOp::create(
        builder, loc, LLVM::LLVMArrayType::get(i8, bytes.size()),
        /*isConstant=*/true, LLVM::Linkage::Internal, "pmpd_text",
        builder.getStringAttr(bytes));
    symbols.insert(op);
    return op.getSymName().str();
  }

  std::string task(FlatSymbolRefAttr kernel);
  std::string region(RegionOp region);
  void launch(LaunchOp launch, Value args, Value kernelArgs);
  std::string table(MutableArrayRef<RegionOp> regions);
  std::string classifier(ClassifierOp classifier);
  int64_t planeBytes() {
    return pmpd_round_up(model.getKvHeads() * model.getContext() *
                             model.getHeadDim() * sizeof(float),
                         PMPD_LINE_BYTES);
  }
  /// Where the widened K and V of `classifier` begin in its scratch memory.
  static int64_t widenedAt(ClassifierOp classifier) {
    return pmpd_round_up(*classifier.getScratch(), PMPD_LINE_BYTES);
  }
  std::string table(MutableArrayRef<ClassifierOp> classifiers);
  FailureOr<std::string> descriptor(StringRef name, StringRef triple,
                                    StringRef features, StringRef regions,
                                    int64_t count, StringRef classifiers,
                                    int64_t classifierCount);
  Value fill(Type type, ArrayRef<Value> fields);
  Value literal(Type type, int64_t value) {
    return LLVM::ConstantOp::create(builder, loc, type,
                                    builder.getIntegerAttr(type, value));
  }

  ModelOp model;
  SymbolTable symbols;
  OpBuilder builder;
  Location loc;
  Type ptr, i8, i32, i64, nothing;
  llvm::StringMap<std::string> tasks; // kernel -> its pmpd_kernel
};

/// The pmpd_kernel that takes the arguments of `kernel` from a struct.
std::string Emitter::task(FlatSymbolRefAttr kernel) {
  std::string &name = tasks[kernel.getValue()];
  if (!name.empty())
    return name;
  auto callee = symbols.lookup<LLVM::LLVMFuncOp>(kernel.getValue());
  callee.setLinkage(LLVM::Linkage::Internal);
  OpBuilder::InsertionGuard guard(builder);
  auto func = function(kernel.getValue() + "_task",
                       LLVM::LLVMFunctionType::get(nothing, {ptr, i64, i64}),
                       LLVM::Linkage::Internal);
  Block *entry = func.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  Value args = entry->getArgument(0);
  SmallVector<Value> operands;
  for (unsigned i = 0, e = callee.getNumArguments() - 4; i != e; ++i)
    operands.push_back(
        load(ptr, args, offsetof(pmpd_kernel_args, ptr) + i * sizeof(void *)));
  operands.push_back(load(i64, args, offsetof(pmpd_kernel_args, rows)));
  operands.push_back(load(i64, args, offsetof(pmpd_kernel_args, position)));
  operands.push_back(entry->getArgument(1));
  operands.push_back(entry->getArgument(2));
  LLVM::CallOp::create(builder, loc, callee, operands);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
  name = func.getSymName().str();
  return name;
}

void Emitter::launch(LaunchOp launch, Value args, Value kernelArgs) {
  Value rows = load(i64, args, offsetof(pmpd_region_args, rows));
  Value logitRows = load(i64, args, offsetof(pmpd_region_args, logit_rows));
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
        offset(load(ptr, args, base), constant(address.getOffset()));
    if (address.getSkip() != 0) {
      Value skipped = LLVM::SubOp::create(builder, loc, rows, logitRows);
      pointer = offset(pointer,
                       LLVM::MulOp::create(builder, loc, skipped,
                                           constant(address.getSkip())));
    }
    store(pointer, kernelArgs,
          offsetof(pmpd_kernel_args, ptr) + index * sizeof(void *));
  }
  Value seen = launch.getRows() == Rows::All ? rows : logitRows;
  store(seen, kernelArgs, offsetof(pmpd_kernel_args, rows));
  store(load(i64, args, offsetof(pmpd_region_args, position)), kernelArgs,
        offsetof(pmpd_kernel_args, position));
  Value count = constant(launch.getTasks());
  if (std::optional<int64_t> tile = launch.getRowTile()) {
    Value above = LLVM::AddOp::create(builder, loc, seen, constant(*tile - 1));
    Value tiles = LLVM::UDivOp::create(builder, loc, above, constant(*tile));
    count = LLVM::MulOp::create(builder, loc, count, tiles);
  } else {
    // No rows, no tasks: a kernel would read its weights for nothing.
    Value none = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq,
                                      seen, constant(0));
    count = LLVM::SelectOp::create(builder, loc, none, constant(0), count);
  }
  Value parallelFor =
      load(ptr, args, offsetof(pmpd_region_args, parallel_for));
  Value pool = load(ptr, args, offsetof(pmpd_region_args, pool));
  Value kernel = addressOf(task(launch.getKernelAttr()));
  LLVM::CallOp::create(
      builder, loc,
      LLVM::LLVMFunctionType::get(nothing, {ptr, ptr, ptr, i64}),
      ValueRange{parallelFor, pool, kernel, kernelArgs, count});
}

std::string Emitter::region(RegionOp region) {
  OpBuilder::InsertionGuard guard(builder);
  auto func = function(region.getSymName(),
                       LLVM::LLVMFunctionType::get(nothing, {ptr}),
                       LLVM::Linkage::Internal);
  Block *entry = func.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  Value kernelArgs = LLVM::AllocaOp::create(
      builder, loc, ptr, i8, constant(sizeof(pmpd_kernel_args)),
      alignof(pmpd_kernel_args));
  for (LaunchOp op : region.getBody()->getOps<LaunchOp>()) {
    // Tasks are functions of their own; their bodies go elsewhere.
    OpBuilder::InsertPoint here = builder.saveInsertionPoint();
    builder.setInsertionPointAfter(func);
    task(op.getKernelAttr());
    builder.restoreInsertionPoint(here);
    launch(op, entry->getArgument(0), kernelArgs);
  }
  LLVM::ReturnOp::create(builder, loc, ValueRange());
  return func.getSymName().str();
}

Value Emitter::fill(Type type, ArrayRef<Value> fields) {
  Value result = LLVM::UndefOp::create(builder, loc, type);
  for (auto [index, value] : llvm::enumerate(fields))
    result = LLVM::InsertValueOp::create(builder, loc, result, value,
                                         int64_t(index));
  return result;
}

std::string Emitter::table(MutableArrayRef<RegionOp> regions) {
  SmallVector<std::string> entries;
  for (RegionOp op : regions)
    entries.push_back(region(op));
  auto row = LLVM::LLVMStructType::getLiteral(
      &context(), {i32, i32, i32, i32, i64, i64, ptr});
  auto type = LLVM::LLVMArrayType::get(row, regions.size());
  return global("pmpd_regions", type, [&] {
    SmallVector<Value> rows;
    for (auto [op, entry] : llvm::zip_equal(regions, entries)) {
      auto phase = op.getPhase() == Phase::Prefill ? PMPD_PREFILL : PMPD_DECODE;
      rows.push_back(
          fill(row, {literal(i32, phase), literal(i32, op.getBits()),
                     literal(i32, op.getMaxRows()), literal(i32, 0),
                     literal(i64, op.getScratch().value_or(0)),
                     literal(i64, op.getWeightBytes().value_or(0)),
                     addressOf(entry)}));
    }
    return fill(type, rows);
  });
}

/// The entry of a classifier: widens K and V where they are f16, then calls the
/// function.
std::string Emitter::classifier(ClassifierOp classifier) {
  auto callee = symbols.lookup<LLVM::LLVMFuncOp>(classifier.getFunction());
  callee.setLinkage(LLVM::Linkage::Internal);
  // Or LLVM makes calls to memset of its loops.
  callee.setPassthroughAttr(builder.getStrArrayAttr({"no-builtins"}));
  OpBuilder::InsertionGuard guard(builder);
  auto func = function(classifier.getFunction() + "_entry",
                       LLVM::LLVMFunctionType::get(nothing, {ptr}),
                       LLVM::Linkage::Internal);
  Block *entry = func.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  Value args = entry->getArgument(0);
  Value weights = load(ptr, args, offsetof(pmpd_classifier_args, weights));
  Value scratch = load(ptr, args, offsetof(pmpd_classifier_args, scratch));
  Value tokens = load(i64, args, offsetof(pmpd_classifier_args, tokens));
  SmallVector<Value> operands = {
      load(ptr, args, offsetof(pmpd_classifier_args, keys)),
      load(ptr, args, offsetof(pmpd_classifier_args, values))};
  if (std::optional<StringRef> widen = classifier.getWiden()) {
    auto kernel = symbols.lookup<LLVM::LLVMFuncOp>(*widen);
    kernel.setLinkage(LLVM::Linkage::Internal);
    for (auto [index, plane] : llvm::enumerate(operands)) {
      Value wide = offset(
          scratch, constant(widenedAt(classifier) + index * planeBytes()));
      Value zero = constant(0);
      LLVM::CallOp::create(builder, loc, kernel,
                           ValueRange{plane, wide, tokens, zero, zero,
                                      constant(model.getKvHeads())});
      plane = wide;
    }
  }
  operands.push_back(tokens);
  for (auto name : classifier.getWeights().getAsRange<FlatSymbolRefAttr>()) {
    auto weight = model.lookupSymbol<WeightOp>(name.getAttr());
    operands.push_back(offset(weights, constant(*weight.getAt())));
  }
  operands.push_back(load(ptr, args, offsetof(pmpd_classifier_args, logits)));
  operands.push_back(scratch);
  LLVM::CallOp::create(builder, loc, callee, operands);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
  return func.getSymName().str();
}

std::string Emitter::table(MutableArrayRef<ClassifierOp> classifiers) {
  SmallVector<std::string> entries;
  for (ClassifierOp op : classifiers)
    entries.push_back(classifier(op));
  auto row = LLVM::LLVMStructType::getLiteral(&context(),
                                              {i32, i32, i32, i32, i64, ptr});
  auto type = LLVM::LLVMArrayType::get(row, classifiers.size());
  return global("pmpd_classifiers", type, [&] {
    SmallVector<Value> rows;
    for (auto [op, entry] : llvm::zip_equal(classifiers, entries)) {
      int64_t scratch = widenedAt(op) + (op.getWiden() ? 2 * planeBytes() : 0);
      rows.push_back(
          fill(row, {literal(i32, op.getFrom()), literal(i32, op.getTo()),
                     literal(i32, op.getClasses()), literal(i32, 0),
                     literal(i64, scratch), addressOf(entry)}));
    }
    return fill(type, rows);
  });
}

FailureOr<std::string> Emitter::descriptor(StringRef name, StringRef triple,
                                           StringRef features,
                                           StringRef regions, int64_t count,
                                           StringRef classifiers,
                                           int64_t classifierCount) {
  std::string digest;
  if (!llvm::tryGetFromHex(model.getWeightsDigest().value_or(""), digest) ||
      digest.size() != PMPD_DIGEST_BYTES)
    return model.emitOpError("expected the digest of a weight file; run "
                             "--pmpd-pack first");
  std::string nameText = text(name), tripleText = text(triple),
              featuresText = text(features);
  auto digestType = LLVM::LLVMArrayType::get(i8, PMPD_DIGEST_BYTES);
  auto type = LLVM::LLVMStructType::getLiteral(
      &context(), {i32, i32, ptr, ptr, ptr, i32, i32, i32, i32, i32, i32, i32,
                   i32, i64, digestType, i32, i32, ptr, ptr});
  return global("pmpd_model", type, [&] {
    SmallVector<Value> bytes;
    for (char byte : digest)
      bytes.push_back(literal(i8, static_cast<int8_t>(byte)));
    int element = model.getKvType().isF16() ? PMPD_F16 : PMPD_F32;
    return fill(
        type,
        {literal(i32, sizeof(pmpd_model_desc)), literal(i32, PMPD_ABI_VERSION),
         addressOf(nameText), addressOf(tripleText), addressOf(featuresText),
         literal(i32, model.getVocab()), literal(i32, model.getHidden()),
         literal(i32, model.getLayers()), literal(i32, model.getHeads()),
         literal(i32, model.getKvHeads()), literal(i32, model.getHeadDim()),
         literal(i32, model.getContext()), literal(i32, element),
         literal(i64, model.getKVBytes()), fill(digestType, bytes),
         literal(i32, count), literal(i32, classifierCount), addressOf(regions),
         addressOf(classifiers)});
  });
}

LogicalResult Emitter::emit(StringRef name, StringRef triple,
                            StringRef features) {
  auto tables = model.getBody()->getOps<RegionTableOp>();
  if (!llvm::hasSingleElement(tables))
    return model.emitOpError("expected one pmpd.region_table; run "
                             "--pmpd-specialize first");
  SmallVector<RegionOp> regions;
  for (auto symbol :
       (*tables.begin()).getRegions().getAsRange<FlatSymbolRefAttr>()) {
    regions.push_back(model.lookupSymbol<RegionOp>(symbol));
    for (Operation &op : regions.back().getBody()->without_terminator()) {
      auto launch = dyn_cast<LaunchOp>(op);
      if (!launch || !symbols.lookup<LLVM::LLVMFuncOp>(launch.getKernel()))
        return op.emitOpError("expected a launch of a kernel in the LLVM "
                              "dialect");
    }
  }
  auto classifiers = llvm::to_vector(model.getBody()->getOps<ClassifierOp>());
  for (ClassifierOp op : classifiers) {
    bool placed = llvm::all_of(
        op.getWeights().getAsRange<FlatSymbolRefAttr>(), [&](auto name) {
          return model.lookupSymbol<WeightOp>(name.getAttr()).getAt();
        });
    if (!symbols.lookup<LLVM::LLVMFuncOp>(op.getFunction()) ||
        !op.getScratch() || !placed)
      return op.emitOpError("expected a function in the LLVM dialect, scratch "
                            "memory and weights in the weight file");
  }
  std::string regionTable = table(regions);
  std::string classifierTable = table(classifiers);
  FailureOr<std::string> described =
      descriptor(name, triple, features, regionTable, regions.size(),
                 classifierTable, classifiers.size());
  if (failed(described))
    return failure();
  auto getter = function(name + "_pmpd_model",
                         LLVM::LLVMFunctionType::get(ptr, {}),
                         LLVM::Linkage::External);
  builder.setInsertionPointToStart(getter.addEntryBlock(builder));
  LLVM::ReturnOp::create(builder, loc, addressOf(*described));
  return success();
}

struct EmitCInterface : impl::EmitCInterfaceBase<EmitCInterface> {
  using EmitCInterfaceBase::EmitCInterfaceBase;

  void runOnOperation() override {
    for (ModelOp model :
         llvm::make_early_inc_range(getOperation().getOps<ModelOp>())) {
      StringRef symbol = name.empty() ? model.getSymName() : StringRef(name);
      if (failed(Emitter(getOperation(), model)
                     .emit(symbol, triple, features)))
        return signalPassFailure();
      model.erase();
    }
  }
};
} // namespace
} // namespace pmpd
