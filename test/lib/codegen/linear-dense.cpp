// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/lib/codegen/CompiledKernel.h"

#include <cmath>
#include <cstring>

using namespace pmpd::codegen;
using namespace pmpd::test;

namespace {

class LinearDense : public ForEveryMachine {};

TEST_P(LinearDense, equals_sums_in_double) {
  struct Case {
    int64_t rows, cols;
    bool halves, bias;
  };
  std::mt19937 random(2);
  for (const Case &c : {Case{4, 64, true, false}, Case{1, 5, false, true},
                        Case{50, 100, true, true}, Case{7, 16, false, false},
                        Case{33, 259, true, false}}) {
    CompiledKernel kernel(GetParam(), [&](KernelLibrary &library) {
      mlir::Builder builder(library.getContext());
      Type element =
          c.halves ? Type(builder.getF16Type()) : builder.getF32Type();
      return library.linearDense({c.rows, c.cols, element,
                                  c.bias ? element : Type(),
                                  /*maxRows=*/33});
    });
    std::vector<float> weights =
        throughHalves(randomFloats(c.rows * c.cols, random));
    std::vector<float> bias = throughHalves(randomFloats(c.rows, random));
    Guarded<uint16_t> weightHalves(toHalves(weights)),
        biasHalves(toHalves(bias));
    Guarded<float> weightFloats(weights), biasFloats(bias);
    for (int64_t rows : {1, 2, 3, 4, 5, 7, 33}) {
      SCOPED_TRACE(testing::Message()
                   << c.rows << "x" << c.cols << ", rows " << rows);
      Guarded<float> x(randomFloats(rows * c.cols, random));
      Guarded<float> y(rows * c.rows), again(rows * c.rows);
      std::vector<void *> pointers = {
          c.halves ? static_cast<void *>(weightHalves.data())
                   : weightFloats.data(),
          x.data(), y.data()};
      if (c.bias)
        pointers.push_back(c.halves ? static_cast<void *>(biasHalves.data())
                                    : biasFloats.data());
      kernel.run(pointers, rows);
      pointers[2] = again.data();
      kernel.runInPieces(pointers, rows, 0, random);
      ASSERT_EQ(std::memcmp(y.data(), again.data(), y.size()), 0);
      for (int64_t t = 0; t < rows; ++t)
        for (int64_t n = 0; n < c.rows; ++n) {
          double sum = c.bias ? bias[n] : 0, magnitude = 1;
          for (int64_t k = 0; k < c.cols; ++k) {
            double term = double{x[t * c.cols + k]} * weights[n * c.cols + k];
            sum += term;
            magnitude += std::fabs(term);
          }
          ASSERT_NEAR(y[t * c.rows + n], sum, 3e-7 * magnitude);
        }
    }
  }
}

PMPD_FOR_EVERY_MACHINE(LinearDense);

} // namespace
