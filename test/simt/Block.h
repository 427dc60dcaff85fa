// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_SIMT_BLOCK_H
#define PMPD_TEST_SIMT_BLOCK_H

#include "test/simt/Executor.h"
#include "test/simt/SharedShadow.h"

#include <boost/context/detail/fcontext.hpp>
#include <deque>
#include <vector>

namespace pmpd::simt {

/// What the 32 lanes of a warp pass to an operation and get from it, as words.
struct Lanes {
  const uint32_t *in[warpSize];
  uint32_t *out[warpSize];
};
class Block;
/// Computes every lane's output. Returns null, or what is wrong with the input.
using WarpOperation = const char *(*)(Block &block, uint32_t warp,
                                      const Lanes &lanes);

struct AsyncCopy {
  void *to;
  const void *from;
  uint32_t bytes;
};

struct Thread {
  enum State { Ready, AtWarpOperation, AtBarrier, Done };

  boost::context::detail::fcontext_t context;
  uint32_t index;
  State state;
  WarpOperation operation; // where it waits, with
  const uint32_t *in;
  uint32_t *out;
  uint32_t barrier;                             // the barrier it waits at
  std::vector<AsyncCopy> copies;                // not yet of a group
  std::deque<std::vector<AsyncCopy>> committed; // groups, oldest first
};

/// The block that runs. Calls of kernels come to it through current().
class Block {
public:
  Block(const Kernel &kernel, void *const *arguments, uint32_t threads,
        Order order);
  Block(const Block &) = delete;
  ~Block();

  /// Runs the block at `index`; false and an error() if something was wrong.
  bool run(uint32_t index);
  const std::string &error() const { return text; }

  static Block &current();

  // Called by the thread that runs.
  Thread &thread() { return *running; }
  uint32_t index() const { return blockIndex; }
  uint32_t size() const { return threads.size(); }
  void wait(WarpOperation operation, const uint32_t *in, uint32_t *out);
  void waitAtBarrier(uint32_t barrier);
  void accessShared(const void *address, uint32_t bytes, Access access);
  void warpBarrier(uint32_t warp) { shadow.warpBarrier(warp); }
  /// Ends the block; the fiber does not go on.
  [[noreturn]] void fail(std::string what);

private:
  static void threadMain(boost::context::detail::transfer_t from);
  bool runWarp(uint32_t warp);
  void resume(Thread &thread);
  void suspend();
  bool refuse(std::string what);

  const Kernel &kernel;
  void *const *arguments;
  Order order;
  std::vector<Thread> threads;
  uint8_t *stacks;
  boost::context::detail::fcontext_t scheduler;
  Thread *running = nullptr;
  uint32_t blockIndex = 0;
  SharedShadow shadow;
  std::string text;
};

} // namespace pmpd::simt

#endif // PMPD_TEST_SIMT_BLOCK_H
