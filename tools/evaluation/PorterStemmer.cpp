// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/evaluation/PorterStemmer.h"

#include <initializer_list>
#include <string_view>
#include <utility>

namespace {

using Text = std::string_view;

bool isConsonant(Text word, size_t i) {
  switch (word[i]) {
  case 'a':
  case 'e':
  case 'i':
  case 'o':
  case 'u':
    return false;
  case 'y':
    return i == 0 || !isConsonant(word, i - 1);
  default:
    return true;
  }
}

/// How often a consonant follows a vowel: m of [C](VC){m}[V].
int measure(Text stem) {
  int changes = 0;
  for (size_t i = 1; i < stem.size(); ++i)
    changes += !isConsonant(stem, i - 1) && isConsonant(stem, i);
  return changes;
}

bool hasVowel(Text stem) {
  for (size_t i = 0; i < stem.size(); ++i)
    if (!isConsonant(stem, i))
      return true;
  return false;
}

bool endsWith(Text word, Text suffix) {
  return word.size() >= suffix.size() &&
         word.substr(word.size() - suffix.size()) == suffix;
}

bool endsInDoubleConsonant(Text word) {
  size_t n = word.size();
  return n >= 2 && word[n - 1] == word[n - 2] && isConsonant(word, n - 1);
}

/// Consonant, vowel, consonant other than w, x, y; NLTK adds a vowel and a
/// consonant alone.
bool endsInShortSyllable(Text word) {
  size_t n = word.size();
  if (n == 2)
    return !isConsonant(word, 0) && isConsonant(word, 1);
  return n >= 3 && isConsonant(word, n - 3) && !isConsonant(word, n - 2) &&
         isConsonant(word, n - 1) && word[n - 1] != 'w' && word[n - 1] != 'x' &&
         word[n - 1] != 'y';
}

Text without(Text word, Text suffix) {
  return word.substr(0, word.size() - suffix.size());
}

struct Rule {
  Text suffix;
  Text replacement;
};

/// Only the first rule whose suffix fits is tried: what it leaves must have
/// more than `above` in measure, or the word stays.
std::string applyFirst(const std::string &word, int above,
                       std::initializer_list<Rule> rules) {
  for (const Rule &rule : rules)
    if (endsWith(word, rule.suffix)) {
      Text stem = without(word, rule.suffix);
      if (measure(stem) <= above)
        return word;
      return std::string(stem) + std::string(rule.replacement);
    }
  return word;
}

std::string stripPlural(const std::string &word) { // step 1a
  if (word.size() == 4 && endsWith(word, "ies"))
    return word.substr(0, 3);
  return applyFirst(word, -1,
                    {{"sses", "ss"}, {"ies", "i"}, {"ss", "ss"}, {"s", ""}});
}

/// The stem of a past or continuous form gets back what the ending took.
std::string restoreEnding(std::string stem) {
  if (endsWith(stem, "at") || endsWith(stem, "bl") || endsWith(stem, "iz"))
    return stem + "e";
  char last = stem.back();
  if (endsInDoubleConsonant(stem)) {
    if (last != 'l' && last != 's' && last != 'z')
      stem.pop_back();
    return stem;
  }
  return measure(stem) == 1 && endsInShortSyllable(stem) ? stem + "e" : stem;
}

std::string stripPast(const std::string &word) { // step 1b
  if (endsWith(word, "ied"))
    return word.substr(0, word.size() - (word.size() == 4 ? 1 : 2));
  if (endsWith(word, "eed"))
    return measure(without(word, "eed")) > 0 ? word.substr(0, word.size() - 1)
                                             : word;
  for (Text suffix : {"ed", "ing"})
    if (endsWith(word, suffix) && hasVowel(without(word, suffix)))
      return restoreEnding(std::string(without(word, suffix)));
  return word;
}

std::string replaceFinalY(std::string word) { // step 1c
  if (word.size() > 2 && word.back() == 'y' &&
      isConsonant(word, word.size() - 2))
    word.back() = 'i';
  return word;
}

std::string shortenDouble(const std::string &word) { // step 2
  if (endsWith(word, "alli") && measure(without(word, "alli")) > 0)
    return shortenDouble(word.substr(0, word.size() - 2));
  if (endsWith(word, "logi")) // after "eli" and the like, which it cannot be
    return measure(without(word, "ogi")) > 0 ? word.substr(0, word.size() - 1)
                                             : word;
  return applyFirst(word, 0,
                    {{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"},
                     {"anci", "ance"},   {"izer", "ize"},    {"bli", "ble"},
                     {"alli", "al"},     {"entli", "ent"},   {"eli", "e"},
                     {"ousli", "ous"},   {"ization", "ize"}, {"ation", "ate"},
                     {"ator", "ate"},    {"alism", "al"},    {"iveness", "ive"},
                     {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"},
                     {"iviti", "ive"},   {"biliti", "ble"},  {"fulli", "ful"}});
}

std::string stripDerived(const std::string &word) { // step 3
  return applyFirst(word, 0,
                    {{"icate", "ic"},
                     {"ative", ""},
                     {"alize", "al"},
                     {"iciti", "ic"},
                     {"ical", "ic"},
                     {"ful", ""},
                     {"ness", ""}});
}

std::string stripLong(const std::string &word) { // step 4
  if (endsWith(word, "ion")) {
    Text stem = without(word, "ion");
    return measure(stem) > 1 && (stem.back() == 's' || stem.back() == 't')
               ? std::string(stem)
               : word;
  }
  return applyFirst(word, 1,
                    {{"al", ""},
                     {"ance", ""},
                     {"ence", ""},
                     {"er", ""},
                     {"ic", ""},
                     {"able", ""},
                     {"ible", ""},
                     {"ant", ""},
                     {"ement", ""},
                     {"ment", ""},
                     {"ent", ""},
                     {"ou", ""},
                     {"ism", ""},
                     {"ate", ""},
                     {"iti", ""},
                     {"ous", ""},
                     {"ive", ""},
                     {"ize", ""}});
}

std::string tidy(std::string word) { // step 5
  if (endsWith(word, "e")) {
    Text stem = without(word, "e");
    int m = measure(stem);
    if (m > 1 || (m == 1 && !endsInShortSyllable(stem)))
      word.pop_back();
  }
  if (endsWith(word, "ll") && measure(without(word, "l")) > 1)
    word.pop_back();
  return word;
}

constexpr std::pair<Text, Text> kIrregular[] = {
    {"sky", "sky"},        {"skies", "sky"},        {"dying", "die"},
    {"lying", "lie"},      {"tying", "tie"},        {"news", "news"},
    {"innings", "inning"}, {"inning", "inning"},    {"outings", "outing"},
    {"outing", "outing"},  {"cannings", "canning"}, {"canning", "canning"},
    {"howe", "howe"},      {"proceed", "proceed"},  {"exceed", "exceed"},
    {"succeed", "succeed"}};

} // namespace

std::string pmpd::tools::porterStem(std::string word) {
  for (auto [form, stem] : kIrregular)
    if (word == form)
      return std::string(stem);
  if (word.size() <= 2)
    return word;
  for (auto step : {stripPlural, stripPast})
    word = step(word);
  word = replaceFinalY(std::move(word));
  for (auto step : {shortenDouble, stripDerived, stripLong})
    word = step(word);
  return tidy(std::move(word));
}
