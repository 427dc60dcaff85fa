// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Descriptor.h"
#include "runtime/targets/Target.h"
#include "runtime/targets/npu/DeviceModel.h"
#include "runtime/targets/npu/Machine.h"

#include <algorithm>

using namespace pmpd::rt;
using namespace pmpd;

namespace {

npu::Mode modeOf(pmpd_npu_mode mode) {
  switch (mode) {
  case PMPD_NPU_MODE_FUNCTIONAL:
    return npu::Mode::Functional;
  case PMPD_NPU_MODE_TIMING:
    return npu::Mode::Timing;
  default:
    return npu::Mode::Both;
  }
}

void addTo(pmpd_npu_totals &totals, const npu::Counters &run) {
  ++totals.calls;
  totals.instructions += run.instructions;
  totals.cycles += run.cycles;
  totals.seconds += run.seconds;
  totals.joules += run.energy();
  for (unsigned unit = 0; unit < PMPD_NPU_UNITS; ++unit) {
    totals.busy_cycles[unit] += run.busyCycles[unit];
    totals.dram_bytes[unit] += static_cast<double>(run.bytes[unit]);
  }
}

/// Runs regions on a simulated machine, which holds the KV cache.
class NpuTarget : public Target {
public:
  NpuTarget(const npu::DeviceModel &model, npu::Hardware hardware,
            npu::Mode mode, bool traces)
      : model(model), hardware(std::move(hardware)), mode(mode),
        traces(traces) {}

  pmpd_status connect(npu::WeightImage weights) {
    if (pmpd_status status =
            npu::Machine::create(model.program(), hardware, weights, machine))
      return status;
    if (traces)
      machine->setTrace(&trace);
    return PMPD_OK;
  }

  pmpd_status run(const RegionCall &call) override {
    auto index = call.region - model.desc().regions;
    npu::Call inside = {call.tokens, call.rows, call.position, call.logitRows,
                        call.logits};
    if (pmpd_status status =
            machine->run(model.program().regions()[index], inside, mode))
      return status;
    if (mode == npu::Mode::Timing)
      std::fill_n(call.logits, call.logitRows * model.desc().vocab, 0.0f);
    addTo(call.region->phase == PMPD_DECODE ? decode : prefill,
          machine->last());
    return PMPD_OK;
  }

  pmpd_status kv(int32_t layer, int64_t, const uint8_t *&keys) override {
    keys = machine->kv() + layer * kvLayerBytes(model.desc());
    return PMPD_OK;
  }
  void clearKv() override { machine->clearKv(); }
  void clearTotals() override { prefill = decode = {}; }

  pmpd_status npuStats(pmpd_npu_stats &stats) const override {
    stats = {hardware.name.c_str(), prefill, decode};
    return PMPD_OK;
  }

  pmpd_status writeTrace(const std::string &path) const override {
    if (!traces)
      return failUnrecorded();
    return trace.write(path);
  }

private:
  const npu::DeviceModel &model;
  npu::Hardware hardware;
  npu::Mode mode;
  bool traces;
  npu::Trace trace;
  std::unique_ptr<npu::Machine> machine;
  pmpd_npu_totals prefill = {}, decode = {};
};

} // namespace

pmpd_status pmpd::rt::createNpuTarget(const Model &model,
                                      const pmpd_session_options &options,
                                      std::unique_ptr<Target> &target) {
  if (options.npu_mode < PMPD_NPU_MODE_BOTH ||
      options.npu_mode > PMPD_NPU_MODE_TIMING)
    return fail(PMPD_BAD_ARGUMENT, "expected npu_mode of 0 to 2, but got " +
                                       std::to_string(options.npu_mode));
  npu::Hardware hardware = model.device()->hardware();
  if (options.npu_config)
    if (pmpd_status status = npu::Hardware::find(options.npu_config, hardware))
      return status;
  auto created =
      std::make_unique<NpuTarget>(*model.device(), std::move(hardware),
                                  modeOf(options.npu_mode), options.trace != 0);
  if (pmpd_status status =
          created->connect({model.weights(), model.weightBytes()}))
    return status;
  target = std::move(created);
  return PMPD_OK;
}
