// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Networks with a wrong operator, input, attribute or shape are lowered or
// refused with a reason.
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "test/lib/TemporaryFolder.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace {

const char *const kModel = R"(
pmpd.model @m vocab = 64, hidden = 8, layers = 1, heads = 2, kv_heads = 2, head_dim = 4, context = 16, kv = f32 {
  pmpd.weight @embed : tensor<64x8xf16>
  pmpd.weight @head : tensor<64x8xf16>
  pmpd.decode bits [4, 3, 2] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x8xf32>
    %o = pmpd.linear %h, @head : tensor<?x8xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }
})";

class DamagedSchedulers : public pmpd::test::TemporaryFolder {
protected:
  DamagedSchedulers() {
    context.loadDialect<pmpd::PMPDDialect>();
    context.printOpOnDiagnostic(false);
  }

  /// Whether the network at `path` can be compiled in.
  bool lower(const std::string &path) {
    std::string messages;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      messages += diagnostic.str() + "\n";
      return success();
    });
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(kModel, &context);
    EXPECT_TRUE(module) << messages;
    PassManager passes(&context);
    pmpd::AttachSchedulerOptions attach;
    attach.file = path;
    passes.addPass(pmpd::createAttachScheduler(attach));
    pmpd::buildLowerClassifiersPipeline(passes);
    bool lowered = succeeded(passes.run(*module));
    EXPECT_EQ(lowered, messages.empty()) << messages;
    // What is wrong is seen before it becomes another dialect.
    for (const char *dialect : {"'linalg.", "'tensor.", "'memref.", "'pmpd."})
      EXPECT_EQ(messages.find(dialect), std::string::npos) << messages;
    return lowered;
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
};

TEST_F(DamagedSchedulers, AreLoweredOrRefused) {
  int lowered = 0, refused = 0;
  for (std::string kind : {"plain", "operators"}) {
    std::string command =
        "/usr/bin/python3 " PMPD_SOURCE_DIR "/test/fixtures/classifiers.py " +
        kind + " " + pathOf(kind) + " --heads 2 --head-dim 4 --damaged 300";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    ++(lower(entry.path()) ? lowered : refused);
  }
  EXPECT_GT(lowered, 80);
  EXPECT_GT(refused, 200);
}

} // namespace
