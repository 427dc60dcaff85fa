// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Machine.h"
#include "runtime/targets/npu/Execute.h"
#include "runtime/targets/npu/Sequencer.h"
#include "runtime/targets/npu/Timing.h"

#include <optional>

using namespace pmpd::npu;
using pmpd::rt::fail;
using pmpd::rt::Mapping;

struct Machine::State {
  const Program &program;
  Hardware hardware;
  WeightImage weights;
  Mapping kv, scratchpad, dramScratch;
  Counters last;
  Trace *trace = nullptr;

  pmpd_status checkCall(const pmpd_npu_region &region, const Call &call,
                        Mode mode) const;
  void mapMemory(Memory &memory, const pmpd_npu_region &region,
                 const Call &call);
  pmpd_status trapped(const pmpd_npu_region &region, const Work &work,
                      const char *why) const;
};

Machine::Machine(std::unique_ptr<State> state) : state(std::move(state)) {}
Machine::~Machine() = default;

const Counters &Machine::last() const { return state->last; }
uint8_t *Machine::kv() { return state->kv.data(); }
void Machine::clearKv() { state->kv.clear(); }
void Machine::setTrace(Trace *trace) { state->trace = trace; }

static std::string lacks(const std::string &what, uint64_t needed,
                         uint64_t there) {
  return "expected " + std::to_string(needed) + " " + what +
         ", but the hardware has " + std::to_string(there);
}

pmpd_status Machine::create(const Program &program, const Hardware &hardware,
                            WeightImage weights,
                            std::unique_ptr<Machine> &machine) {
  const pmpd_npu_requirements &required = program.requirements();
  std::string missing;
  if (required.scratchpad_bytes > hardware.scratchpadBytes())
    missing = lacks("bytes of scratchpad", required.scratchpad_bytes,
                    hardware.scratchpadBytes());
  else if (required.registers > PMPD_NPU_REGISTERS)
    missing = lacks("registers", required.registers, PMPD_NPU_REGISTERS);
  else if (required.semaphores > PMPD_NPU_SEMAPHORES)
    missing = lacks("semaphores", required.semaphores, PMPD_NPU_SEMAPHORES);
  else if (required.loop_levels > PMPD_NPU_LOOP_LEVELS)
    missing = lacks("loop levels", required.loop_levels, PMPD_NPU_LOOP_LEVELS);
  if (!missing.empty())
    return fail(PMPD_BAD_MODEL, program.name() + ": " + missing + " (" +
                                    hardware.name +
                                    "); recompile the model for this hardware");

  auto state = std::unique_ptr<State>(
      new State{program, hardware, weights, {}, {}, {}, {}, nullptr});
  uint64_t dramScratch = 0;
  for (const pmpd_npu_region &region : program.regions())
    dramScratch = std::max(dramScratch, region.dram_scratch);
  if (pmpd_status status =
          Mapping::ofZeros(program.abi().kv_bytes, "KV cache", state->kv))
    return status;
  state->kv.useSmallPages();
  if (pmpd_status status = Mapping::ofZeros(hardware.scratchpadBytes(),
                                            "scratchpad", state->scratchpad))
    return status;
  if (pmpd_status status =
          Mapping::ofZeros(dramScratch, "scratch memory", state->dramScratch))
    return status;
  machine.reset(new Machine(std::move(state)));
  return PMPD_OK;
}

pmpd_status Machine::State::checkCall(const pmpd_npu_region &region,
                                      const Call &call, Mode mode) const {
  int64_t context = program.abi().context;
  if (call.rows < 1 || call.rows > region.max_rows || call.position < 0 ||
      call.position > context - call.rows || call.logitRows < 0 ||
      call.logitRows > call.rows)
    return fail(PMPD_BAD_ARGUMENT,
                "expected 1 to " + std::to_string(region.max_rows) +
                    " rows within a context of " + std::to_string(context) +
                    ", but got " + std::to_string(call.rows) + " at position " +
                    std::to_string(call.position) + ", " +
                    std::to_string(call.logitRows) + " with logits");
  if (mode != Mode::Timing &&
      (!weights.data || !call.tokens || (call.logitRows && !call.logits)))
    return fail(PMPD_BAD_ARGUMENT,
                "expected weights, tokens and logits for functional "
                "simulation; without them only timing is possible");
  return PMPD_OK;
}

