// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/ScheduledTest.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

using namespace pmpd::test;

namespace {

class SchedulerTest : public ScheduledTest {};

/// Probability of the likeliest token, in the plainest way.
double certainty(const std::vector<float> &logits) {
  double sum = 0, most = 0;
  for (float logit : logits) {
    sum += std::exp(double(logit));
    most = std::max(most, std::exp(double(logit)));
  }
  return most / sum;
}

bool falls(const std::vector<int32_t> &bits) {
  return std::is_sorted(bits.rbegin(), bits.rend());
}

} // namespace

TEST_F(SchedulerTest, every_policy_is_listed_and_found_by_its_name) {
  std::set<std::string> names;
  for (size_t i = 0; const pmpd_scheduler_info *info = pmpd_scheduler_at(i);
       ++i) {
    names.insert(info->name);
    EXPECT_NE(std::string(info->syntax).find(info->name), std::string::npos);
    EXPECT_NE(info->summary[0], '\0');
    pmpd_scheduler_check(info->name);
    EXPECT_EQ(std::string(pmpd_last_error()).find("one of static"),
              std::string::npos)
        << info->name;
  }
  for (const char *name : {"static", "confidence", "learned", "random"})
    EXPECT_EQ(names.count(name), 1u) << name;
}

TEST_F(SchedulerTest, static_has_two_spellings) {
  std::vector<int32_t> expected = {4, 4, 3, 2, 2};
  EXPECT_EQ(bitsOf(scheduled("4@0,3@2,2@3").get(), {1}, 5), expected);
  EXPECT_EQ(bitsOf(scheduled("static:4@0,3@2,2@3").get(), {1}, 5), expected);
}

TEST_F(SchedulerTest, a_schedule_may_name_the_bits_of_prefill) {
  std::vector<int32_t> expected = {3, 2, 2};
  EXPECT_EQ(bitsOf(scheduled("3/2@0").get(), {1}, 3), expected);
  EXPECT_EQ(bitsOf(scheduled("3/static:2@0").get(), {1}, 3), expected);
  SessionPtr session = scheduled("3/2@0");
  ASSERT_PMPD_OK(pmpd_session_set_prefill_bits(session.get(), 0));
  EXPECT_EQ(bitsOf(session.get(), {1}, 2), (std::vector<int32_t>{4, 2}));
}

TEST_F(SchedulerTest, says_what_is_wrong_and_where) {
  expectRefused("", "expected one of static, confidence, learned, random");
  expectRefused("nosuch", "at character 1, but got 'nosuch'");
  expectRefused("confidences", "at character 1, but got 'confidences'");
  expectRefused("0/2@0", "expected prefill bits of at least 1 at character 1");
  expectRefused("4/", "at character 3, but got the end");
  expectRefused("4/3", "expected '@'");
  expectRefused("static", "expected ':' at character 7");
  expectRefused("4@0,3@2,4@9", "expected bits that do not rise, but 4 follows");
  expectRefused("confidence:", "expected one of tokens=, sigma=, from=, to=");
  expectRefused("confidence:tokens", "expected one of tokens=");
  expectRefused("confidence:tokens=0", "at least one token at character 19");
  expectRefused("confidence:tokens=1,tokens=2", "one of sigma=, from=, to=");
  expectRefused("confidence:sigma=nan", "standard deviations");
  expectRefused("confidence:sigma=-1", "standard deviations");
  expectRefused("confidence:sigma=1;", "expected ',' or the end");
  expectRefused("random:prior=1/2/3", "'/' and another weight");
  expectRefused("random:prior=0/0/0/0", "finite sum above 0");
  expectRefused("random:prior=1e308/1e308/1/1", "finite sum above 0");
  expectRefused("confidence:from=2,to=3", "from= of at least to=");
}

TEST_F(SchedulerTest, refuses_bits_that_were_not_compiled) {
  expectRefused("5@0", "decode bits of 4, 3, 2, but got 5",
                PMPD_UNSUPPORTED_BITS);
  expectRefused("2/2@0", "prefill bits of 4, 3, but got 2",
                PMPD_UNSUPPORTED_BITS);
  expectRefused("confidence:to=1", "but got 1", PMPD_UNSUPPORTED_BITS);
  expectRefused("random:from=8", "but got 8", PMPD_UNSUPPORTED_BITS);
}

