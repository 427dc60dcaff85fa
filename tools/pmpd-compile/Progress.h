// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_PMPD_COMPILE_PROGRESS_H
#define TOOLS_PMPD_COMPILE_PROGRESS_H

#include "mlir/IR/MLIRContext.h"

#include <string>

/// Shows on stderr what is being done: a bar on a terminal, a line for each
/// step elsewhere. Passes and the weights they work through report themselves
/// as actions of the context.
class Progress {
public:
  explicit Progress(mlir::MLIRContext &context);
  ~Progress();

  /// Begins a step that is not a pass.
  void step(const std::string &what);

  /// Clears the bar.
  void finish();

private:
  void weight(size_t index, size_t count);
  void draw(size_t index, size_t count);

  mlir::MLIRContext &context;
  std::string current;
  bool terminal;
  bool drawn = false;
};

#endif // TOOLS_PMPD_COMPILE_PROGRESS_H
