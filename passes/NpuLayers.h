// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_NPULAYERS_H
#define PASSES_NPULAYERS_H

#include "dialects/PMPD/PMPD.h"

namespace pmpd {

/// The part of a region that repeats: `count` times `period` ops from `begin`
/// on, alike but for the layer and for weights that lie `stride` bytes after
/// those of the layer before. None if `count` is 0.
struct Layers {
  size_t begin = 0, period = 0;
  int64_t count = 0, stride = 0;
  mlir::Value input;  // read by the first layer
  mlir::Value output; // made by the first layer, read by the second
  mlir::Value middle; // may take the place of the input in the first layer:
                      // the elementwise result that reads it last; or null
};

/// Finds the layers among the ops of a region.
Layers findLayers(ModelOp model, llvm::ArrayRef<mlir::Operation *> ops);

} // namespace pmpd

#endif // PASSES_NPULAYERS_H
