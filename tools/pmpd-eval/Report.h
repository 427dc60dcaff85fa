// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_EVAL_REPORT_H
#define PMPD_TOOLS_PMPD_EVAL_REPORT_H

#include "tools/evaluation/Answers.h"
#include "tools/evaluation/TeacherForced.h"

#include <iosfwd>
#include <optional>

namespace pmpd::tools {

/// One setting and what was measured under it.
struct Row {
  Setting setting;
  std::optional<Score> score;         // of a text
  std::optional<AnswerScore> answers; // to prompts
  std::optional<Score> references;    // of the prompts' references after them
};

/// Whether a reference model took part in every row.
void printTable(std::ostream &out, const std::vector<Row> &rows,
                bool reference);

/// The same as one JSON array of objects on one line.
void printJson(std::ostream &out, const std::vector<Row> &rows, bool reference);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_EVAL_REPORT_H
