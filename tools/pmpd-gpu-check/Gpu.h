// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_GPU_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_GPU_H

#include "runtime/targets/cuda/Memory.h"
#include "tools/support/Samples.h"

#include <functional>
#include <vector>

namespace pmpd::tools {

/// A GPU with a stream, for measurements. Members throw ToolError where the
/// driver fails.
class Gpu {
public:
  /// `opened` outlives it.
  explicit Gpu(const cuda::Device &opened);

  const cuda::Device &device() const { return opened; }
  cuda::StreamHandle stream() const { return own.get(); }

  /// Memory with 0xFF bytes, or with these.
  cuda::DeviceMemory memory(uint64_t bytes) const;
  cuda::DeviceMemory memory(const void *from, uint64_t bytes) const;
  /// Overwrites the beginning of memory.
  void write(cuda::Address to, const void *from, uint64_t bytes) const;
  void read(void *to, cuda::Address from, uint64_t bytes) const;

  /// What `body` queues in the stream, as a graph. It runs once before.
  cuda::GraphExec record(const std::function<pmpd_status()> &body) const;

  void launch(const cuda::GraphExec &graph) const;
  void wait() const;
  /// Microseconds that a launch of the graph takes on the GPU.
  double microseconds(const cuda::GraphExec &graph) const;

private:
  const cuda::Device &opened;
  cuda::Current current; // on this thread, as long as this lives
  cuda::Stream own;
  cuda::Event begin, end;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_GPU_H
