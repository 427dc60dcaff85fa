// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The structs of include/pmpd/kernel.h, field by field, in the LLVM dialect.
#include "passes/EmitLaunches.h"
#include "pmpd/artifact.h"
#include "pmpd/kernel.h"
#include "pmpd/layout.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringExtras.h"

#include <cstddef>

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_EMITCINTERFACE
#include "passes/Passes.h.inc"

namespace {
static_assert(sizeof(void *) == 8, "targets and host are 64-bit");

/// Builds the functions of one model.
class Emitter : CInterfaceBuilder {
public:
  Emitter(ModuleOp module, ModelOp model, ArrayAttr images)
      : CInterfaceBuilder(module, model.getLoc()), model(model), images(images),
        launches(*this) {}

  LogicalResult emit(StringRef name, StringRef triple, StringRef features);

private:
  FailureOr<std::string> table(MutableArrayRef<RegionOp> regions);
  std::string kernelTable();
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
                                    int64_t classifierCount, StringRef kernels);
  std::string deviceKernelTable();
  std::string sampleKernel(int64_t &scratch);
  std::string imageTable();

  ModelOp model;
  ArrayAttr images; // gpu.objects, or null for CPUs
  int64_t imageCount = 0;
  LaunchEmitter launches;
};

/// Names of kernels, for traces.
std::string Emitter::kernelTable() {
  auto row = LLVM::LLVMStructType::getLiteral(&context(), {ptr, ptr});
  auto type = LLVM::LLVMArrayType::get(row, launches.kernels().size());
  SmallVector<std::pair<std::string, std::string>> entries;
  for (const auto &[kernel, name] : launches.kernels())
    entries.push_back({kernel, text(name)});
  return global("pmpd_kernels", type, [&] {
    SmallVector<Value> rows;
    for (const auto &[kernel, name] : entries)
      rows.push_back(fill(row, {addressOf(kernel), addressOf(name)}));
    return fill(type, rows);
  });
}

/// The pmpd_gpu_kernel that chooses tokens, empty if there is none.
std::string Emitter::sampleKernel(int64_t &scratch) {
  for (auto module : cast<ModuleOp>(symbols.getOp()).getOps<gpu::GPUModuleOp>())
    for (auto kernel : module.getOps<LLVM::LLVMFuncOp>())
      if (auto bytes =
              kernel->getAttrOfType<IntegerAttr>("pmpd.sample_scratch")) {
        scratch = bytes.getInt();
        return launches.deviceKernel(kernel);
      }
  return {};
}

std::string Emitter::deviceKernelTable() {
  auto type = LLVM::LLVMArrayType::get(ptr, launches.deviceKernels().size());
  return global("pmpd_gpu_kernels", type, [&] {
    SmallVector<Value> rows;
    for (const std::string &kernel : launches.deviceKernels())
      rows.push_back(addressOf(kernel));
    return fill(type, rows);
  });
}

/// The images of the device's kernels.
std::string Emitter::imageTable() {
  struct Image {
    pmpd_gpu_image_kind kind;
    int64_t sm;
    std::string data;
    size_t bytes;
  };
  SmallVector<Image> found;
  if (images)
    for (auto object : images.getAsRange<gpu::ObjectAttr>()) {
      bool binary = object.getFormat() == gpu::CompilationTarget::Binary;
      StringRef contents = object.getObject().getValue();
      int64_t sm = 0;
      cast<NVVM::NVVMTargetAttr>(object.getTarget())
          .getChip()
          .drop_front(strlen("sm_"))
          .getAsInteger(10, sm);
      found.push_back({binary ? PMPD_GPU_CUBIN : PMPD_GPU_PTX, sm,
                       bytes(contents), contents.size()});
    }
  imageCount = found.size();
  auto row = LLVM::LLVMStructType::getLiteral(&context(), {i32, i32, ptr, i64});
  auto type = LLVM::LLVMArrayType::get(row, found.size());
  return global("pmpd_gpu_images", type, [&] {
    SmallVector<Value> rows;
    for (const Image &image : found)
      rows.push_back(
          fill(row, {literal(i32, image.kind), literal(i32, image.sm),
                     addressOf(image.data), literal(i64, image.bytes)}));
    return fill(type, rows);
  });
}

