// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A byte of a plane's word has the bits of 8 columns. Planes are merged in
// pairs, so that fields grow to 2 and then to 4 bits while there are half and a
// quarter of the columns in a word, and only then spread to bytes: every
// instruction works on 8 columns or more but the last ones on 4.
#include "lib/Codegen/gpu/Codes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

class Unpacker {
public:
  explicit Unpacker(GpuKernelBuilder &b) : b(b) {}

  Values two(Value high, Value low) {
    Values columns(8);
    for (unsigned odd : {0, 1}) {
      Value pairs = mergeBits(high, low, odd);
      for (unsigned f = 0; f < 4; ++f)
        columns[2 * f + odd] = field(pairs, 2 * f, 0x03);
    }
    return columns;
  }

  Values three(Value high, Value middle, Value low) {
    Values columns(8);
    for (unsigned odd : {0, 1}) {
      Value pairs = mergeBits(high, middle, odd);
      for (unsigned second : {0, 1}) {
        // Bits 1 and 2 of a nibble from a pair, bit 0 from the low plane; bit
        // 3 is of another column.
        Value place = second ? b.shiftRight(pairs, 1) : b.shiftLeft(pairs, 1);
        Value nibbles =
            select(place, b.shiftRight(low, 2 * second + odd), 0x66666666);
        columns[2 * second + odd] = field(nibbles, 0, 0x07);
        columns[2 * second + odd + 4] = field(nibbles, 4, 0x07);
      }
    }
    return columns;
  }

  Values four(ValueRange planes) {
    Values columns(8);
    for (unsigned odd : {0, 1}) {
      Value high = mergeBits(planes[0], planes[1], odd);
      Value low = mergeBits(planes[2], planes[3], odd);
      for (unsigned second : {0, 1}) {
        Value nibbles = second ? select(high, b.shiftRight(low, 2), 0xCCCCCCCC)
                               : select(b.shiftLeft(high, 2), low, 0xCCCCCCCC);
        columns[2 * second + odd] = field(nibbles, 0, 0x0F);
        columns[2 * second + odd + 4] = field(nibbles, 4, 0x0F);
      }
    }
    return columns;
  }

private:
  /// Pairs of bits of the even or the odd columns.
  Value mergeBits(Value high, Value low, bool odd) {
    return odd ? select(high, b.shiftRight(low, 1), 0xAAAAAAAA)
               : select(b.shiftLeft(high, 1), low, 0xAAAAAAAA);
  }
  /// In each byte the field at bit `shift`.
  Value field(Value word, unsigned shift, uint32_t byteMask) {
    return b.bitAnd(b.shiftRight(word, shift), byteMask * 0x01010101u);
  }
  /// `first` where the mask has ones, else `second`: one LOP3.
  Value select(Value first, Value second, uint32_t mask) {
    return arith::OrIOp::create(b, b.bitAnd(first, mask),
                                b.bitAnd(second, ~mask));
  }

  GpuKernelBuilder &b;
};

} // namespace

Values unpackCodes(GpuKernelBuilder &b, ValueRange planes) {
  Unpacker unpacker(b);
  switch (planes.size()) {
  case 2:
    return unpacker.two(planes[0], planes[1]);
  case 3:
    return unpacker.three(planes[0], planes[1], planes[2]);
  default:
    return unpacker.four(planes);
  }
}

} // namespace pmpd::codegen
