// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Timing.h"

#include <algorithm>

using namespace pmpd::npu;

static constexpr double pico = 1e-12;

static bool isTransfer(const pmpd_npu_instruction &instruction) {
  return instruction.h.op == PMPD_NPU_LD || instruction.h.op == PMPD_NPU_ST;
}

Timing::Timing(const Hardware &hardware, Trace *trace)
    : hardware(hardware), trace(trace),
      now(hardware.launchUs * 1000 * hardware.clockGhz) {}

void Timing::post(uint8_t semaphore, double time) {
  if (semaphore == PMPD_NPU_NO_SEMAPHORE)
    return;
  std::deque<double> &times = tokens[semaphore];
  times.insert(std::upper_bound(times.begin(), times.end(), time), time);
}

double Timing::take(uint8_t semaphore) {
  if (semaphore == PMPD_NPU_NO_SEMAPHORE)
    return 0;
  double time = tokens[semaphore].front();
  tokens[semaphore].pop_front();
  return time;
}

bool Timing::startOf(const Entry &entry, const Unit &unit,
                     double &start) const {
  start = std::max(entry.ready, unit.free);
  const pmpd_npu_header &h = entry.instruction->h;
  size_t second = h.wait0 == h.wait1 ? 1 : 0; // both from one semaphore
  if (h.wait0 != PMPD_NPU_NO_SEMAPHORE) {
    const std::deque<double> &times = tokens[h.wait0];
    if (times.empty())
      return false;
    start = std::max(start, times[0]);
  }
  if (h.wait1 != PMPD_NPU_NO_SEMAPHORE) {
    const std::deque<double> &times = tokens[h.wait1];
    if (times.size() <= second)
      return false;
    start = std::max(start, times[second]);
  }
  return true;
}

bool Timing::step() {
  unsigned best = PMPD_NPU_UNITS;
  double bestStart = 0;
  for (unsigned u = PMPD_NPU_QW; u < PMPD_NPU_UNITS; ++u) {
    double start;
    if (!units[u].queue.empty() &&
        startOf(units[u].queue.front(), units[u], start) &&
        (best == PMPD_NPU_UNITS || start < bestStart)) {
      best = u;
      bestStart = start;
    }
  }
  if (best == PMPD_NPU_UNITS)
    return false;
  Unit &unit = units[best];
  Entry entry = unit.queue.front();
  unit.queue.pop_front();
  const pmpd_npu_header &h = entry.instruction->h;
  take(h.wait0);
  take(h.wait1);
  double busy, done;
  if (isTransfer(*entry.instruction)) {
    bool writes = h.op == PMPD_NPU_ST;
    double begin = std::max(bestStart, dramFree);
    busy = entry.transfer;
    if (busy > 0 && writes != dramWrites) {
      busy += hardware.dramTurnaroundNs * hardware.clockGhz;
      dramWrites = writes;
    }
    bestStart = begin;
    dramFree = begin + busy;
    unit.free = begin + busy;
    done = begin + busy + hardware.dmaLatencyNs * hardware.clockGhz;
  } else {
    busy = entry.cycles;
    unit.free = done = bestStart + hardware.issueCycles + busy;
  }
  totals.busyCycles[best] += busy;
  unit.idle = std::max(unit.idle, done);
  end = std::max(end, done);
  post(h.post0, done);
  post(h.post1, done);
  if (trace)
    trace->add(best, h.op, entry.pc, microseconds(bestStart),
               microseconds(busy));
  unit.started = bestStart;
  return true;
}

void Timing::drain(unsigned unit) {
  while (!units[unit].queue.empty())
    if (!step()) {
      stuck = true;
      return;
    }
  now = std::max(now, units[unit].idle);
}

bool Timing::waitForToken(uint8_t semaphore) {
  if (semaphore == PMPD_NPU_NO_SEMAPHORE)
    return true;
  while (tokens[semaphore].empty())
    if (!step())
      return false;
  now = std::max(now, take(semaphore));
  return true;
}

