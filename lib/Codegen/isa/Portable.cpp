// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/isa/Isa.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// 128-bit vectors and 32-bit products; correct wherever LLVM has a backend
/// for a little-endian machine.
struct Portable : Isa {
  unsigned lanes() const override { return 4; }
  unsigned rowTile(Activations activations) const override {
    return activations == Activations::Q16 ? 1 : 2;
  }
  unsigned unrolledTiles() const override { return 1; }

  Value dot(KernelBuilder &b, Value partial, Value codes,
            Value x) const override {
    VectorType ints = b.vectorOf(b.getI32Type(), lanes());
    Value words = vector::BitCastOp::create(b, ints, codes);
    Value wide = arith::ExtSIOp::create(b, b.vectorOf(b.getI32Type(), 4), x);
    for (unsigned i = 0; i < 4; ++i) {
      Value code =
          i ? arith::ShRUIOp::create(b, words, b.splatInt(8 * i, lanes()))
                  .getResult()
            : words;
      if (i < 3)
        code = arith::AndIOp::create(b, code, b.splatInt(0xFF, lanes()));
      Value factor = b.splat(b.extract(wide, i), lanes());
      partial = arith::AddIOp::create(b, partial,
                                      arith::MulIOp::create(b, code, factor));
    }
    return partial;
  }
};

} // namespace

const Isa &portableIsa() {
  static const Portable isa;
  return isa;
}

} // namespace pmpd::codegen
