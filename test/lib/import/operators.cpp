// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ONNX project's own test cases: what is evaluated has the expected
// elements, and what is inferred the expected shape.
#include "lib/Import/ONNX/Evaluator.h"
#include "test/lib/import/ImportTest.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cmath>

using namespace pmpd;
using namespace pmpd::onnx;

namespace {

class OperatorTest : public test::ImportTest {
protected:
  /// Checks the computed outputs of a case against the expected ones.
  void check(const std::string &path) {
    mlir::OwningOpRef<mlir::ModuleOp> module = import(path);
    ASSERT_TRUE(module) << messages;
    auto graph = *module->getOps<mlir::func::FuncOp>().begin();
    auto outputs = graph.front().getTerminator()->getOperands();
    FileCache files;
    DimSymbols symbols(&context);
    Evaluator evaluator(files, symbols, llvm::StringMap<int64_t>(),
                        llvm::DenseMap<mlir::Value, Tensor>());
    size_t count = outputs.size() / 2;
    for (size_t i = 0; i < count; ++i) {
      llvm::Expected<const Tensor *> computed = evaluator.evaluate(outputs[i]);
      ASSERT_TRUE(bool(computed)) << llvm::toString(computed.takeError());
      Tensor actual = **computed;
      llvm::Expected<const Tensor *> expected =
          evaluator.evaluate(outputs[count + i]);
      ASSERT_TRUE(bool(expected)) << llvm::toString(expected.takeError());
      compare(actual, **expected);
      auto type = mlir::dyn_cast<mlir::RankedTensorType>(outputs[i].getType());
      // Shapes that depend on what is not followed have unknown sizes.
      if (type && type.hasStaticShape()) {
        ++inferred;
        EXPECT_EQ(llvm::ArrayRef<int64_t>(actual.shape), type.getShape());
      }
    }
  }

  static void compare(const Tensor &actual, const Tensor &expected) {
    ASSERT_EQ(actual.shape, expected.shape);
    ASSERT_EQ(actual.isReal(), expected.isReal());
    for (int64_t i = 0, e = actual.size(); i < e; ++i) {
      double a = actual.at(i), b = expected.at(i);
      if (std::isnan(b) || std::isinf(b))
        ASSERT_TRUE(std::isnan(a) ? std::isnan(b) : a == b) << "element " << i;
      else if (actual.isReal()) // the expected ones are in single or half
        ASSERT_NEAR(a, b, 1e-3 * std::max(1.0, std::abs(b))) << "element " << i;
      else
        ASSERT_EQ(a, b) << "element " << i;
    }
  }

  int inferred = 0;
};

TEST_F(OperatorTest, AgreesWithTheCasesOfONNX) {
  OperatorTable table;
  addStructuralOperators(table);
  addArithmeticOperators(table);
  addReductionOperators(table);
  std::string command = "/usr/bin/python3 " PMPD_SOURCE_DIR
                        "/test/lib/import/operators.py " +
                        folder.string() + " Shape Size";
  for (const auto &entry : table)
    command += " " + entry.getKey().str();
  ASSERT_EQ(std::system((command + " > /dev/null").c_str()), 0) << command;
  int cases = 0;
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().filename().string());
    check(entry.path());
    ++cases;
  }
  EXPECT_GE(cases, 280);
  EXPECT_GE(inferred, cases * 9 / 10);
}

} // namespace
