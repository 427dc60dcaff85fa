// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/cuda/Recording.h"

using namespace pmpd::cuda;

pmpd_status pmpd::cuda::record(const Device &device, StreamHandle stream,
                               const std::function<pmpd_status()> &body,
                               GraphExec &graphExec) {
  const Api &api = device.api();
  if (pmpd_status status = api.streamBeginCapture(stream, kCaptureThreadLocal))
    return status;
  pmpd_status status = body();
  std::string text = pmpd_last_error();
  Graph graph;
  pmpd_status ended = graph.create(device, [&](GraphHandle *handle) {
    return api.streamEndCapture(stream, handle);
  });
  if (status != PMPD_OK) // the cause; a failing end only follows from it
    return rt::fail(status, text);
  if (ended != PMPD_OK)
    return ended;
  return graphExec.create(device, api.graphInstantiate, graph.get(), 0ull);
}
