// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/Block.h"

#include <new>
#include <sys/mman.h>

// boost::context::fiber would unwind the stacks of fibers that an error leaves
// behind, through kernels that have no tables for it. The contexts below it
// need nothing to be given up, and a switch is a few instructions where
// swapcontext is a system call.
using namespace boost::context::detail;

namespace pmpd::simt {

static constexpr size_t stackBytes = 64 << 10;
static constexpr uint32_t maxThreads = 1024;
static Block *currentBlock = nullptr;

Block &Block::current() { return *currentBlock; }

Block::Block(const Kernel &kernel, void *const *arguments, uint32_t count,
             Order order)
    : kernel(kernel), arguments(arguments), order(order), threads(count),
      shadow(kernel, count / warpSize) {
  void *memory = mmap(nullptr, stackBytes * count, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    throw std::bad_alloc();
  stacks = static_cast<uint8_t *>(memory);
}

Block::~Block() { munmap(stacks, stackBytes * threads.size()); }

void Block::threadMain(transfer_t from) {
  Block &block = current();
  block.scheduler = from.fctx;
  block.kernel.entry(block.arguments);
  block.running->state = Thread::Done;
  block.suspend();
}

void Block::suspend() {
  Thread *self = running;
  transfer_t back = jump_fcontext(scheduler, nullptr);
  scheduler = back.fctx;
  running = self;
}

void Block::resume(Thread &thread) {
  running = &thread;
  thread.context = jump_fcontext(thread.context, nullptr).fctx;
}

void Block::wait(WarpOperation operation, const uint32_t *in, uint32_t *out) {
  running->state = Thread::AtWarpOperation;
  running->operation = operation;
  running->in = in;
  running->out = out;
  suspend();
}

void Block::waitAtBarrier(uint32_t barrier) {
  running->state = Thread::AtBarrier;
  running->barrier = barrier;
  suspend();
}

void Block::accessShared(const void *address, uint32_t bytes, Access access) {
  std::string what = shadow.access(address, bytes, access, running->index);
  if (!what.empty())
    fail(what);
}

bool Block::refuse(std::string what) {
  text = std::string(kernel.name) + ", block " + std::to_string(blockIndex) +
         ": " + what;
  return false;
}

void Block::fail(std::string what) {
  refuse("thread " + std::to_string(running->index) + ": " + what);
  suspend();
  __builtin_unreachable();
}

bool Block::runWarp(uint32_t warp) {
  Thread *lanes = &threads[warp * warpSize];
  for (;;) {
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < warpSize; ++i) {
      Thread &thread = lanes[order == Order::Ascending ? i : warpSize - 1 - i];
      if (thread.state == Thread::Ready)
        resume(thread);
      if (!text.empty())
        return false;
      waiting += thread.state == Thread::AtWarpOperation;
    }
    if (!waiting)
      return true;
    Lanes all;
    for (uint32_t i = 0; i < warpSize; ++i) {
      if (lanes[i].state != Thread::AtWarpOperation ||
          lanes[i].operation != lanes[0].operation)
        return refuse("the lanes of warp " + std::to_string(warp) +
                      " diverge at a warp operation");
      all.in[i] = lanes[i].in;
      all.out[i] = lanes[i].out;
      lanes[i].state = Thread::Ready;
    }
    if (const char *what = lanes[0].operation(*this, warp, all))
      return refuse("warp " + std::to_string(warp) + ": " + what);
  }
}

bool Block::run(uint32_t index) {
  blockIndex = index;
  currentBlock = this;
  shadow.beginBlock();
  for (uint32_t i = 0; i < threads.size(); ++i) {
    Thread &thread = threads[i];
    thread.context =
        make_fcontext(stacks + (i + 1) * stackBytes, stackBytes, threadMain);
    thread.index = i;
    thread.state = Thread::Ready;
    thread.copies.clear();
    thread.committed.clear();
  }
  uint32_t warps = threads.size() / warpSize;
  for (;;) {
    for (uint32_t i = 0; i < warps; ++i)
      if (!runWarp(order == Order::Ascending ? i : warps - 1 - i))
        return false;
    uint32_t waiting = 0;
    for (const Thread &thread : threads)
      waiting += thread.state == Thread::AtBarrier;
    if (!waiting)
      return true;
    if (waiting != threads.size())
      return refuse(std::to_string(waiting) + " of " +
                    std::to_string(threads.size()) +
                    " threads wait at a barrier and the others have ended");
    for (Thread &thread : threads) {
      if (thread.barrier != threads[0].barrier)
        return refuse("threads wait at different barriers");
      thread.state = Thread::Ready;
    }
    shadow.blockBarrier();
  }
}

std::string launch(const Kernel &kernel, void *const *arguments,
                   uint32_t blocks, uint32_t threads, Order order) {
  if (threads == 0 || threads % warpSize || threads > maxThreads)
    return std::string(kernel.name) +
           ": expected a multiple of 32 threads up to 1024, but got " +
           std::to_string(threads);
  Block block(kernel, arguments, threads, order);
  for (uint32_t i = 0; i < blocks; ++i)
    if (!block.run(order == Order::Ascending ? i : blocks - 1 - i))
      return block.error();
  return {};
}

} // namespace pmpd::simt
