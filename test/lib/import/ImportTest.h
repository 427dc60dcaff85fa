// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_LIB_IMPORT_IMPORTTEST_H
#define PMPD_TEST_LIB_IMPORT_IMPORTTEST_H

#include "dialects/ONNX/ONNX.h"
#include "lib/Import/ONNX/Import.h"
#include "test/lib/TemporaryFolder.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"

namespace pmpd::test {

/// Imports files and keeps what is said about them.
class ImportTest : public TemporaryFolder {
protected:
  mlir::OwningOpRef<mlir::ModuleOp> import(const std::string &path) {
    messages.clear();
    mlir::ScopedDiagnosticHandler handler(&context,
                                          [&](mlir::Diagnostic &diagnostic) {
                                            messages += diagnostic.str() + "\n";
                                            return mlir::success();
                                          });
    return onnx::importONNX(path, &context);
  }

  /// Expects that `path` is refused with a message that has `part`.
  void expectRefused(const std::string &path, const std::string &part) {
    EXPECT_FALSE(import(path)) << path;
    EXPECT_NE(messages.find(part), std::string::npos)
        << "expected '" << part << "' in: " << messages;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::string messages;
};

} // namespace pmpd::test

#endif // PMPD_TEST_LIB_IMPORT_IMPORTTEST_H
