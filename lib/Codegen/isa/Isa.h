// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What differs between instruction sets in a linear kernel over layout S.
#ifndef PMPD_LIB_CODEGEN_ISA_ISA_H
#define PMPD_LIB_CODEGEN_ISA_ISA_H

#include "lib/Codegen/CpuKernels.h"
#include "lib/Codegen/KernelBuilder.h"

namespace pmpd::codegen {

/// Codes of 4 columns of every row of a vector, among other bits: byte 4r + i
/// holds, under `mask`, the code of row r and column 4 * quad + i of the tile,
/// times 2^shift.
struct Field {
  Value bytes;
  uint8_t mask;
  unsigned shift;
  unsigned quad;
};

class Isa {
public:
  virtual ~Isa() = default;

  /// Rows of the weight in a vector: 16, 8 or 4.
  virtual unsigned lanes() const = 0;
  /// Activation rows whose sums fit in registers beside the weights.
  virtual unsigned rowTile(Activations activations) const = 0;
  /// Tiles of 32 columns to write without a loop.
  virtual unsigned unrolledTiles() const = 0;

  /// mask ? a : b, for every bit.
  virtual Value select(KernelBuilder &b, uint8_t mask, Value onSet,
                       Value onClear) const;
  /// Whether `dot` takes only codes below 16, so that the fields of the high
  /// nibble are shifted down first.
  virtual bool needsLowNibbles() const { return false; }

  /// partial + codes * x over the 4 bytes of every 32-bit lane; x is 4 signed
  /// bytes. A partial begins at beginTile of its i32 sum and ends within the
  /// tile at endTile, which returns the sum.
  virtual Value dot(KernelBuilder &b, Value partial, Value codes,
                    Value x) const = 0;
  virtual Value beginTile(KernelBuilder &b, Value sum) const { return sum; }
  virtual Value endTile(KernelBuilder &b, Value sum, Value partial) const {
    return partial;
  }

  /// Activation rows and panels of a block, 0 where rows are taken singly.
  virtual unsigned blockRows() const { return 0; }
  virtual unsigned blockPanels() const { return 1; }
  /// The dot products of a block, i32 vectors [panel][row]: `codes` is
  /// i8 [panels, quads of columns, 4 * lanes], one code in a byte, `input` i8
  /// [rows, 4 * quads], of which those from `firstRow` on are multiplied.
  virtual Values blockDots(KernelBuilder &b, Value codes, Value input,
                           Value firstRow) const {
    llvm_unreachable("the target has no blocks, or stores their products");
  }
  /// Whether products come by way of memory, with storeDots() in place of
  /// blockDots(): to the rows of `dots`, i32 [.., lanes], from `to` on. What
  /// loadCodes() returns is for all blocks of the same codes.
  virtual bool storesDots() const { return false; }
  virtual Values loadCodes(KernelBuilder &b, Value codes) const { return {}; }
  virtual void storeDots(KernelBuilder &b, Value codes, ValueRange loaded,
                         Value input, Value firstRow, Value dots,
                         Value to) const {
    llvm_unreachable("the target has no blocks, or keeps their products");
  }

  static const Isa &of(const Target &target);
};

const Isa &portableIsa();
const Isa &avx2Isa();
const Isa &avxVnniIsa();
const Isa &avx512VnniIsa();
const Isa &amxIsa();

/// Shifts of fields are base, base + step, ... with `count` of them below a
/// byte, or below a nibble where the target needs that: as many sums as a group
/// keeps apart.
struct FieldShifts {
  FieldShifts(const Isa &isa, unsigned bits);
  unsigned base;
  unsigned step;
  unsigned count;
};

/// The fields of a tile: `lines` are its slices of regions 0 .. bits - 1.
llvm::SmallVector<Field> unpackTile(KernelBuilder &b, const Isa &isa,
                                    unsigned bits, llvm::ArrayRef<Value> lines);
/// The same field with all other bits zero and a shift among FieldShifts.
Field isolate(KernelBuilder &b, const Isa &isa, const Field &field);
/// The codes themselves.
Value extractCodes(KernelBuilder &b, const Field &field);

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_ISA_ISA_H
