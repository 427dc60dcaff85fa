// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_EVALUATION_PORTERSTEMMER_H
#define PMPD_TOOLS_EVALUATION_PORTERSTEMMER_H

#include <string>

namespace pmpd::tools {

/// The stem of a word of lower-case letters and digits.
/// Source: Porter, "An algorithm for suffix stripping" (1980), with the
/// extensions that NLTK's PorterStemmer has by default and that rouge_score
/// therefore uses.
std::string porterStem(std::string word);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_EVALUATION_PORTERSTEMMER_H