void Machine::State::mapMemory(Memory &memory, const pmpd_npu_region &region,
                               const Call &call) {
  auto bytes = [](const auto *data) {
    // Never written through: the stretch is read only.
    return const_cast<uint8_t *>(reinterpret_cast<const uint8_t *>(data));
  };
  memory.map(PMPD_NPU_R_WEIGHTS, bytes(weights.data), weights.bytes, false);
  memory.map(PMPD_NPU_R_KV, kv.data(), program.abi().kv_bytes, true);
  memory.map(PMPD_NPU_R_TOKENS, bytes(call.tokens),
             static_cast<uint64_t>(call.rows) * 4, false);
  memory.map(PMPD_NPU_R_LOGITS, reinterpret_cast<uint8_t *>(call.logits),
             static_cast<uint64_t>(call.logitRows) * program.abi().vocab * 4,
             true);
  memory.map(PMPD_NPU_R_CONSTANTS, bytes(program.constants().data()),
             program.constants().size(), false);
  memory.map(PMPD_NPU_R_SCRATCH, dramScratch.data(), region.dram_scratch, true);
}

pmpd_status Machine::State::trapped(const pmpd_npu_region &region,
                                    const Work &work, const char *why) const {
  return fail(PMPD_BAD_MODEL,
              program.name() + ": region " + program.string(region.name) +
                  ", instruction " + std::to_string(work.pc - region.first) +
                  " (" + findOp(work.instruction->h.op)->mnemonic +
                  "): trapped because " + why);
}

pmpd_status Machine::run(const pmpd_npu_region &region, const Call &call,
                         Mode mode) {
  if (pmpd_status status = state->checkCall(region, call, mode))
    return status;
  Memory memory;
  state->mapMemory(memory, region, call);
  Sequencer sequencer(state->program.code(), memory,
                      state->program.requirements().scratchpad_bytes);
  sequencer.begin(region.first, region.budget);
  sequencer.set(PMPD_NPU_R_POSITION, static_cast<uint64_t>(call.position));
  sequencer.set(PMPD_NPU_R_ROWS, static_cast<uint64_t>(call.rows));
  sequencer.set(PMPD_NPU_R_LOGIT_ROWS, static_cast<uint64_t>(call.logitRows));

  std::optional<Timing> timing;
  if (mode != Mode::Functional)
    timing.emplace(state->hardware, state->trace);
  Units units{state->scratchpad.data(), memory};
  Work work;
  for (;;) {
    work = Work();
    Sequencer::Step step = sequencer.next(work);
    if (step == Sequencer::Step::Trapped)
      return state->trapped(region, work, sequencer.trap());
    bool reduces = work.instruction->h.op == PMPD_NPU_RED &&
                   work.instruction->red.rd != PMPD_NPU_R_ZERO;
    if (timing)
      timing->feed(work, reduces);
    if (step == Sequencer::Step::Halted)
      break;
    if (mode == Mode::Timing || work.unit == PMPD_NPU_SEQ)
      continue;
    if (const char *why = execute(work, units))
      return state->trapped(region, work, why);
    if (reduces)
      sequencer.set(work.instruction->red.rd, units.reduced);
  }
  state->last = Counters();
  state->last.instructions = sequencer.instructions();
  if (timing && !timing->finish(state->last))
    return state->trapped(region, work, "units wait for tokens nobody posts");
  if (timing && state->trace)
    state->trace->endRun(state->program.string(region.name),
                         state->last.seconds * 1e6);
  return PMPD_OK;
}