TEST_F(SchedulerTest, a_refused_policy_leaves_the_bits_of_prefill_alone) {
  SessionPtr session = newSession();
  EXPECT_FAILS(PMPD_UNSUPPORTED_BITS, "but got 7",
               pmpd_session_set_scheduler(session.get(), "3/7@0"));
  EXPECT_EQ(bitsOf(session.get(), {1}, 1), (std::vector<int32_t>{4}));
}

TEST_F(SchedulerTest, confidence_follows_its_definition) {
  SessionPtr session = scheduled("confidence:tokens=3,sigma=0.5");
  const std::vector<int32_t> prompt = {7, 3};
  const int64_t tokens = 40;
  std::vector<int32_t> bits = bitsOf(session.get(), prompt, tokens);

  // Again by hand: collect three, compare, go down, collect three ...
  Reference reference;
  std::vector<float> logits = reference.run(PMPD_PREFILL, 4, prompt);
  std::vector<double> seen;
  std::vector<int32_t> expected = {4};
  int32_t now = 4;
  for (int64_t index = 1; index < tokens; ++index) {
    double value = certainty(logits);
    if (now > 2 && seen.size() < 3) {
      seen.push_back(value);
    } else if (now > 2) {
      double mean = (seen[0] + seen[1] + seen[2]) / 3, squares = 0;
      for (double one : seen)
        squares += (one - mean) * (one - mean);
      if (value > mean + 0.5 * std::sqrt(squares / 3)) {
        --now;
        seen.clear();
      }
    }
    expected.push_back(now);
    logits = reference.run(PMPD_DECODE, now, {argmax(logits)});
  }
  EXPECT_EQ(bits, expected);
  EXPECT_EQ(bits.back(), 2); // or the test would say little
}

TEST_F(SchedulerTest, confidence_starts_anew_with_every_request) {
  SessionPtr session = scheduled("confidence:tokens=2,sigma=0");
  std::vector<int32_t> first = bitsOf(session.get(), {7, 3}, 30);
  EXPECT_LT(first.back(), 4);
  pmpd_session_reset(session.get());
  EXPECT_EQ(bitsOf(session.get(), {7, 3}, 30), first);
}

TEST_F(SchedulerTest, confidence_goes_back_with_a_truncation) {
  SessionPtr session = scheduled("confidence:tokens=2,sigma=0");
  const std::vector<int32_t> prompt = {7, 3};
  std::vector<float> logits(kVocab);
  ASSERT_PMPD_OK(
      pmpd_prefill(session.get(), prompt.data(), 2, 1, logits.data()));
  std::vector<std::vector<float>> after = {logits}; // [index] chose token index
  std::vector<int32_t> bits;
  auto step = [&](size_t index) {
    int32_t used = 0;
    ASSERT_PMPD_OK(pmpd_decode(session.get(), argmax(after[index - 1]),
                               logits.data(), &used));
    after.resize(index);
    after.push_back(logits);
    bits.resize(index - 1);
    bits.push_back(used);
  };
  for (size_t index = 1; index < 30; ++index)
    step(index);
  std::vector<int32_t> once = bits;
  // The logits before the place gone back to are not kept, so that certainty
  // is missing and nothing else; where the lowest bits hold it plays no part.
  size_t low = std::find(once.begin(), once.end(), 2) - once.begin() + 2;
  ASSERT_LT(low, once.size());
  ASSERT_PMPD_OK(pmpd_session_truncate(session.get(), 1 + int64_t(low)));
  for (size_t index = low; index < 30; ++index)
    step(index);
  EXPECT_EQ(bits, once);
  ASSERT_PMPD_OK(pmpd_session_truncate(session.get(), 2));
  step(1);
  EXPECT_EQ(bits.back(), 4);
}

TEST_F(SchedulerTest, random_draws_by_prompt_and_seed_alone) {
  SessionPtr one = scheduled("random:seed=5"), two = scheduled("random:seed=5");
  std::vector<std::vector<int32_t>> forward, backward;
  for (int32_t token = 0; token < 20; ++token)
    forward.push_back(bitsOf(one.get(), {token}, 2));
  for (int32_t token = 19; token >= 0; --token) {
    pmpd_session_reset(one.get());
    pmpd_session_reset(two.get());
    backward.push_back(bitsOf(two.get(), {token}, 12));
    EXPECT_EQ(bitsOf(one.get(), {token}, 12), backward.back()) << token;
    EXPECT_TRUE(falls(backward.back()));
  }
  EXPECT_GT(
      (std::set<std::vector<int32_t>>(backward.begin(), backward.end())).size(),
      4u);
}

