// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-npu-figure/Figure.h"

#include <cmath>

using namespace pmpd::tools;

const Shape pmpd::tools::vicuna = {"Vicuna-7B", 32,   4096,  32, 11008,
                                   32000,       true, false, 128};
const Shape pmpd::tools::mobileLlama = {
    "MobileLLaMA-1.4B", 24, 2048, 16, 5632, 32000, true, false, 128};
const Shape pmpd::tools::phi = {"Phi-1.5", 24,    2048, 32, 8192,
                                51200,     false, true, 32};

namespace {

/// One group of bars of the figure. The mean contexts are a fit: one per task
/// to the fp16 and uniform bars. The steps at the high precision are those of
/// the static schedules' grid that lie next to the bars. The bits of the
/// learned scheduler are not published; these are the ones its bars imply.
struct Group {
  const Shape *shape;
  const char *task;
  unsigned context; // tokens in the KV cache, on average
  unsigned tokens;  // decoded
  unsigned high, low;
  unsigned highTokens;   // of the static schedule
  double learnedBits;    // on average
  double fp16, uniform;  // tokens/s; speedup
  double fixed, learned; // speedups
};
const Group groups[] = {
    {&vicuna, "CNN/DM", 610, 120, 3, 2, 40, 2.44, 2.422, 4.9, 6.1, 5.9},
    {&vicuna, "Dialogsum", 80, 33, 3, 2, 0, 2.70, 2.495, 5.2, 8.0, 5.9},
    {&vicuna, "IWSLT", 40, 60, 3, 2, 40, 2.30, 2.497, 5.3, 6.0, 6.9},
    {&mobileLlama, "CNN/DM", 610, 256, 4, 3, 85, 3.11, 12.485, 3.5, 4.1, 4.3},
    {&mobileLlama, "Dialogsum", 80, 33, 4, 3, 0, 3.10, 13.220, 3.9, 5.2, 5.0},
    {&mobileLlama, "IWSLT", 40, 60, 4, 3, 40, 3.48, 13.145, 4.0, 4.4, 4.6},
    {&phi, "CNN/DM", 610, 256, 4, 3, 170, 3.02, 12.718, 3.5, 3.8, 4.4},
    {&phi, "Dialogsum", 80, 33, 4, 3, 11, 3.45, 13.489, 3.9, 4.8, 4.5},
};

/// Seconds and joules per token at the high and the low precision.
struct Cost {
  double seconds, joules;
  static Cost of(const pmpd::npu::Counters &counters) {
    return {counters.seconds, counters.energy()};
  }
};

Cost mix(const Cost &high, const Cost &low, double share) {
  return {share * high.seconds + (1 - share) * low.seconds,
          share * high.joules + (1 - share) * low.joules};
}

std::vector<Bar> simulateGroup(const Group &group,
                               const Simulation &simulation) {
  const Shape &shape = *group.shape;
  auto decode = [&](const Variant &variant) {
    return Cost::of(simulation.decode(shape, variant, group.context));
  };
  // The context is that in the middle of the answer.
  unsigned prompt = group.context - group.tokens / 2;
  auto prefill = [&](unsigned bits) {
    return simulation.prefill(shape, fullAccounting(bits), prompt).seconds;
  };
  Cost paper[3], full[3];
  const unsigned bits[] = {16, group.high, group.low};
  for (int i = 0; i < 3; ++i) {
    paper[i] = decode(paperAccounting(bits[i]));
    full[i] = decode(fullAccounting(bits[i]));
  }
  // The schedulers prefill at the high precision.
  double prefills[] = {prefill(16), prefill(group.high)};

  std::vector<Bar> bars;
  auto add = [&](const char *series, double paperSpeedup, const Cost &paperCost,
                 const Cost &fullCost, double prefillSeconds, double meanBits) {
    Bar bar = {};
    bar.model = shape.name;
    bar.task = group.task;
    bar.series = series;
    bar.bits = meanBits;
    bar.paperSpeedup = paperSpeedup;
    bar.paperSpeed = group.fp16 * paperSpeedup;
    bar.paperAccounting = 1 / paperCost.seconds;
    bar.fullAccounting = 1 / fullCost.seconds;
    bar.withPrefill =
        group.tokens / (prefillSeconds + group.tokens * fullCost.seconds);
    bar.joules = fullCost.joules;
    const Bar &base = bars.empty() ? bar : bars.front();
    bar.speedup = bar.paperAccounting / base.paperAccounting;
    bar.fullSpeedup = bar.fullAccounting / base.fullAccounting;
    bar.withPrefillSpeedup = bar.withPrefill / base.withPrefill;
    bars.push_back(bar);
  };
  auto mixed = [&](const char *series, double paperSpeedup, double share) {
    add(series, paperSpeedup, mix(paper[1], paper[2], share),
        mix(full[1], full[2], share), prefills[1], group.low + share);
  };
  add("fp16", 1, paper[0], full[0], prefills[0], 16);
  mixed("uniform", group.uniform, 1);
  mixed("static", group.fixed, double(group.highTokens) / group.tokens);
  mixed("learned", group.learned, group.learnedBits - group.low);
  return bars;
}

} // namespace

