// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_LINEARRUN_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_LINEARRUN_H

#include "tools/pmpd-gpu-check/HalfProduct.h"
#include "tools/pmpd-gpu-check/KernelSet.h"

namespace pmpd::tools {

/// Queues a kernel on pointers of the device.
pmpd_status launch(cuda::Launcher &launcher, int64_t rows,
                   const KernelToLaunch &kernel, int64_t blocks,
                   std::initializer_list<cuda::Address> pointers);

/// Copies of a tensor that take turns, so that none is in a cache when it is
/// read again.
struct Rotation {
  cuda::DeviceMemory memory;
  uint64_t stride = 0;
  int64_t copies = 0;

  /// `slack` bytes may be read behind the last.
  Rotation(const Gpu &gpu, const void *tensor, uint64_t bytes, int64_t count,
           int64_t slack);
  cuda::Address copy(int64_t index) const {
    return memory.get() + index * stride;
  }
};

/// What cases of one shape share: a nested weight and one of fp16.
struct Shape {
  /// `megabytes` of weights are read before the first comes again.
  Shape(const Gpu &gpu, NestedWeight weight, int64_t megabytes, int64_t slack);

  uint64_t halfBytes() const { return halves.size() * sizeof(uint16_t); }

  NestedWeight weight;
  std::vector<uint8_t> packed;
  std::vector<uint16_t> halves; // [rows, cols], or [cols, rows]
  Rotation nested, half;
};

/// A linear layer on the GPU, and what it is compared with, as graphs that read
/// every copy of the weights once. The arguments outlive it.
class LinearRun {
public:
  LinearRun(const Gpu &gpu, const KernelSet &set, const Shape &shape,
            const LinearCase &what);

  cuda::GraphExec linearGraph() const;
  cuda::GraphExec readGraph(const Rotation &rotation, uint64_t bytes) const;
  cuda::GraphExec halfGraph(const HalfMultiply &multiply) const;

  /// Largest difference of a run's results from fp64, by the largest result.
  double error() const;
  /// The same of a product of fp16.
  double halfError(HalfProduct::Order order) const;

private:
  cuda::Launcher launcher() const;

  const Gpu &gpu;
  const KernelSet &set;
  const Shape &shape;
  const LinearCase &what;
  std::vector<float> input;         // [batch, cols]
  std::vector<uint16_t> halfInputs; // [batch, cols]
  cuda::DeviceMemory call, deviceInput, quantized, output;
  cuda::DeviceMemory halfInput, halfOutput;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_LINEARRUN_H