TEST_F(SchedulerTest, random_keeps_its_prior) {
  // 4 -> 3 and 3 -> 2 each after 0, 4, 8 tokens or never.
  SessionPtr session = scheduled("random:prior=1/0/2/1,T=12");
  std::map<int64_t, int> classes;
  const int draws = 2000;
  for (int32_t i = 0; i < draws; ++i) {
    pmpd_session_reset(session.get());
    std::vector<int32_t> bits =
        bitsOf(session.get(), {i % kVocab, i / kVocab}, 16);
    ++classes[std::count(bits.begin() + 1, bits.end(), 4)];
  }
  EXPECT_EQ(classes.size(), 3u);
  EXPECT_NEAR(classes[0], draws / 4, 100);
  EXPECT_NEAR(classes[7], draws / 2, 100); // tokens 1 .. 7
  EXPECT_NEAR(classes[15], draws / 4, 100);
}

TEST_F(SchedulerTest, random_takes_T_from_the_request) {
  SessionPtr session = scheduled("random:prior=0/1/0/0");
  EXPECT_EQ(bitsOf(session.get(), {1}, 6),
            (std::vector<int32_t>{4, 4, 2, 2, 2, 2}));
  EXPECT_EQ(bitsOf(session.get(), {1}, 9),
            (std::vector<int32_t>{4, 4, 4, 2, 2, 2, 2, 2, 2}));
}

TEST_F(SchedulerTest, reads_a_schedule_file) {
  auto file = [&](const std::string &text) {
    return "@" + dir.write("schedule.json", text);
  };
  const std::string head = R"({"format": "pmpd-schedule", "version": 1, )";
  SessionPtr session =
      scheduled(file(head + R"("schedule": "3/3@0,2@2", "x": []})"));
  EXPECT_EQ(bitsOf(session.get(), {1}, 4), (std::vector<int32_t>{3, 3, 2, 2}));
  expectRefused(file(""), "expected a JSON object; write it with pmpd-tune");
  expectRefused(file("[4]"), "expected a JSON object");
  expectRefused(file(R"({"schedule": "4@0"})"), "\"format\"");
  expectRefused(file(R"({"format": "pmpd-schedule", "version": 2,
                        "schedule": "4@0"})"),
                "\"version\": 1");
  expectRefused(file(head + R"("schedule": 4})"), "a text for \"schedule\"");
  expectRefused(file(head + R"("schedule": "4@1"})"), "schedule.json: ");
  expectRefused(file(head + R"("schedule": "@schedule.json"})"), "one of");
  expectRefused("@" + dir.path("absent.json"), "cannot read", PMPD_NOT_FOUND);
  EXPECT_NE(pmpd_scheduler_check(("@" + dir.path()).c_str()), PMPD_OK);
}

TEST_F(SchedulerTest, damaged_texts_and_files_are_refused_or_sound) {
  const std::vector<std::string> seeds = {
      "4/4@0,3@64,2@160", "static:4@0,2@9",
      "3/confidence:tokens=10,sigma=1.5,from=4,to=2",
      "random:seed=7,T=96,prior=1/2/3/4"};
  std::mt19937 random(20);
  int accepted = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string text = seeds[round % seeds.size()];
    for (int edits = random() % 3; edits >= 0; --edits) {
      size_t at = random() % (text.size() + 1);
      char any = char(random() % 127 + 1);
      if (random() % 3 == 0)
        text.insert(at, 1, any);
      else if (at < text.size() && random() % 2)
        text[at] = "0123456789@,:=/.ae-"[random() % 19];
      else if (at < text.size())
        text.erase(at, 1 + random() % 3);
    }
    if (text[0] == '@')
      continue;
    SessionPtr session = newSession();
    std::string source = text;
    if (round % 2) {
      std::string json = R"({"format": "pmpd-schedule", "version": 1,
                             "schedule": ")" +
                         text + "\"}";
      if (random() % 4 == 0)
        json[random() % json.size()] = char(random());
      source = "@" + dir.write("schedule.json", json);
    }
    pmpd_status status =
        pmpd_session_set_scheduler(session.get(), source.c_str());
    EXPECT_TRUE(status == PMPD_OK || status == PMPD_BAD_ARGUMENT ||
                status == PMPD_UNSUPPORTED_BITS)
        << text;
    accepted += status == PMPD_OK;
    std::vector<int32_t> bits = bitsOf(session.get(), {1}, 6);
    EXPECT_TRUE(falls({bits.begin() + 1, bits.end()})) << text;
  }
  EXPECT_GT(accepted, 40);
}
