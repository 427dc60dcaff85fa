// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-compile/Progress.h"
#include "passes/WeightAction.h"

#include "mlir/Pass/Pass.h"

#include <cstdio>
#include <unistd.h>

Progress::Progress(mlir::MLIRContext &context)
    : context(context), terminal(isatty(STDERR_FILENO)) {
  context.registerActionHandler([this](llvm::function_ref<void()> run,
                                       const mlir::tracing::Action &action) {
    if (auto *pass = llvm::dyn_cast<mlir::PassExecutionAction>(&action)) {
      // The project's own passes are the steps that a user knows.
      llvm::StringRef name = pass->getPass().getArgument();
      if (name.consume_front("pmpd-"))
        step(name.str());
    } else if (auto *one = llvm::dyn_cast<pmpd::WeightAction>(&action)) {
      weight(one->getIndex(), one->getCount());
    }
    run();
  });
}

Progress::~Progress() {
  context.registerActionHandler(nullptr);
  finish();
}

void Progress::finish() {
  if (drawn)
    std::fputs("\r\033[K", stderr);
  drawn = false;
}

void Progress::step(const std::string &what) {
  if (what == current)
    return;
  current = what;
  if (terminal)
    draw(0, 0);
  else
    std::fprintf(stderr, "%s\n", what.c_str());
}

void Progress::weight(size_t index, size_t count) {
  if (terminal)
    draw(index, count);
  else if (index != 0 && index * 4 / count != (index - 1) * 4 / count)
    std::fprintf(stderr, "%s %zu of %zu weights\n", current.c_str(), index,
                 count);
}

void Progress::draw(size_t index, size_t count) {
  constexpr size_t width = 32;
  size_t filled = count ? index * width / count : 0;
  std::string bar(filled, '=');
  bar.resize(width, ' ');
  std::fprintf(stderr, "\r\033[K%-20s", current.c_str());
  if (count)
    std::fprintf(stderr, " [%s] %zu/%zu", bar.c_str(), index, count);
  drawn = true;
}
