// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Object.h"

#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Passes/PassBuilder.h"

using namespace llvm;

namespace pmpd::emit {

std::unique_ptr<Module> translate(mlir::Operation *module,
                                  TargetMachine &machine,
                                  LLVMContext &context) {
  mlir::DialectRegistry registry;
  mlir::registerAllToLLVMIRTranslations(registry);
  module->getContext()->appendDialectRegistry(registry);
  std::unique_ptr<Module> translated =
      mlir::translateModuleToLLVMIR(module, context, "pmpd");
  if (translated)
    optimize(*translated, machine);
  return translated;
}

void optimize(Module &module, TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    // Kernels are written in vectors of the target's width.
    function.addFnAttr("prefer-vector-width", "512");
    // Nor is a loop to become a call of memset: a library calls nothing.
    function.addFnAttr("no-builtins");
  }

  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O2)
      .run(module, modules);
}

SmallVector<char, 0> compile(Module &module, TargetMachine &machine,
                             CodeGenFileType type) {
  SmallVector<char, 0> contents;
  raw_svector_ostream stream(contents);
  legacy::PassManager passes;
  [[maybe_unused]] bool unsupported =
      machine.addPassesToEmitFile(passes, stream, nullptr, type);
  assert(!unsupported && "targets emit objects and assembly");
  passes.run(module);
  return contents;
}

} // namespace pmpd::emit
