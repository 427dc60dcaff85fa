// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/Rollouts.h"

#include <algorithm>

using namespace pmpd::tools;

namespace {

int32_t asTold(void *bits, const pmpd_step *) {
  return *static_cast<int32_t *>(bits);
}

} // namespace

Rollouts::Rollouts(OpenModel &model, pmpd_session *session, int64_t tokens)
    : session(session), most(tokens), stops(model.endTokens()),
      logits(model.desc().vocab) {
  check(pmpd_session_set_callback(session, asTold, &bits));
}

void Rollouts::prefill(const std::vector<int32_t> &prompt) {
  pmpd_session_reset(session);
  promptTokens = int64_t(prompt.size());
  check(pmpd_prefill(session, prompt.data(), promptTokens, 1, logits.data()));
  first = likeliest(logits);
  latest.clear();
}

std::vector<int32_t> Rollouts::fork(int64_t high, int32_t newBits) {
  // Token 0 is prefill's, whatever the bits of the steps after it.
  std::vector<int32_t> answer(
      latest.begin(),
      latest.begin() + std::min<int64_t>(high, int64_t(latest.size())));
  bool ended = int64_t(answer.size()) < high;
  if (answer.empty() && !ended)
    answer.push_back(first);
  auto isStop = [&](int32_t token) {
    return std::find(stops.begin(), stops.end(), token) != stops.end();
  };
  if (!ended && isStop(answer.back())) {
    answer.pop_back();
    ended = true;
  }
  if (!ended) {
    // The newest token is not in the cache yet.
    check(pmpd_session_truncate(session,
                                promptTokens + int64_t(answer.size()) - 1));
    bits = newBits;
    while (int64_t(answer.size()) < most) {
      check(pmpd_decode(session, answer.back(), logits.data(), nullptr));
      int32_t token = likeliest(logits);
      if (isStop(token))
        break;
      answer.push_back(token);
    }
  }
  if (high == 0)
    latest = answer;
  return answer;
}
