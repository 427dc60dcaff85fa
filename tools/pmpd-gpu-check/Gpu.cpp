// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/Gpu.h"

#include "runtime/targets/cuda/Recording.h"
#include "tools/support/Tool.h"

using namespace pmpd;
using namespace pmpd::tools;

Gpu::Gpu(const cuda::Device &opened) : opened(opened), current(opened) {
  const cuda::Api &api = opened.api();
  check(current.status());
  check(own.create(opened, api.streamCreate, cuda::kStreamNonBlocking));
  check(begin.create(opened, api.eventCreate, cuda::kEventDefault));
  check(end.create(opened, api.eventCreate, cuda::kEventDefault));
}

cuda::DeviceMemory Gpu::memory(uint64_t bytes) const {
  std::vector<uint8_t> poison(bytes, 0xFF);
  return memory(poison.data(), bytes);
}

cuda::DeviceMemory Gpu::memory(const void *from, uint64_t bytes) const {
  cuda::DeviceMemory made;
  check(cuda::allocate(opened, bytes, "measurement", made));
  write(made.get(), from, bytes);
  return made;
}

void Gpu::write(cuda::Address to, const void *from, uint64_t bytes) const {
  check(cuda::upload(opened, static_cast<const uint8_t *>(from), bytes, to));
}

void Gpu::read(void *to, cuda::Address from, uint64_t bytes) const {
  check(opened.api().copyToHost(to, from, bytes, stream()));
  wait();
}

cuda::GraphExec Gpu::record(const std::function<pmpd_status()> &body) const {
  check(body()); // kernels load when they first run
  wait();
  cuda::GraphExec graph;
  check(cuda::record(opened, stream(), body, graph));
  return graph;
}

void Gpu::launch(const cuda::GraphExec &graph) const {
  check(opened.api().graphLaunch(graph.get(), stream()));
}

void Gpu::wait() const { check(opened.api().streamSynchronize(stream())); }

double Gpu::microseconds(const cuda::GraphExec &graph) const {
  const cuda::Api &api = opened.api();
  check(api.eventRecord(begin.get(), stream()));
  launch(graph);
  check(api.eventRecord(end.get(), stream()));
  wait();
  float milliseconds = 0;
  check(api.eventElapsedTime(&milliseconds, begin.get(), end.get()));
  return 1e3 * milliseconds;
}
