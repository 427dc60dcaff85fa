// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Session.h"

#include "runtime/Descriptor.h"
#include "runtime/Timer.h"
#include "runtime/schedulers/Registry.h"

#include <algorithm>
#include <sched.h>
#include <thread>

using namespace pmpd::rt;

namespace {

constexpr int32_t kMaxThreads = 1024;

/// CPUs the process may use.
int32_t availableCpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return CPU_COUNT(&set);
  return std::max(1u, std::thread::hardware_concurrency());
}

pmpd_status checkRange(const char *what, int64_t value, int64_t most) {
  if (value >= 0 && value <= most)
    return PMPD_OK;
  return fail(PMPD_BAD_ARGUMENT, std::string("expected ") + what + " of 0 .. " +
                                     std::to_string(most) + ", but got " +
                                     std::to_string(value));
}

pmpd_status createTarget(const Model &model,
                         const pmpd_session_options &options,
                         std::unique_ptr<Target> &target) {
  if (model.device())
    return createNpuTarget(model, options, target);
  if (model.gpu())
    return createCudaTarget(model, options.trace != 0, target);
  int threads = options.threads ? options.threads : availableCpus();
  return createCpuTarget(model, threads, options.trace != 0, target);
}

} // namespace

pmpd_status Session::create(std::shared_ptr<const Model> model,
                            const pmpd_session_options &options,
                            std::unique_ptr<pmpd_session> &session) {
  const pmpd_model_desc &desc = model->desc();
  if (pmpd_status status = checkRange("threads", options.threads, kMaxThreads))
    return status;
  if (pmpd_status status = checkRange("context", options.context, desc.context))
    return status;
  int32_t bits = options.prefill_bits ? options.prefill_bits
                                      : highestBits(desc, PMPD_PREFILL);
  const pmpd_region_desc *region = findRegion(desc, PMPD_PREFILL, bits);
  if (!region)
    return failUnsupportedBits(desc, PMPD_PREFILL, bits);
  std::unique_ptr<Target> target;
  if (pmpd_status status = createTarget(*model, options, target))
    return status;
  session = std::make_unique<pmpd_session>(
      std::move(model), std::move(target), region,
      options.context ? options.context : desc.context);
  return PMPD_OK;
}

Session::Session(std::shared_ptr<const Model> model,
                 std::unique_ptr<Target> target,
                 const pmpd_region_desc *prefillRegion, int64_t limit)
    : model(std::move(model)), target(std::move(target)),
      prefillRegion(prefillRegion), limit(limit),
      previousBits(prefillRegion->bits), lastLogits(desc().vocab) {
  scheduler = createStaticScheduler({{highestBits(desc(), PMPD_DECODE), 0}});
}

void Session::reset() {
  target->clearKv();
  target->clearTotals();
  held = base = 0;
  heldTokens.clear();
  maxTokens = 0;
  begun = false;
  previousBits = prefillRegion->bits;
  haveLogits = false;
  totals = {};
  decodeBits = 0;
}

pmpd_status Session::truncate(int64_t tokens) {
  if (pmpd_status status = checkRange("remaining tokens", tokens, held))
    return status;
  if (tokens == held)
    return PMPD_OK;
  held = tokens;
  heldTokens.resize(held);
  haveLogits = false; // they followed a token that is gone
  if (held <= base) { // the prompt itself changed
    base = held;
    begun = false;
  } else {
    scheduler->rewind(held - base);
  }
  return PMPD_OK;
}

pmpd_status Session::kv(int32_t layer, const void **keys,
                        const void **values) const {
  if (pmpd_status status = checkRange("layer", layer, desc().layers - 1))
    return status;
  const uint8_t *first = nullptr;
  if (pmpd_status status = target->kv(layer, held, first))
    return status;
  if (keys)
    *keys = first;
  if (values)
    *values = first + kvLayerBytes(desc()) / 2;
  return PMPD_OK;
}

pmpd_status Session::setSchedule(const pmpd_switch_point *points,
                                 size_t count) {
  if (pmpd_status status = checkSwitchPoints(points, count))
    return status;
  return use(createStaticScheduler({points, points + count}));
}

pmpd_status Session::setScheduler(const char *text) {
  ParsedSchedule schedule;
  if (pmpd_status status = parseSchedule(text, schedule))
    return status;
  const pmpd_region_desc *before = prefillRegion;
  if (schedule.prefillBits)
    if (pmpd_status status = setPrefillBits(schedule.prefillBits))
      return status;
  pmpd_status status = use(std::move(schedule.policy));
  if (status != PMPD_OK)
    prefillRegion = before;
  return status;
}

void Session::setCallback(pmpd_schedule_fn fn, void *user) {
  scheduler = createCallbackScheduler(fn, user);
  begun = false;
}

pmpd_status Session::setPrefillBits(int32_t bits) {
  const pmpd_region_desc *region = findRegion(
      desc(), PMPD_PREFILL, bits ? bits : highestBits(desc(), PMPD_PREFILL));
  if (!region)
    return failUnsupportedBits(desc(), PMPD_PREFILL, bits);
  prefillRegion = region;
  return PMPD_OK;
}

pmpd_status Session::use(std::unique_ptr<Scheduler> policy) {
  if (pmpd_status status = policy->bind(*model))
    return status;
  scheduler = std::move(policy);
  begun = false;
  return PMPD_OK;
}

