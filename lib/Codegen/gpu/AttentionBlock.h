// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_CODEGEN_GPU_ATTENTIONBLOCK_H
#define PMPD_LIB_CODEGEN_GPU_ATTENTIONBLOCK_H

#include "lib/Codegen/KernelLibrary.h"
#include "lib/Codegen/gpu/GpuKernelBuilder.h"

#include <limits>

namespace pmpd::codegen {

/// Less than any score but -infinity.
constexpr double lowestReal = std::numeric_limits<float>::lowest();

// f32.
Value add(GpuKernelBuilder &b, Value x, Value y);
Value mul(GpuKernelBuilder &b, Value x, Value y);
Value max(GpuKernelBuilder &b, Value x, Value y);
/// 2^(x - y), an instruction of the GPU, correct to 2 units in the last place.
Value exp2OfDifference(GpuKernelBuilder &b, Value x, Value y);

/// The queries that a block of attention answers: rows and heads that read one
/// head of the cache.
struct AttentionQueries {
  /// At most `budget`, but one.
  AttentionQueries(const AttentionShape &shape, int64_t budget);

  int64_t shared; /// Heads of the query that read one head of the cache.
  int64_t heads;  /// Of a block, a divisor of `shared`.
  int64_t rows;   /// Of a block.

  int64_t count() const { return heads * rows; }
  int64_t headGroups(const AttentionShape &shape) const {
    return shape.heads / heads;
  }
};

/// What the kernels of attention have in common: (query, cache of the layer,
/// output). Scores are in units of log2(e), so that exponentials are powers of
/// two.
class AttentionBlock {
protected:
  AttentionBlock(GpuKernelBuilder &b, const AttentionShape &shape,
                 const AttentionQueries &queries)
      : b(b), shape(shape), queries(queries), headDim(shape.cache.headDim) {}

  /// Finds the heads that the block works on.
  void placeHeads(Value headGroup);

  /// The first position that a row sees, from the one behind its last.
  Value beginOf(Value rowEnd);
  /// Place of an element of a query in the input, and in an output like it.
  Value queryOffset(Value row, Value head, Value col);
  /// What a product of a query and a key is multiplied by to be a score.
  Value scoreFactor();

  int64_t rowBytes();     ///< Of a row of the cache.
  int64_t valuesOffset(); ///< From keys to values, in bytes.
  /// A head's row of the cache; a cache may have more bytes than an i32 counts.
  Value cacheRow(Value base, Value row);

  GpuKernelBuilder &b;
  const AttentionShape &shape;
  const AttentionQueries queries;
  const int64_t headDim;
  Value firstHead, keys; // of this block, the head's first row of the cache
};

/// Threads of a block of attentionTiles.
int64_t attentionTilesThreads(const AttentionQueries &queries);
/// The queries of a block on tensor cores, or nothing where attention is not
/// for them: one row, a cache of f32, heads of more elements than registers
/// hold.
std::optional<AttentionQueries>
attentionTilesQueries(const AttentionShape &shape);
/// Attention of many rows on tensor cores; a task is a group of heads.
void emitAttentionTiles(GpuKernelBuilder &b, const AttentionShape &shape,
                        const AttentionQueries &queries);

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_GPU_ATTENTIONBLOCK_H