std::vector<Bar> pmpd::tools::simulateBars(const Simulation &simulation) {
  std::vector<Bar> bars;
  for (const Group &group : groups)
    for (const Bar &bar : simulateGroup(group, simulation))
      bars.push_back(bar);
  return bars;
}

/// A draft of 2 bits proposes n tokens, 4 bits verify them and choose one more.
/// If each is accepted with probability a, (1 - a^(n+1)) / (1 - a) tokens come
/// of a round. Takes the best n.
static Lever speculate(const Simulation &simulation, const Shape &shape,
                       double accepted, double four, double two) {
  constexpr unsigned context = 610;
  Lever best = {"", shape.name, "4 bits", context, 1 / four, 0};
  for (unsigned drafted : {1, 2, 3, 4}) {
    double round =
        drafted * two +
        simulation.verify(shape, fullAccounting(4), drafted + 1, context)
            .seconds;
    double speed =
        (1 - std::pow(accepted, drafted + 1)) / (1 - accepted) / round;
    if (speed <= best.after)
      continue;
    best.after = speed;
    best.name = "2 bits draft " + std::to_string(drafted) +
                ", 4 bits verify; " +
                std::to_string(static_cast<int>(std::lround(100 * accepted))) +
                " % accepted (assumption)";
  }
  return best;
}

std::vector<Lever> pmpd::tools::simulateLevers(const Simulation &simulation) {
  std::vector<Lever> levers;
  auto speed = [&](const Shape &shape, const Variant &variant,
                   unsigned context) {
    return 1 / simulation.decode(shape, variant, context).seconds;
  };
  for (const Shape *shape : {&vicuna, &mobileLlama}) {
    auto compare = [&](const char *name, unsigned context,
                       const Variant &variant) {
      levers.push_back({name, shape->name, "2 bits", context,
                        speed(*shape, fullAccounting(2), context),
                        speed(*shape, variant, context)});
    };
    Variant variant = fullAccounting(2);
    variant.headBits = 4;
    compare("output head in 4 planes", 610, variant);
    variant = fullAccounting(2);
    variant.form = 0;
    compare("scales without minimums", 610, variant);
    variant = fullAccounting(2);
    variant.kvFormat = PMPD_NPU_KV_I4;
    compare("KV cache in int4", 610, variant);
    compare("KV cache in int4", 2000, variant);

    double four = speed(*shape, fullAccounting(4), 610);
    double three = speed(*shape, fullAccounting(3), 610);
    double two = speed(*shape, fullAccounting(2), 610);
    levers.push_back({"4, 3, 2 bits for a third each", shape->name, "4 bits",
                      610, four, 3 / (1 / four + 1 / three + 1 / two)});
    for (double accepted : {0.7, 0.8, 0.9})
      levers.push_back(
          speculate(simulation, *shape, accepted, 1 / four, 1 / two));
  }
  return levers;
}
