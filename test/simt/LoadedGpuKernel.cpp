// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/LoadedGpuKernel.h"
#include "lib/Codegen/gpu/LowerToNVVM.h"
#include "pmpd/kernel.h"

#include "mlir/Pass/PassManager.h"

using namespace llvm;

namespace pmpd::simt {

Expected<LoadedGpuKernel> LoadedGpuKernel::create(MakeGpuKernel make) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  codegen::GpuKernels library(*module);
  codegen::Kernel made = make(library);
  std::string name = made.func.getName().str();
  int64_t threads =
      (*cast<mlir::gpu::GPUFuncOp>(*made.func).getKnownBlockSize())[0];
  mlir::PassManager pm(&context);
  codegen::buildGpuLoweringPipeline(pm);
  if (failed(pm.run(*module)))
    return createStringError("kernel '" + name + "' cannot be lowered");
  auto loaded =
      LoadedModule::create(*module->getOps<mlir::gpu::GPUModuleOp>().begin());
  if (!loaded)
    return loaded.takeError();
  const Kernel *kernel = loaded->find(name);
  if (!kernel)
    return createStringError("kernel '" + name + "' is no kernel");
  return LoadedGpuKernel(std::move(*loaded), *kernel, threads, made.tasks,
                         made.rowTile);
}

std::string LoadedGpuKernel::run(ArrayRef<void *> pointers, int64_t rows,
                                 int64_t position, Order order) const {
  if (pointers.size() + 1 != kernel.arguments)
    return "expected " + std::to_string(kernel.arguments - 1) +
           " pointers, but got " + std::to_string(pointers.size());
  pmpd_gpu_call call = {static_cast<int32_t>(rows),
                        static_cast<int32_t>(position)};
  SmallVector<void *> arguments(pointers);
  arguments.push_back(&call);
  int64_t blocks = rowTile ? tasks * divideCeil(rows, rowTile) : tasks;
  return launch(kernel, arguments.data(), blocks, threads, order);
}

} // namespace pmpd::simt
