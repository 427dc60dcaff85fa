// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Tokens.h"
#include "runtime/targets/npu/Isa.h"

#include <algorithm>
#include <array>
#include <vector>

using namespace pmpd::npu;

namespace {

/// What a stretch of instructions does to one semaphore, relative to its
/// tokens before: afterwards, at the lowest point and at the highest.
struct Effect {
  int64_t change = 0, lowest = 0, highest = 0;
  uint32_t lowestAt = 0, highestAt = 0; // instructions

  void add(int64_t tokens, uint32_t at) {
    change += tokens;
    if (change < lowest) {
      lowest = change;
      lowestAt = at;
    }
    if (change > highest) {
      highest = change;
      highestAt = at;
    }
  }

  /// Appends `times` repetitions of a loop's body.
  void addLoop(const Effect &body, int64_t times) {
    if (times == 0)
      return;
    int64_t before = std::max<int64_t>(0, -body.change) * (times - 1);
    int64_t after = std::max<int64_t>(0, body.change) * (times - 1);
    if (change - before + body.lowest < lowest) {
      lowest = change - before + body.lowest;
      lowestAt = body.lowestAt;
    }
    if (change + after + body.highest > highest) {
      highest = change + after + body.highest;
      highestAt = body.highestAt;
    }
    change += body.change * times;
  }
};

using Effects = std::array<Effect, PMPD_NPU_SEMAPHORES>;

} // namespace

std::string pmpd::npu::checkTokens(const pmpd_npu_instruction *code,
                                   uint32_t count, uint32_t &at) {
  std::array<int, PMPD_NPU_SEMAPHORES> waiter;
  waiter.fill(-1);
  struct Open {
    uint32_t begin;
    Effects effects;
  };
  std::vector<Open> open(1);
  for (at = 0; at < count; ++at) {
    const pmpd_npu_header &h = code[at].h;
    Effects &effects = open.back().effects;
    for (uint8_t semaphore : {h.wait0, h.wait1})
      if (semaphore != PMPD_NPU_NO_SEMAPHORE) {
        int unit = unitOf(code[at]);
        if (waiter[semaphore] >= 0 && waiter[semaphore] != unit)
          return "semaphore " + std::to_string(semaphore) +
                 " is waited for by " + unitName(unit) + " and by " +
                 unitName(waiter[semaphore]) +
                 ", so that tokens could be taken in either order; use one "
                 "semaphore per waiting unit";
        waiter[semaphore] = unit;
        effects[semaphore].add(-1, at);
      }
    for (uint8_t semaphore : {h.post0, h.post1})
      if (semaphore != PMPD_NPU_NO_SEMAPHORE)
        effects[semaphore].add(1, at);
    if (h.op == PMPD_NPU_LOOP)
      open.push_back({at, {}});
    if (h.op != PMPD_NPU_ENDL)
      continue;
    const pmpd_npu_loop &loop = code[open.back().begin].loop;
    Open closed = open.back();
    open.pop_back();
    for (unsigned s = 0; s < PMPD_NPU_SEMAPHORES; ++s) {
      const Effect &body = closed.effects[s];
      if (loop.creg && body.change) {
        at = closed.begin;
        return "semaphore " + std::to_string(s) + " changes by " +
               std::to_string(body.change) +
               " tokens per iteration of a loop whose count is in a register; "
               "post as many as are waited for";
      }
      // With a register's count the loop may also not run at all, which
      // changes nothing: once is the worst case of a balanced body.
      open.back().effects[s].addLoop(body, loop.creg ? 1 : loop.count);
    }
  }
  for (unsigned s = 0; s < PMPD_NPU_SEMAPHORES; ++s) {
    const Effect &effect = open[0].effects[s];
    if (effect.lowest < 0) {
      at = effect.lowestAt;
      return "it waits for a token of semaphore " + std::to_string(s) +
             " that no earlier instruction posts: a deadlock";
    }
    if (effect.highest > PMPD_NPU_SEMAPHORE_MAX) {
      at = effect.highestAt;
      return "semaphore " + std::to_string(s) + " can exceed " +
             std::to_string(PMPD_NPU_SEMAPHORE_MAX) + " tokens";
    }
  }
  return "";
}
