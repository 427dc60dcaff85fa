// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_TUNE_SCHEDULERDATA_H
#define PMPD_TOOLS_PMPD_TUNE_SCHEDULERDATA_H

#include "tools/support/Tool.h"

namespace pmpd::tools {

/// What a learned scheduler is trained on.
struct SchedulerDataArgs {
  std::string text;   ///< file to cut prompts from
  std::string output; ///< file of samples
  int64_t samples = 2000;
  int64_t prompt = 128; ///< L: prompts have min(32, L / 2) to L tokens
  int64_t tokens = 96;  ///< T, new tokens of an answer
  uint64_t seed = 0;
};

/// Writes samples: what the last layer's K and V are after a prompt, and the
/// class that was right for every pair of adjacent decode bits.
///
/// The answer of `reference` at its highest bits is compared by ROUGE-L with
/// those of the model: at the higher bits throughout, and lowered at 0, T/3 and
/// 2T/3 tokens. The class is the first of these that is as good as the higher
/// bits to three digits, else 3. Source: arXiv 2410.13461.
///
/// `output` has one JSON object per line: first the setting, then a sample:
/// {"tokens": L, "from": F, "at": A, "labels": {"4_3": C, ...}, "rouge":
/// {...}}, where F is the text's token that the prompt begins with and "rouge"
/// has the score of each class but the last. K and V of the sample, [2,
/// kv_heads, L, head_dim] in elements of the cache, are from byte A of
/// `output`.kv on. Samples depend on the seed and their number alone; a file of
/// the same setting is continued. Throws ToolError.
void writeSchedulerData(OpenModel &model, OpenModel &reference,
                        const SchedulerDataArgs &args);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_TUNE_SCHEDULERDATA_H
