// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What kernels a target must have, whatever it is: the lowering of regions asks
// for them by shape.
//
// A kernel takes the pointers given at each member below, in that order; how it
// gets the rows of activations and the tokens in the KV cache before the call
// is the target's matter (CpuKernels.h, gpu/GpuKernels.h). Activations are f32
// [rows, cols], row-major and without padding; no pointer needs more than the
// alignment of its elements, except packed weights and quantized rows, which
// need 64 bytes. An output may be an input only where a member says so.
#ifndef PMPD_LIB_CODEGEN_KERNELLIBRARY_H
#define PMPD_LIB_CODEGEN_KERNELLIBRARY_H

#include "dialects/PMPD/PMPD.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/Error.h"

namespace pmpd::codegen {

using mlir::Type;
using mlir::Value;

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
  int64_t maxRows = 1; /// Most activation rows of a call.
};

struct DenseLinear {
  int64_t rows;
  int64_t cols;
  Type weight;         /// f16 or f32
  Type bias;           /// null, f16 or f32
  int64_t maxRows = 1; /// As above.
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
  int64_t maxRows = 1; /// As above.
};

/// A generated function and how many tasks it has: for every `rowTile` rows
/// begun, or in all if that is 0. A task is a range of the index space of a CPU
/// kernel, and a block of a GPU kernel.
struct Kernel {
  mlir::FunctionOpInterface func;
  int64_t tasks;
  int64_t rowTile;
};

/// Attention as one kernel (query, cache of the layer, output), output may be
/// query; or for long contexts as two: `kernel` (query, cache of the layer,
/// partial results) and `combine` (partial results, output).
struct AttentionKernels {
  Kernel kernel;
  std::optional<Kernel> combine = std::nullopt;
  int64_t partialBytes = 0; /// Of the partial results, if there is `combine`.
};

/// Adds kernels to a module, one for each distinct shape however often asked.
class KernelLibrary {
public:
  virtual ~KernelLibrary() = default;

  virtual mlir::MLIRContext *getContext() = 0;

  /// (weight, input, output[, bias]). Fails for what the target cannot read,
  /// with what it can.
  virtual llvm::Expected<Kernel> linearNested(Layout layout,
                                              const NestedLinear &shape) = 0;
  /// (weight [rows, cols], input, output[, bias]).
  virtual Kernel linearDense(const DenseLinear &shape) = 0;

  /// (input, quantized rows); columns in groups of `group`, bits 8 or 16.
  virtual Kernel quantizeRows(int64_t cols, unsigned bits, int64_t group) = 0;

  /// (tokens i32[rows], table [tokens, cols], output).
  virtual Kernel embed(int64_t cols, Type table, double scale) = 0;
  /// (input, table [positions, cols], output); output may be input.
  virtual Kernel addPosition(int64_t cols, Type table, int64_t offset) = 0;
  /// (input [rows, heads * cols], weight [cols], output); output may be input.
  virtual Kernel rmsNorm(int64_t heads, int64_t cols, Type weight,
                         double eps) = 0;
  /// (input, weight [cols], bias [cols], output); output may be input.
  virtual Kernel layerNorm(int64_t cols, Type weight, Type bias,
                           double eps) = 0;
  /// (input, table f32 [position][2 * frequencies], output); output may be
  /// input.
  virtual Kernel rope(const RopeShape &shape) = 0;

  /// (keys, values, cache of the layer).
  virtual Kernel kvAppend(const CacheShape &shape) = 0;
  virtual AttentionKernels attention(const AttentionShape &shape) = 0;

  /// (input, output); output may be input.
  virtual Kernel activate(int64_t cols, ActivationKind kind) = 0;
  /// (lhs, rhs, output); output may be either.
  virtual Kernel add(int64_t cols) = 0;
  virtual Kernel mul(int64_t cols) = 0;
};

/// Replaces elementary functions by polynomials: generated code calls no
/// library.
void expandFunctions(mlir::Operation *func);

/// "f16" or "f32", for names.
llvm::StringRef nameOf(Type element);
/// "_biasf16" or "_biasf32", or nothing where there is none.
std::string biasName(Type bias);
std::string nameOf(const CacheShape &shape);
/// The name of a kernel KernelLibrary::rmsNorm.
std::string rmsNormName(int64_t heads, int64_t cols, Type weight, double eps);
/// The bits of the f32 nearest to `value` in hexadecimal, for names.
std::string nameOf(double value);

} // namespace pmpd::codegen

#endif // PMPD_LIB_CODEGEN_KERNELLIBRARY_H
