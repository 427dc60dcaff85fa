// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_CUDA_LAUNCHTIMES_H
#define PMPD_RUNTIME_TARGETS_CUDA_LAUNCHTIMES_H

#include "runtime/Trace.h"
#include "runtime/targets/cuda/Device.h"

namespace pmpd::cuda {

/// When the launches of one call ran, by events between them. The events serve
/// the next call as well.
class LaunchTimes {
public:
  explicit LaunchTimes(const Device &device) : device(device) {}

  /// Before a launch. Errors: DEVICE_ERROR.
  pmpd_status record(const pmpd_gpu_kernel &kernel, int64_t blocks,
                     StreamHandle stream);

  /// After the last launch. Errors: DEVICE_ERROR.
  pmpd_status recordEnd(StreamHandle stream) { return recordEvent(stream); }

  /// Once the stream is done: adds the launches to a trace as if the first had
  /// begun at `begin`, and forgets them. Errors: DEVICE_ERROR.
  pmpd_status addTo(rt::Trace &trace, rt::Trace::Clock::time_point begin);

  /// Forgets launches of a call that failed.
  void clear() {
    launches.clear();
    used = 0;
  }

private:
  struct Launch {
    const pmpd_gpu_kernel *kernel;
    int64_t blocks;
  };
  pmpd_status recordEvent(StreamHandle stream);

  const Device &device;
  std::vector<Launch> launches;
  std::vector<Event> events; // event i before launch i, and one behind the last
  size_t used = 0;           // of the events
};

} // namespace pmpd::cuda

#endif // PMPD_RUNTIME_TARGETS_CUDA_LAUNCHTIMES_H
