// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/cuda/LaunchTimes.h"

using namespace pmpd::cuda;
using pmpd::rt::Trace;

pmpd_status LaunchTimes::recordEvent(StreamHandle stream) {
  if (used == events.size()) {
    Event event;
    if (pmpd_status status =
            event.create(device, device.api().eventCreate, kEventDefault))
      return status;
    events.push_back(std::move(event));
  }
  return device.api().eventRecord(events[used++].get(), stream);
}

pmpd_status LaunchTimes::record(const pmpd_gpu_kernel &kernel, int64_t blocks,
                                StreamHandle stream) {
  if (pmpd_status status = recordEvent(stream))
    return status;
  launches.push_back({&kernel, blocks});
  return PMPD_OK;
}

pmpd_status LaunchTimes::addTo(Trace &trace, Trace::Clock::time_point begin) {
  auto at = [&](size_t index, Trace::Clock::time_point &time) {
    float milliseconds = 0;
    pmpd_status status = device.api().eventElapsedTime(
        &milliseconds, events[0].get(), events[index].get());
    time = begin + std::chrono::duration_cast<Trace::Clock::duration>(
                       std::chrono::duration<double, std::milli>(milliseconds));
    return status;
  };
  for (size_t i = 0; i < launches.size(); ++i) {
    Trace::Clock::time_point from, to;
    if (pmpd_status status = at(i, from))
      return status;
    if (pmpd_status status = at(i + 1, to))
      return status;
    trace.addLaunch(*launches[i].kernel, launches[i].blocks, from, to);
  }
  clear();
  return PMPD_OK;
}
