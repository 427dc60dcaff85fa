// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The session part of runtime.h.
#include "runtime/Session.h"

#include <algorithm>

using namespace pmpd::rt;

namespace {
pmpd_status failNullSession() {
  return fail(PMPD_BAD_ARGUMENT, "expected a session, but got NULL");
}
} // namespace

pmpd_status pmpd_session_create(pmpd_model *model,
                                const pmpd_session_options *given,
                                pmpd_session **session) {
  return guard([&] {
    if (!model || !session)
      return fail(PMPD_BAD_ARGUMENT,
                  "expected a model and a place for the session, but got NULL");
    pmpd_session_options options = PMPD_SESSION_OPTIONS_INIT;
    if (pmpd_status status = readOptions(given, options))
      return status;
    std::unique_ptr<pmpd_session> created;
    if (pmpd_status status = Session::create(model->shared, options, created))
      return status;
    *session = created.release();
    return PMPD_OK;
  });
}

void pmpd_session_destroy(pmpd_session *session) { delete session; }

void pmpd_session_reset(pmpd_session *session) { session->reset(); }

pmpd_status pmpd_session_truncate(pmpd_session *session, int64_t tokens) {
  return guard(
      [&] { return session ? session->truncate(tokens) : failNullSession(); });
}

int64_t pmpd_session_tokens(const pmpd_session *session) {
  return session->tokens();
}

pmpd_status pmpd_session_kv(const pmpd_session *session, int32_t layer,
                            const void **keys, const void **values) {
  return guard([&] {
    return session ? session->kv(layer, keys, values) : failNullSession();
  });
}

pmpd_status pmpd_session_set_schedule(pmpd_session *session,
                                      const pmpd_switch_point *points,
                                      size_t count) {
  return guard([&] {
    if (!session)
      return failNullSession();
    if (!points)
      return fail(PMPD_BAD_ARGUMENT, "expected switch points, but got NULL");
    return session->setSchedule(points, count);
  });
}

pmpd_status pmpd_session_set_scheduler(pmpd_session *session,
                                       const char *text) {
  return guard([&] {
    if (!session)
      return failNullSession();
    if (!text)
      return fail(PMPD_BAD_ARGUMENT, "expected a schedule, but got NULL");
    return session->setScheduler(text);
  });
}

pmpd_status pmpd_session_set_prefill_bits(pmpd_session *session, int32_t bits) {
  return guard([&] {
    return session ? session->setPrefillBits(bits) : failNullSession();
  });
}

pmpd_status pmpd_session_set_callback(pmpd_session *session,
                                      pmpd_schedule_fn fn, void *user) {
  return guard([&] {
    if (!session)
      return failNullSession();
    if (!fn)
      return fail(PMPD_BAD_ARGUMENT, "expected a callback, but got NULL");
    session->setCallback(fn, user);
    return PMPD_OK;
  });
}

pmpd_status pmpd_session_set_max_tokens(pmpd_session *session, int64_t tokens) {
  return guard([&] {
    if (!session)
      return failNullSession();
    if (tokens < 1)
      return fail(PMPD_BAD_ARGUMENT, "expected at least one token, but got " +
                                         std::to_string(tokens));
    session->setMaxTokens(tokens);
    return PMPD_OK;
  });
}

pmpd_status pmpd_prefill(pmpd_session *session, const int32_t *tokens,
                         int64_t count, int64_t logitRows, float *logits) {
  return guard([&] {
    if (!session)
      return failNullSession();
    session->clearCancel();
    return session->prefill(tokens, count, logitRows, logits);
  });
}

pmpd_status pmpd_decode(pmpd_session *session, int32_t token, float *logits,
                        int32_t *bits) {
  return guard([&] {
    if (!session)
      return failNullSession();
    if (!logits)
      return fail(PMPD_BAD_ARGUMENT,
                  "expected a place for the logits, but got NULL");
    if (pmpd_status status = session->decode(token, bits))
      return status;
    std::copy_n(session->logits(), session->desc().vocab, logits);
    return PMPD_OK;
  });
}

void pmpd_session_stats(const pmpd_session *session, pmpd_stats *stats) {
  *stats = session->stats();
}

pmpd_status pmpd_session_npu_stats(const pmpd_session *session,
                                   pmpd_npu_stats *stats) {
  return guard([&] {
    if (!session || !stats)
      return fail(PMPD_BAD_ARGUMENT,
                  "expected a session and a place for its totals, but got "
                  "NULL");
    return session->machine().npuStats(*stats);
  });
}

pmpd_status pmpd_session_write_trace(const pmpd_session *session,
                                     const char *path) {
  return guard([&] {
    if (!session || !path)
      return fail(PMPD_BAD_ARGUMENT,
                  "expected a session and a path, but got NULL");
    return session->machine().writeTrace(path);
  });
}

void pmpd_session_cancel(pmpd_session *session) { session->cancel(); }
