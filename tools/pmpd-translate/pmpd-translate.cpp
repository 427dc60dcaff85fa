// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/ONNX/ONNX.h"
#include "lib/Import/ONNX/Import.h"
#include "tools/support/Version.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/SourceMgr.h"

int main(int argc, char **argv) {
  llvm::cl::AddExtraVersionPrinter([](llvm::raw_ostream &os) {
    os << pmpd::tools::versionText("pmpd-translate") << "\n";
  });
  mlir::TranslateToMLIRRegistration import(
      "import-onnx", "import an ONNX model given by its path",
      [](llvm::SourceMgr &source, mlir::MLIRContext *context) {
        // Weights are named by file, so the buffer alone would not do.
        return pmpd::onnx::importONNX(
            source.getMemoryBuffer(source.getMainFileID())
                ->getBufferIdentifier(),
            context);
      });
  return mlir::failed(
      mlir::mlirTranslateMain(argc, argv, "pmpd translation\n"));
}
