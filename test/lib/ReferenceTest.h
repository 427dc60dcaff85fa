// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_LIB_REFERENCETEST_H
#define PMPD_TEST_LIB_REFERENCETEST_H

#include "dialects/PMPD/PMPD.h"
#include "test/lib/TemporaryFolder.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

namespace pmpd::test {

/// A context with the dialect, a file of weights and the last error that was
/// emitted.
class ReferenceTest : public TemporaryFolder {
protected:
  ReferenceTest()
      : handler(&context, [this](mlir::Diagnostic &diagnostic) {
          error = diagnostic.str();
          return mlir::success();
        }) {
    context.loadDialect<PMPDDialect>();
  }

  std::string weightsPath() const { return pathOf("weights.bin"); }

  template <typename Element>
  void writeWeights(const std::vector<Element> &values) {
    write("weights.bin", {reinterpret_cast<const char *>(values.data()),
                          values.size() * sizeof(Element)});
  }

  /// Parses `ir`, in which FILE stands for the quoted path of the weights.
  mlir::OwningOpRef<mlir::ModuleOp> parse(std::string ir) {
    std::string quoted = '"' + weightsPath() + '"';
    for (size_t at; (at = ir.find("FILE")) != std::string::npos;)
      ir.replace(at, 4, quoted);
    auto module = mlir::parseSourceString<mlir::ModuleOp>(ir, &context);
    EXPECT_TRUE(module) << error;
    return module;
  }

  mlir::MLIRContext context;
  mlir::ScopedDiagnosticHandler handler;
  std::string error;
};

} // namespace pmpd::test

#endif // PMPD_TEST_LIB_REFERENCETEST_H
