// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/NPU/NPU.h"
#include "dialects/ONNX/ONNX.h"
#include "dialects/PMPD/PMPD.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "tools/support/Version.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"

int main(int argc, char **argv) {
  llvm::cl::AddExtraVersionPrinter([](llvm::raw_ostream &os) {
    os << pmpd::tools::versionText("pmpd-opt") << "\n";
  });
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registry.insert<pmpd::PMPDDialect, pmpd::npu::NPUDialect,
                  pmpd::onnx::ONNXDialect>();
  mlir::registerAllPasses();
  pmpd::registerPMPDPasses();
  pmpd::registerPipelines();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "pmpd optimizer\n", registry));
}
