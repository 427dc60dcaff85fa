// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-bench/GpuKernels.h"

#include "lib/Codegen/gpu/GpuKernels.h"
#include "lib/Codegen/gpu/GpuRowFormat.h"
#include "lib/Codegen/gpu/LowerToNVVM.h"
#include "lib/Emit/GpuTarget.h"
#include "tools/support/Tool.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FileSystem.h"

#include <nlohmann/json.hpp>

using namespace mlir;
using namespace pmpd;
using namespace pmpd::tools;
using Json = nlohmann::ordered_json;

namespace {

// Each thread has this many loads of 16 bytes under way.
constexpr int64_t kReadThreads = 256, kReadLoads = 8;
constexpr int64_t kReadBlockBytes = kReadThreads * kReadLoads * 16;

template <typename T> T take(llvm::Expected<T> value) {
  if (!value)
    throw ToolError(llvm::toString(value.takeError()));
  return std::move(*value);
}

/// (data, place for nothing): reads a block's part of the data, and stores only
/// if all of it were of one value, so that no load can be left out.
gpu::GPUFuncOp addRead(gpu::GPUModuleOp module) {
  MLIRContext *context = module.getContext();
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  SmallVector<Type> inputs(3, LLVM::LLVMPointerType::get(context, 1));
  auto func =
      gpu::GPUFuncOp::create(builder, module.getLoc(), "read_memory",
                             FunctionType::get(context, inputs, TypeRange()));
  func->setAttr(gpu::GPUDialect::getKernelFuncAttrName(),
                builder.getUnitAttr());
  func.setKnownBlockSizeAttr(
      builder.getDenseI32ArrayAttr({int32_t(kReadThreads), 1, 1}));
  codegen::GpuKernelBuilder b(func);
  auto words = VectorType::get({4}, b.getI32Type());
  Value base = b.at(b.pointer(0), b.mul(b.block(), kReadBlockBytes));
  Value own = b.at(base, b.mul(b.thread(), 16));
  Value all;
  for (int64_t i = 0; i < kReadLoads; ++i) {
    Value loaded = b.load(words, b.at(own, i * kReadThreads * 16), 16,
                          /*constant=*/true);
    all = all ? arith::XOrIOp::create(b, all, loaded) : loaded;
  }
  Value folded;
  for (int64_t i = 0; i < 4; ++i) {
    Value word = vector::ExtractOp::create(b, all, i);
    folded = folded ? arith::XOrIOp::create(b, folded, word) : word;
  }
  b.when(b.equal(folded, 0x5EED), [&] { b.store(folded, b.pointer(1)); });
  gpu::ReturnOp::create(b);
  return func;
}

Json describe(codegen::Kernel kernel) {
  auto func = cast<gpu::GPUFuncOp>(kernel.func.getOperation());
  return {{"name", func.getName().str()},
          {"threads", func.getKnownBlockSizeAttr().asArrayRef().front()},
          {"pointers", func.getNumArguments() - 1}, // and the call
          {"tasks", kernel.tasks},
          {"row_tile", kernel.rowTile}};
}

Json addLinears(codegen::GpuKernels &library, const GpuKernelFiles &files) {
  Json list = Json::array();
  for (auto [rows, cols] : files.shapes)
    for (int64_t batch : files.batches)
      for (int bits : files.bits) {
        codegen::NestedLinear shape{rows,
                                    cols,
                                    files.group,
                                    unsigned(bits),
                                    PMPD_MAX_BITS,
                                    unsigned(bits - PMPD_MIN_BITS),
                                    codegen::Activations::Q16,
                                    mlir::Type(),
                                    batch};
        list.push_back(
            {{"rows", rows},
             {"cols", cols},
             {"group", files.group},
             {"batch", batch},
             {"bits", bits},
             {"quantized_row_bytes", codegen::bytesPerGpuRow(cols)},
             {"quantize",
              describe(library.quantizeRows(cols, 16, files.group))},
             {"linear",
              describe(take(library.linearNested(Layout::GPU, shape)))}});
      }
  return list;
}

} // namespace

void pmpd::tools::writeGpuKernels(const GpuKernelFiles &files) {
  MLIRContext context;
  context.loadDialect<LLVM::LLVMDialect>();
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  codegen::GpuKernels library(*module);
  Json json = {{"format", "pmpd-gpu-kernels"}, {"version", 1}};
  json["linears"] = addLinears(library, files);
  auto kernels = *module->getOps<gpu::GPUModuleOp>().begin();
  json["read"] = describe({addRead(kernels), /*tasks=*/1, /*rowTile=*/1});
  json["read"]["bytes_per_block"] = kReadBlockBytes;
  emit::GpuTarget target = take(emit::resolveGpu(files.chip));
  json["sm"] = target.sm;
  PassManager passes(&context);
  codegen::buildGpuLoweringPipeline(passes);
  if (failed(passes.run(*module)))
    throw ToolError("cannot lower the kernels");
  std::string ptx = emit::makePtx(kernels, target);
  if (ptx.empty())
    throw ToolError("cannot translate the kernels to PTX");
  if (std::error_code error =
          llvm::sys::fs::create_directories(files.directory))
    throw ToolError(files.directory + ": " + error.message());
  writeText(files.directory + "/kernels.ptx", ptx);
  writeText(files.directory + "/kernels.json", json.dump(1) + "\n");
  if (!files.ir)
    return;
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  writeText(files.directory + "/kernels.mlir", text);
}
