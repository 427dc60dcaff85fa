// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of the CPU, generated on demand into a module.
//
// Every kernel is a function over pointers, in the order given at each member
// below, then %rows, %position, %begin, %end: the rows of activations, the
// tokens in the KV cache before this call, and the range of tasks to compute.
// Tasks are independent and any split of them gives the same bits. Activations
// are f32 [rows, cols], row-major and without padding; no pointer needs more
// than the alignment of its elements, except packed weights, which need 64
// bytes. An output may be an input only where a member says so.
#ifndef PMPD_LIB_CODEGEN_KERNELLIBRARY_H
#define PMPD_LIB_CODEGEN_KERNELLIBRARY_H

#include "dialects/PMPD/PMPD.h"
#include "lib/Codegen/KernelBuilder.h"

#include "mlir/IR/BuiltinOps.h"

namespace pmpd::codegen {

/// How a linear kernel reads its activations: as f32, or quantized to 8 or 16
/// bits in the format of RowFormat.h.
enum class Activations { F32, Q8, Q16 };

/// Shapes are those of the weight, [rows, cols]. `bias` is null, f16 or f32.
struct NestedLinear {
  int64_t rows;
  int64_t cols;
  int64_t group;
  unsigned bits;        /// Prefix to read.
  unsigned parentBits;  /// Stored bits.
  unsigned prefixIndex; /// Place of `bits` among the readable prefixes.
  Activations activations;
  Type bias;
};

struct DenseLinear {
  int64_t rows;
  int64_t cols;
  Type weight; /// f16 or f32
  Type bias;   /// null, f16 or f32
};

struct RopeShape {
  int64_t heads;
  int64_t headDim;
  int64_t frequencies; /// Pairs that rotate, at most headDim / 2.
  RopeStyle style;
};

/// The cache of one layer: element [2: K, V][heads][context][headDim].
struct CacheShape {
  Type element; /// f16 or f32
  int64_t heads;
  int64_t headDim; /// A multiple of 8.
  int64_t context;
};

struct AttentionShape {
  CacheShape cache;
  int64_t heads; /// Of the query, a multiple of cache.heads.
  double scale;
  std::optional<int64_t> window;
};

/// A generated function and how many tasks it has: for every `rowTile` rows
/// begun, or in all if that is 0.
struct Kernel {
  mlir::func::FuncOp func;
  int64_t tasks;
  int64_t rowTile;
};

/// Adds kernels to a module, one for each distinct shape however often asked.
class KernelLibrary {
public:
  KernelLibrary(mlir::ModuleOp module, Target target);

  /// Layout S. (weight, input, output[, bias]); a task is a panel of 16 rows of
  /// the weight. The input is f32 or quantized rows of the same group.
  Kernel linearS(const NestedLinear &shape);
  /// Layout plain, F32 activations only. (weight, input, output[, bias]).
  Kernel linearPlain(const NestedLinear &shape);
  /// (weight [rows, cols], input, output[, bias]); a task is 4 weight rows.
  Kernel linearDense(const DenseLinear &shape);

  /// (input, quantized rows); columns in groups of `group`, bits 8 or 16.
  Kernel quantizeRows(int64_t cols, unsigned bits, int64_t group);

  /// (tokens i32[rows], table [tokens, cols], output).
  Kernel embed(int64_t cols, Type table, double scale);
  /// (input, table [positions, cols], output); output may be input.
  Kernel addPosition(int64_t cols, Type table, int64_t offset);
  /// (input, weight [cols], output); output may be input.
  Kernel rmsNorm(int64_t cols, Type weight, double eps);
  /// (input, weight [cols], bias [cols], output); output may be input.
  Kernel layerNorm(int64_t cols, Type weight, Type bias, double eps);
  /// (input, table f32 [position][2 * frequencies], output); output may be
  /// input.
  Kernel rope(const RopeShape &shape);

  /// (keys, values, cache of the layer).
  Kernel kvAppend(const CacheShape &shape);
  /// (K or V of a layer, the same as f32); a task is a head, of which %rows
  /// positions are converted.
  Kernel widenCache(const CacheShape &shape);
  /// (query, cache of the layer, output); a task is a head of the cache for a
  /// tile of rows. Output may be query.
  Kernel attention(const AttentionShape &shape);

  /// (input, output); output may be input.
  Kernel activate(int64_t cols, ActivationKind kind);
  /// (lhs, rhs, output); output may be either.
  Kernel add(int64_t cols);
  Kernel mul(int64_t cols);

  mlir::MLIRContext *getContext() { return module.getContext(); }

private:
  using Body = llvm::function_ref<void(KernelBuilder &)>;

  /// The function `name`, whose `body` is written the first time it is asked
  /// for.
  mlir::func::FuncOp get(llvm::StringRef name,
                         llvm::ArrayRef<mlir::MemRefType> pointers, Body body);

  mlir::MemRefType f32Rows(int64_t cols);
  mlir::MemRefType bytes(int64_t count);

  mlir::ModuleOp module;
  Target target;
};

/// Replaces elementary functions by polynomials: generated code calls no
/// library.
void expandFunctions(mlir::func::FuncOp func);

/// "f16" or "f32", for names.
llvm::StringRef nameOf(Type element);
/// "_biasf16" or "_biasf32", or nothing where there is none.
std::string biasName(Type bias);
/// The bits of the f32 nearest to `value` in hexadecimal, for names.
std::string nameOf(double value);

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_KERNELLIBRARY_H
