// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_EVALUATION_ROUGE_H
#define PMPD_TOOLS_EVALUATION_ROUGE_H

#include <string>
#include <string_view>
#include <vector>

namespace pmpd::tools {

/// The words ROUGE compares: runs of ASCII letters and digits in lower case,
/// those of more than three characters stemmed, as the rouge_score package
/// does with use_stemmer=True.
std::vector<std::string> rougeWords(std::string_view text);

/// ROUGE-L of two lists of words: the F-measure of their longest common
/// subsequence, 0 if either is empty. Symmetric.
/// Source: Lin, "ROUGE: A Package for Automatic Evaluation of Summaries"
/// (2004).
double rougeL(const std::vector<std::string> &reference,
              const std::vector<std::string> &answer);

/// The same of two texts.
double rougeL(std::string_view reference, std::string_view answer);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_EVALUATION_ROUGE_H
