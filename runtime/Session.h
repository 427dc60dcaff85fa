// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_SESSION_H
#define PMPD_RUNTIME_SESSION_H

#include "runtime/schedulers/Scheduler.h"
#include "runtime/targets/Target.h"

#include <atomic>

namespace pmpd::rt {

/// The tokens of one conversation: what is in the KV cache, which step comes
/// next and at which bits. Members are documented in runtime.h.
class Session {
public:
  /// Errors: as pmpd_session_create.
  static pmpd_status create(std::shared_ptr<const Model> model,
                            const pmpd_session_options &options,
                            std::unique_ptr<pmpd_session> &session);

  /// Use create(), which checks.
  Session(std::shared_ptr<const Model> model, std::unique_ptr<Target> target,
          const pmpd_region_desc *prefillRegion, int64_t limit);

  void reset();
  pmpd_status truncate(int64_t tokens);
  pmpd_status kv(int32_t layer, const void **keys, const void **values) const;
  pmpd_status setSchedule(const pmpd_switch_point *points, size_t count);
  pmpd_status setScheduler(const char *text);
  void setCallback(pmpd_schedule_fn fn, void *user);
  pmpd_status setPrefillBits(int32_t bits);

  /// As pmpd_session_set_max_tokens; 0 = unknown.
  void setMaxTokens(int64_t tokens) { maxTokens = tokens; }

  /// Whether steps may have a choice: the target makes it, and the scheduler
  /// does not ask for the logits.
  bool canChoose() const {
    return target->canChoose() && !scheduler->readsLogits();
  }

  /// As pmpd_prefill; what it leaves in logits() is the last row. With a
  /// choice, which is for one row, it is made and there are no logits.
  pmpd_status prefill(const int32_t *tokens, int64_t count, int64_t logitRows,
                      float *logits, TokenChoice *choice = nullptr);

  /// As pmpd_decode, into logits() or as a choice.
  pmpd_status decode(int32_t token, int32_t *bits,
                     TokenChoice *choice = nullptr);

  /// [vocab] of the last step; null if it gave none.
  const float *logits() const {
    return haveLogits ? lastLogits.data() : nullptr;
  }
  float *logitBuffer() { return lastLogits.data(); }

  /// Bits of the last step, prefill's before the first decode step.
  int32_t lastBits() const { return previousBits; }

  void cancel() { cancelled = true; }
  void clearCancel() { cancelled = false; }
  bool isCancelled() const { return cancelled; }

  const pmpd_model_desc &desc() const { return model->desc(); }
  int64_t tokens() const { return held; }
  int64_t context() const { return limit; }
  pmpd_stats stats() const;
  const Target &machine() const { return *target; }
  void setFirstTokenSeconds(double seconds) {
    totals.first_token_seconds = seconds;
  }

private:
  pmpd_status use(std::unique_ptr<Scheduler> policy);
  pmpd_status beginRequest();
  pmpd_status checkTokens(const int32_t *tokens, int64_t count) const;
  pmpd_status prefillChunks(const int32_t *tokens, int64_t count,
                            int64_t logitRows, float *logits,
                            TokenChoice *choice);

  std::shared_ptr<const Model> model;
  std::unique_ptr<Target> target;
  std::unique_ptr<Scheduler> scheduler;
  bool begun = false; // the scheduler knows the present request
  const pmpd_region_desc *prefillRegion;
  int64_t limit;                   // most tokens in the KV cache
  int64_t held = 0;                // tokens in the KV cache
  std::vector<int32_t> heldTokens; // [held]
  int64_t base = 0;                // tokens held when the step index was 0
  int64_t maxTokens = 0;
  int32_t previousBits;
  bool haveLogits = false;
  std::vector<float> lastLogits; // [vocab]
  std::atomic<bool> cancelled{false};
  pmpd_stats totals = {};
  double decodeBits = 0; // summed over decode steps
};

} // namespace pmpd::rt

/// The handle of runtime.h is the session itself.
struct pmpd_session : pmpd::rt::Session {
  using Session::Session;
};

#endif // PMPD_RUNTIME_SESSION_H
