// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_TARGETS_TARGET_H
#define PMPD_RUNTIME_TARGETS_TARGET_H

#include "runtime/Model.h"

namespace pmpd::rt {

/// A token that a target chooses instead of giving the logits.
struct TokenChoice {
  pmpd_sampling sampling; // checked
  double uniform;         // the draw, in [0, 1)
  int32_t token;          // out; -1 if no logit is finite
};

/// One call of a region on tokens the session has checked.
struct RegionCall {
  const pmpd_region_desc *region;
  const int32_t *tokens; // [rows]
  int64_t rows;
  int64_t position;    // tokens in the KV cache before the call
  float *logits;       // [logitRows, vocab]; left alone with a choice
  int64_t logitRows;   // trailing rows
  TokenChoice *choice; // null, or to be made from the logits of the one row
};

/// Where the regions of one session run and its KV cache lives. A new kind of
/// device is a new implementation of this.
class Target {
public:
  virtual ~Target() = default;

  /// Runs a region to its end.
  virtual pmpd_status run(const RegionCall &call) = 0;

  /// Whether calls may have a choice.
  virtual bool canChoose() const { return false; }

  /// Makes the first `tokens` positions of a layer readable: `keys` is where
  /// its K begin, with V behind them, as kernel.h lays them out.
  /// Errors: of devices, OUT_OF_MEMORY and DEVICE_ERROR.
  virtual pmpd_status kv(int32_t layer, int64_t tokens,
                         const uint8_t *&keys) = 0;

  /// Gives the memory of the KV cache back; its contents are lost.
  virtual void clearKv() = 0;

  /// Sets what it counts and records back to nothing.
  virtual void clearTotals() {}

  /// As pmpd_session_write_trace.
  virtual pmpd_status writeTrace(const std::string &path) const = 0;

  /// As pmpd_session_npu_stats.
  virtual pmpd_status npuStats(pmpd_npu_stats &) const {
    return fail(PMPD_BAD_ARGUMENT, "expected a model compiled with --target "
                                   "npu, but this one is for another target");
  }

protected:
  static pmpd_status failUnrecorded() {
    return fail(PMPD_BAD_ARGUMENT, "expected a session that records a trace; "
                                   "create it with options.trace");
  }
};

/// A target of `threads` CPU threads, the caller's included. `model` outlives
/// it. Errors: OUT_OF_MEMORY.
pmpd_status createCpuTarget(const Model &model, int threads, bool trace,
                            std::unique_ptr<Target> &target);

/// A simulated NPU for a model that has a device(). `model` outlives it.
/// Errors: BAD_ARGUMENT, NOT_FOUND, IO_ERROR (of the options), BAD_MODEL (the
/// hardware lacks what the program needs), OUT_OF_MEMORY.
pmpd_status createNpuTarget(const Model &model,
                            const pmpd_session_options &options,
                            std::unique_ptr<Target> &target);

/// A GPU that holds a model with a gpu(). `model` outlives it.
/// Errors: OUT_OF_MEMORY, DEVICE_ERROR.
pmpd_status createCudaTarget(const Model &model, bool trace,
                             std::unique_ptr<Target> &target);

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_TARGETS_TARGET_H