FailureOr<std::string> Emitter::table(MutableArrayRef<RegionOp> regions) {
  SmallVector<std::string> entries;
  for (RegionOp op : regions) {
    FailureOr<std::string> entry = launches.entry(op);
    if (failed(entry))
      return failure();
    entries.push_back(*entry);
  }
  auto row = LLVM::LLVMStructType::getLiteral(
      &context(), {i32, i32, i32, i32, i64, i64, ptr});
  auto type = LLVM::LLVMArrayType::get(row, regions.size());
  return global("pmpd_regions", type, [&] {
    SmallVector<Value> rows;
    for (auto [op, entry] : llvm::zip_equal(regions, entries)) {
      auto phase = op.getPhase() == Phase::Prefill ? PMPD_PREFILL : PMPD_DECODE;
      rows.push_back(fill(row, {literal(i32, phase), literal(i32, op.getBits()),
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

FailureOr<std::string>
Emitter::descriptor(StringRef name, StringRef triple, StringRef features,
                    StringRef regions, int64_t count, StringRef classifiers,
                    int64_t classifierCount, StringRef kernels) {
  std::string digest;
  if (!llvm::tryGetFromHex(model.getWeightsDigest().value_or(""), digest) ||
      digest.size() != PMPD_DIGEST_BYTES)
    return model.emitOpError("expected the digest of a weight file; run "
                             "--pmpd-pack first");
  int64_t sampleScratch = 0;
  std::string nameText = text(name), tripleText = text(triple),
              featuresText = text(features),
              sample = sampleKernel(sampleScratch),
              deviceKernels = deviceKernelTable(), imagesName = imageTable();
  auto digestType = LLVM::LLVMArrayType::get(i8, PMPD_DIGEST_BYTES);
  auto type = LLVM::LLVMStructType::getLiteral(
      &context(), {i32, i32, ptr, ptr, ptr,        i32, i32, i32, i32, i32,
                   i32, i32, i32, i64, digestType, i32, i32, ptr, ptr, ptr,
                   ptr, ptr, ptr, i64, i32,        i32, i32, i32});
  return global("pmpd_model", type, [&] {
    SmallVector<Value> bytes;
    for (char byte : digest)
      bytes.push_back(literal(i8, static_cast<int8_t>(byte)));
    int element = model.getKvType().isF16() ? PMPD_F16 : PMPD_F32;
    return fill(type,
                {literal(i32, sizeof(pmpd_model_desc)),
                 literal(i32, PMPD_ABI_VERSION),
                 addressOf(nameText),
                 addressOf(tripleText),
                 addressOf(featuresText),
                 literal(i32, model.getVocab()),
                 literal(i32, model.getHidden()),
                 literal(i32, model.getLayers()),
                 literal(i32, model.getHeads()),
                 literal(i32, model.getKvHeads()),
                 literal(i32, model.getHeadDim()),
                 literal(i32, model.getContext()),
                 literal(i32, element),
                 literal(i64, model.getKVBytes()),
                 fill(digestType, bytes),
                 literal(i32, count),
                 literal(i32, classifierCount),
                 addressOf(regions),
                 addressOf(classifiers),
                 addressOf(kernels),
                 addressOf(deviceKernels),
                 addressOf(imagesName),
                 sample.empty() ? Value(LLVM::ZeroOp::create(builder, loc, ptr))
                                : addressOf(sample),
                 literal(i64, sampleScratch),
                 literal(i32, launches.kernels().size()),
                 literal(i32, launches.deviceKernels().size()),
                 literal(i32, imageCount),
                 literal(i32, 0)});
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
      if (!launch || !kernelOf(launch))
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
  FailureOr<std::string> regionTable = table(regions);
  if (failed(regionTable))
    return failure();
  std::string classifierTable = table(classifiers);
  FailureOr<std::string> described =
      descriptor(name, triple, features, *regionTable, regions.size(),
                 classifierTable, classifiers.size(), kernelTable());
  if (failed(described))
    return failure();
  auto getter =
      function(name + "_pmpd_model", LLVM::LLVMFunctionType::get(ptr, {}),
               LLVM::Linkage::External);
  builder.setInsertionPointToStart(getter.addEntryBlock(builder));
  LLVM::ReturnOp::create(builder, loc, addressOf(*described));
  return success();
}

struct EmitCInterface : impl::EmitCInterfaceBase<EmitCInterface> {
  using EmitCInterfaceBase::EmitCInterfaceBase;

  void runOnOperation() override {
    ArrayAttr images;
    auto devices = getOperation().getOps<gpu::GPUModuleOp>();
    if (!devices.empty()) {
      images = (*devices.begin())->getAttrOfType<ArrayAttr>("pmpd.images");
      if (!images) {
        (*devices.begin())
            .emitOpError("expected images of the kernels; run "
                         "--pmpd-emit-gpu-images first");
        return signalPassFailure();
      }
    }
    for (ModelOp model :
         llvm::make_early_inc_range(getOperation().getOps<ModelOp>())) {
      StringRef symbol = name.empty() ? model.getSymName() : StringRef(name);
      if (failed(Emitter(getOperation(), model, images)
                     .emit(symbol, triple, features)))
        return signalPassFailure();
      model.erase();
    }
    for (auto device : llvm::make_early_inc_range(devices))
      device.erase();
  }
};
} // namespace
} // namespace pmpd
