// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/lib/codegen/CompiledKernel.h"

#include <cmath>
#include <limits>

using namespace pmpd;
using namespace pmpd::test;

namespace {

simt::LoadedGpuKernel argmax(int64_t cols) {
  llvm::ExitOnError check("kernel: ");
  return check(simt::LoadedGpuKernel::create([&](codegen::GpuKernels &library) {
    return check(library.argmax(cols));
  }));
}

constexpr int64_t rows = 3;
constexpr float infinity = std::numeric_limits<float>::infinity();

TEST(Argmax, is_the_first_of_the_highest_finite) {
  std::mt19937 random(8);
  for (int64_t cols : {1, 5, 1024, 4099}) {
    simt::LoadedGpuKernel kernel = argmax(cols);
    for (int round = 0; round < 4; ++round) {
      Guarded<float> x(randomFloats(rows * cols, random));
      for (size_t i = 0; i < x.count(); ++i) {
        if (round == 1) // many equals, and both zeros
          x[i] = std::round(x[i] * 2) / 4 - 0.25f;
        if (round == 2 && random() % 2)
          x[i] = random() % 2 ? infinity : std::nanf("");
        if (round == 3)
          x[i] = i % 2 ? -infinity : -3e38f;
      }
      Guarded<int32_t> y(rows);
      for (auto order : {simt::Order::Ascending, simt::Order::Descending}) {
        ASSERT_EQ(kernel.run({x.data(), y.data()}, rows, 0, order), "");
        for (int64_t row = 0; row < rows; ++row) {
          int32_t best = -1;
          for (int64_t i = 0; i < cols; ++i)
            if (std::isfinite(x[row * cols + i]) &&
                (best < 0 || x[row * cols + i] > x[row * cols + best]))
              best = i;
          EXPECT_EQ(y[row], best) << cols << " columns, round " << round;
        }
      }
    }
  }
}

TEST(Argmax, refuses_more_columns_than_f32_counts) {
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  codegen::GpuKernels library(*module);
  auto kernel = library.argmax((1 << 24) + 1);
  ASSERT_FALSE(kernel);
  EXPECT_EQ(llvm::toString(kernel.takeError()),
            "expected a vocabulary of at most 16777216 tokens for a GPU, but "
            "got 16777217");
}

} // namespace