void Timing::feedSequencer(const Work &work) {
  const pmpd_npu_instruction &instruction = *work.instruction;
  const pmpd_npu_header &h = instruction.h;
  if (!waitForToken(h.wait0) || !waitForToken(h.wait1)) {
    stuck = true;
    return;
  }
  now += 1;
  totals.busyCycles[PMPD_NPU_SEQ] += 1;
  if (h.op == PMPD_NPU_FENCE || h.op == PMPD_NPU_HALT) {
    uint32_t mask = h.op == PMPD_NPU_HALT ? ~0u : instruction.mark.value;
    for (unsigned u = PMPD_NPU_QW; u < PMPD_NPU_UNITS; ++u)
      if (mask >> u & 1)
        drain(u);
  } else if (h.op == PMPD_NPU_SALU && instruction.salu.fn == PMPD_NPU_LD32) {
    now += hardware.dmaLatencyNs * hardware.clockGhz;
  } else if (h.op == PMPD_NPU_EVT && trace) {
    trace->mark(instruction.mark.value, microseconds(now));
  }
  post(h.post0, now);
  post(h.post1, now);
  end = std::max(end, now);
}

void Timing::account(const Work &work, const Cost &cost) {
  totals.planeBits += static_cast<uint64_t>(cost.planeBits);
  totals.int8Macs += static_cast<uint64_t>(cost.int8Macs);
  totals.halfMacs += static_cast<uint64_t>(cost.halfMacs);
  totals.joulesOf(Consumer::Scratchpad) +=
      pico * (cost.readBytes * hardware.scratchpadReadPjPerByte +
              cost.writtenBytes * hardware.scratchpadWritePjPerByte);
  totals.joulesOf(Consumer::BitPlanes) += pico * cost.planeBits *
                                          hardware.planeBitPj *
                                          (cost.wideActivations ? 1.0 : 0.5);
  totals.joulesOf(Consumer::Matrix) +=
      pico *
      (cost.int8Macs * hardware.int8MacPj + cost.halfMacs * hardware.halfMacPj);
  totals.joulesOf(Consumer::Vector) +=
      pico *
      (cost.vectorOps * hardware.vpuOpPj + cost.specialOps * hardware.sfuOpPj);
  if (isTransfer(*work.instruction)) {
    totals.bytes[work.unit] += work.dmaBytes();
    totals.joulesOf(Consumer::Dram) +=
        pico * static_cast<double>(work.dmaBytes()) * hardware.dramPjPerByte;
  }
}

void Timing::feed(const Work &work, bool stalls) {
  ++totals.instructions;
  if (stuck)
    return;
  if (work.unit == PMPD_NPU_SEQ) {
    feedSequencer(work);
    return;
  }
  Unit &unit = units[work.unit];
  now += 1;
  totals.busyCycles[PMPD_NPU_SEQ] += 1;
  while (unit.queue.size() >= static_cast<size_t>(hardware.queueDepth)) {
    if (!step()) {
      stuck = true;
      return;
    }
    // A full queue has room again when its head starts.
    if (unit.queue.size() < static_cast<size_t>(hardware.queueDepth))
      now = std::max(now, unit.started);
  }
  Cost cost = costOf(work, hardware);
  account(work, cost);
  bool transfer = isTransfer(*work.instruction);
  unit.queue.push_back({work.instruction, work.pc, now, cost.cycles,
                        transfer ? transferCycles(work, hardware) : 0});
  if (stalls)
    drain(work.unit);
}

bool Timing::finish(Counters &counters) {
  while (!stuck && step())
    ;
  for (const Unit &unit : units)
    stuck = stuck || !unit.queue.empty();
  totals.cycles = std::max(end, now);
  totals.seconds = totals.cycles / hardware.clockGhz * 1e-9;
  totals.joulesOf(Consumer::Static) = hardware.staticWatts * totals.seconds;
  counters = totals;
  return !stuck;
}
