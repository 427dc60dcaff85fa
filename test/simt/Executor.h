// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs kernels of the GPU on the CPU: a fiber per thread, one block after the
// other. Kernels come from pmpd-simt or LoadedGpuKernel, which compile the
// GPU's own IR for the host.
//
// What would be undefined on a GPU is an error with a text, never a hang: warp
// operations that not all lanes of a warp reach, barriers that not all threads
// of a block reach, accesses to shared memory out of its bounds or in a race,
// asynchronous copies that are read before a wait. Shared memory begins as
// 0xFF bytes in every block. Not modelled are memory ordering between blocks
// and the grid's other dimensions.
#ifndef PMPD_TEST_SIMT_EXECUTOR_H
#define PMPD_TEST_SIMT_EXECUTOR_H

#include <cstdint>
#include <string>

namespace pmpd::simt {

constexpr uint32_t warpSize = 32;

/// An array in shared memory.
struct SharedArray {
  uint8_t *data;
  uint64_t bytes;
};

/// A kernel compiled for the host. A shared object made by pmpd-simt exports
/// `const Kernel simt_kernels[]` and `const uint32_t simt_kernel_count`.
struct Kernel {
  const char *name;
  void (*entry)(void *const *arguments); /// Of one thread.
  const SharedArray *shared;             /// [sharedCount]
  uint32_t sharedCount;
  uint32_t arguments; /// All of them pointers.
};

/// In which order blocks, and the warps and lanes of a block, take turns. A
/// kernel without races gives the same bits either way.
enum class Order { Ascending, Descending };

/// Runs `blocks` blocks of `threads` threads, a multiple of 32 up to 1024, over
/// the `kernel.arguments` pointers. Returns an empty text, or what was wrong.
/// Not reentrant.
std::string launch(const Kernel &kernel, void *const *arguments,
                   uint32_t blocks, uint32_t threads,
                   Order order = Order::Ascending);

} // namespace pmpd::simt

#endif // PMPD_TEST_SIMT_EXECUTOR_H