pmpd_status Session::beginRequest() {
  if (begun)
    return PMPD_OK;
  Request request;
  request.tokens = heldTokens.data();
  request.count = held;
  request.maxTokens = maxTokens ? maxTokens : limit - held;
  request.session = static_cast<const pmpd_session *>(this);
  Timer timer;
  pmpd_status status = scheduler->begin(request);
  totals.scheduler_seconds += timer.seconds();
  begun = status == PMPD_OK;
  return status;
}

pmpd_status Session::checkTokens(const int32_t *tokens, int64_t count) const {
  for (int64_t i = 0; i < count; ++i)
    if (tokens[i] < 0 || tokens[i] >= desc().vocab)
      return fail(PMPD_BAD_ARGUMENT,
                  "expected token ids of 0 .. " +
                      std::to_string(desc().vocab - 1) + ", but got " +
                      std::to_string(tokens[i]) + " at " + std::to_string(i));
  if (count > limit - held)
    return fail(PMPD_OUT_OF_CONTEXT,
                "expected at most " + std::to_string(limit - held) +
                    " more tokens in a context of " + std::to_string(limit) +
                    ", but got " + std::to_string(count) +
                    "; shorten the input or compile with a larger --ctx");
  return PMPD_OK;
}

pmpd_status Session::prefillChunks(const int32_t *tokens, int64_t count,
                                   int64_t logitRows, float *logits,
                                   TokenChoice *choice) {
  const int64_t firstRow = count - logitRows; // of those with logits
  for (int64_t begin = 0, end; begin < count; begin = end) {
    if (cancelled)
      return fail(PMPD_CANCELLED, "cancelled");
    end = std::min(begin + prefillRegion->max_rows, count);
    int64_t firstHere = std::min(std::max(begin, firstRow), end);
    RegionCall call = {};
    call.region = prefillRegion;
    call.tokens = tokens + begin;
    call.rows = end - begin;
    call.position = held + begin;
    call.logitRows = end - firstHere;
    if (end == count)
      call.choice = choice;
    if (call.logitRows > 0)
      call.logits = logits + (firstHere - firstRow) * desc().vocab;
    if (pmpd_status status = target->run(call))
      return status;
  }
  return PMPD_OK;
}

pmpd_status Session::prefill(const int32_t *tokens, int64_t count,
                             int64_t logitRows, float *logits,
                             TokenChoice *choice) {
  if (!tokens || count < 1)
    return fail(PMPD_BAD_ARGUMENT, "expected at least one token to prefill");
  if (pmpd_status status = checkRange("logit rows", logitRows, count))
    return status;
  if (logitRows > 0 && !logits)
    return fail(PMPD_BAD_ARGUMENT, "expected a place for the logits, but got "
                                   "NULL");
  if (pmpd_status status = checkTokens(tokens, count))
    return status;
  Timer timer;
  if (pmpd_status status =
          prefillChunks(tokens, count, logitRows, logits, choice))
    return status;
  heldTokens.insert(heldTokens.end(), tokens, tokens + count);
  held += count;
  base = held - 1; // these logits choose token 0, the next step's token 1
  maxTokens = 0;
  begun = false;
  previousBits = prefillRegion->bits;
  haveLogits = logitRows > 0 && !choice;
  if (haveLogits && logits != lastLogits.data())
    std::copy_n(logits + (logitRows - 1) * desc().vocab, desc().vocab,
                lastLogits.data());
  double seconds = timer.seconds();
  totals.prefill_tokens += count;
  totals.prefill_seconds += seconds;
  totals.first_token_seconds = seconds;
  totals.prefill_bits = prefillRegion->bits;
  return PMPD_OK;
}

pmpd_status Session::decode(int32_t token, int32_t *bits, TokenChoice *choice) {
  if (pmpd_status status = checkTokens(&token, 1))
    return status;
  if (pmpd_status status = beginRequest())
    return status;
  pmpd_step step = {};
  step.index = held - base;
  step.bits = previousBits;
  step.logits = logits();
  step.vocab = desc().vocab;
  step.session = static_cast<const pmpd_session *>(this);
  int32_t picked = scheduler->pick(step);
  const pmpd_region_desc *region = findRegion(desc(), PMPD_DECODE, picked);
  if (!region)
    return failUnsupportedBits(desc(), PMPD_DECODE, picked);
  RegionCall call = {};
  call.region = region;
  call.tokens = &token;
  call.rows = 1;
  call.position = held;
  call.logits = lastLogits.data();
  call.logitRows = 1;
  call.choice = choice;
  Timer timer;
  if (pmpd_status status = target->run(call))
    return status;
  totals.decode_seconds += timer.seconds();
  heldTokens.push_back(token);
  ++held;
  ++totals.decode_tokens;
  totals.decode_bytes +=
      double(region->weight_bytes) + double(kvBytesPerToken(desc())) * held;
  decodeBits += picked;
  previousBits = picked;
  haveLogits = !choice;
  if (bits)
    *bits = picked;
  return PMPD_OK;
}

pmpd_stats Session::stats() const {
  pmpd_stats result = totals;
  if (totals.decode_tokens > 0)
    result.average_bits = decodeBits / double(totals.decode_tokens);
  return result;
}
