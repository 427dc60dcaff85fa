// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-tune/SchedulerData.h"

#include "pmpd/layout.h"
#include "tools/evaluation/Parallel.h"
#include "tools/evaluation/Rouge.h"
#include "tools/pmpd-tune/Rollouts.h"
#include "tools/pmpd-tune/SampleFile.h"

#include <cmath>
#include <random>

using namespace pmpd::tools;
using nlohmann::json;

namespace {

constexpr int64_t kClasses = 4;

/// K and V of the last layer without the room for more tokens.
std::vector<char> readPlanes(const pmpd_model_desc &desc,
                             const pmpd_session *session) {
  const void *planes[2];
  check(pmpd_session_kv(session, desc.layers - 1, &planes[0], &planes[1]));
  size_t row = desc.head_dim * (desc.kv_element == PMPD_F16 ? 2 : 4);
  size_t used = row * pmpd_session_tokens(session);
  std::vector<char> bytes;
  for (const void *plane : planes)
    for (int32_t head = 0; head < desc.kv_heads; ++head) {
      const char *from =
          static_cast<const char *>(plane) + head * desc.context * row;
      bytes.insert(bytes.end(), from, from + used);
    }
  return bytes;
}

/// Makes samples with sessions of its own.
class Sampler {
public:
  Sampler(OpenModel &model, OpenModel &reference, const SchedulerDataArgs &args,
          const std::vector<int32_t> &text, int32_t threads)
      : model(model), args(args), text(text), bits(model.bits(PMPD_DECODE)),
        session(model.createSession(threads)),
        referenceSession(reference.createSession(threads)),
        rollouts(model, session.get(), args.tokens),
        expected(reference, referenceSession.get(), args.tokens),
        referenceBits(reference.bits(PMPD_DECODE).front()) {}

  Sample sample(int64_t index) {
    int64_t from = 0;
    std::vector<int32_t> prompt = cut(index, from);
    Sample result;
    rollouts.prefill(prompt);
    result.planes = readPlanes(model.desc(), session.get());
    expected.prefill(prompt);
    words = wordsOf(expected.fork(0, referenceBits));
    double high = score(rollouts.fork(0, bits[0]));
    json labels, scores = {{std::to_string(bits[0]), high}};
    for (size_t i = 1; i < bits.size(); ++i) {
      // From the last fork to the first, which begins the next pair.
      double forked[kClasses - 1];
      for (int64_t c = kClasses - 2; c >= 0; --c)
        forked[c] =
            score(rollouts.fork(args.tokens * c / (kClasses - 1), bits[i]));
      int64_t label = 0;
      while (label < kClasses - 1 && forked[label] < high)
        ++label;
      std::string pair =
          std::to_string(bits[i - 1]) + "_" + std::to_string(bits[i]);
      labels[pair] = label;
      scores[pair] = forked;
      high = forked[0];
    }
    result.line = {{"tokens", prompt.size()},
                   {"from", from},
                   {"labels", labels},
                   {"rouge", scores}};
    return result;
  }

private:
  /// A prompt, whose text begins at token `from`.
  std::vector<int32_t> cut(int64_t index, int64_t &from) {
    std::seed_seq seeds{uint64_t(args.seed), uint64_t(index)};
    std::mt19937_64 random(seeds);
    int64_t least =
        std::max<int64_t>(1, std::min<int64_t>(32, args.prompt / 2));
    std::vector<int32_t> prompt = model.beginTokens();
    int64_t length = least + int64_t(random() % (args.prompt - least + 1));
    from = int64_t(random() % (int64_t(text.size()) - args.prompt + 1));
    length -= int64_t(prompt.size());
    prompt.insert(prompt.end(), text.begin() + from,
                  text.begin() + from + std::max<int64_t>(1, length));
    return prompt;
  }

  std::vector<std::string> wordsOf(const std::vector<int32_t> &tokens) {
    std::string decoded;
    for (int32_t token : tokens)
      decoded += model.tokenizer().decode(token);
    return rougeWords(decoded);
  }

  /// ROUGE-L against the expected answer, to three digits.
  double score(const std::vector<int32_t> &answer) {
    return std::round(rougeL(words, wordsOf(answer)) * 1000) / 1000;
  }

  OpenModel &model;
  const SchedulerDataArgs &args;
  const std::vector<int32_t> &text;
  std::vector<int32_t> bits; // descending
  SessionPtr session, referenceSession;
  Rollouts rollouts, expected;
  int32_t referenceBits;
  std::vector<std::string> words; // of the expected answer
};

} // namespace

void pmpd::tools::writeSchedulerData(OpenModel &model, OpenModel &reference,
                                     const SchedulerDataArgs &args) {
  const pmpd_model_desc &desc = model.desc();
  std::vector<int32_t> bits = model.bits(PMPD_DECODE);
  if (bits.size() < 2)
    throw ToolError(model.options().directory +
                    ": expected at least two decode bits to choose between, "
                    "but it has one; recompile with more --decode-bits");
  if (args.prompt + args.tokens > model.context())
    throw ToolError("expected prompts of " + std::to_string(args.prompt) +
                    " and answers of " + std::to_string(args.tokens) +
                    " tokens to fit in the context of " +
                    std::to_string(model.context()));
  std::vector<int32_t> text = model.tokenizer().encode(readText(args.text));
  if (int64_t(text.size()) < args.prompt)
    throw ToolError(args.text + ": expected at least " +
                    std::to_string(args.prompt) + " tokens, but got " +
                    std::to_string(text.size()));
  uint64_t element = desc.kv_element == PMPD_F16 ? 2 : 4;
  json setting = {
      {"format", "pmpd-scheduler-data"},
      {"version", 1},
      {"model", model.digest()},
      {"reference", reference.digest()},
      {"text_tokens", text.size()},
      {"seed", args.seed},
      {"prompt", args.prompt},
      {"new_tokens", args.tokens},
      {"bits", bits},
      {"heads", desc.kv_heads},
      {"head_dim", desc.head_dim},
      {"element", element == 2 ? "float16" : "float32"},
      {"bytes_per_token", 2 * desc.kv_heads * desc.head_dim * element}};
  SampleFile file(args.output, setting);
  int64_t begin = std::min(file.count(), args.samples);
  Workers workers(model.threads(), size_t(args.samples - begin));
  std::vector<std::unique_ptr<Sampler>> samplers;
  for (int i = 0; i < workers.count; ++i)
    samplers.push_back(std::make_unique<Sampler>(model, reference, args, text,
                                                 workers.threadsPer));
  workers.run("samples", size_t(args.samples - begin),
              [&](int worker, size_t item) {
                int64_t index = begin + int64_t(item);
                file.add(index, samplers[worker]->sample(index));
              });
}
