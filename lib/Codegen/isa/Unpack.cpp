// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Codegen/isa/Isa.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace pmpd::codegen {
namespace {

/// Shifts 16-bit elements, left if `by` is positive. Bits that cross a byte
/// land where the select that follows does not look.
Value shift(KernelBuilder &b, Value bytes, int by) {
  auto type = cast<VectorType>(bytes.getType());
  VectorType wide = b.vectorOf(b.getI16Type(), type.getNumElements() / 2);
  Value words = vector::BitCastOp::create(b, wide, bytes);
  Value amount = arith::ConstantOp::create(
      b, DenseElementsAttr::get(wide, static_cast<int16_t>(std::abs(by))));
  Value shifted = by > 0 ? arith::ShLIOp::create(b, words, amount).getResult()
                         : arith::ShRUIOp::create(b, words, amount).getResult();
  return vector::BitCastOp::create(b, type, shifted);
}

} // namespace

Value Isa::select(KernelBuilder &b, uint8_t mask, Value onSet,
                  Value onClear) const {
  unsigned width = cast<VectorType>(onSet.getType()).getNumElements();
  return arith::OrIOp::create(
      b, arith::AndIOp::create(b, onSet, b.splatBytes(mask, width)),
      arith::AndIOp::create(b, onClear, b.splatBytes(~mask, width)));
}

FieldShifts::FieldShifts(const Isa &isa, unsigned bits)
    : base(bits == 3 ? 1 : 0), step(bits == 2 ? 2 : 4),
      count((isa.needsLowNibbles() ? 4 : 8) / step) {}

Field isolate(KernelBuilder &b, const Isa &isa, const Field &field) {
  Field result = field;
  if (isa.needsLowNibbles() && field.mask > 0x0F) {
    result.bytes = shift(b, field.bytes, -4);
    result.mask >>= 4;
    result.shift -= 4;
  }
  unsigned width = cast<VectorType>(field.bytes.getType()).getNumElements();
  result.bytes =
      arith::AndIOp::create(b, result.bytes, b.splatBytes(result.mask, width));
  return result;
}

Value extractCodes(KernelBuilder &b, const Field &field) {
  unsigned width = cast<VectorType>(field.bytes.getType()).getNumElements();
  Value bytes =
      field.shift ? shift(b, field.bytes, -int(field.shift)) : field.bytes;
  return arith::AndIOp::create(b, bytes,
                               b.splatBytes(field.mask >> field.shift, width));
}

const Isa &Isa::of(const Target &target) {
  switch (target.isa) {
  case ISA::Portable:
    return portableIsa();
  case ISA::AVX2:
    return avx2Isa();
  case ISA::AVXVNNI:
    return avxVnniIsa();
  case ISA::AVX512VNNI:
    return avx512VnniIsa();
  case ISA::AMX:
    return amxIsa();
  }
  llvm_unreachable("every ISA is listed");
}

SmallVector<Field> unpackTile(KernelBuilder &b, const Isa &isa, unsigned bits,
                              ArrayRef<Value> lines) {
  SmallVector<Field> fields;
  if (bits == 2) {
    for (unsigned v = 0; v < 2; ++v)
      for (unsigned f = 0; f < 4; ++f)
        fields.push_back(
            {lines[v], static_cast<uint8_t>(3 << 2 * f), 2 * f, 4 * v + f});
    return fields;
  }
  // Each nibble of `nibbles` is a code, or twice one with a stray low bit.
  auto add = [&](Value nibbles, unsigned lowQuad) {
    uint8_t mask = bits == 4 ? 0x0F : 0x0E;
    unsigned shift = bits == 4 ? 0 : 1;
    fields.push_back({nibbles, mask, shift, lowQuad});
    fields.push_back(
        {nibbles, static_cast<uint8_t>(mask << 4), shift + 4, lowQuad + 2});
  };
  // The low bits of both nibbles of a byte: two bits for 4-bit codes, one bit
  // and a stray one for 3-bit codes.
  for (unsigned v = 0; v < 2; ++v) {
    Value high = lines[v];
    Value third = lines[2];
    Value low = third;
    Value lowNext;
    if (bits == 4) {
      low = v == 0 ? isa.select(b, 0xAA, third, lines[3])
                   : isa.select(b, 0xAA, shift(b, third, 1),
                                shift(b, lines[3], -1));
      lowNext = shift(b, low, -2);
    } else {
      // One shift in place of two.
      low = v == 0 ? third : shift(b, third, 1);
      lowNext = shift(b, third, v == 0 ? -2 : -1);
    }
    add(isa.select(b, 0xCC, high, low), 4 * v + 1);
    add(isa.select(b, 0xCC, shift(b, high, 2), lowNext), 4 * v);
  }
  return fields;
}

} // namespace pmpd::codegen
