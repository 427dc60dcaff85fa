// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_SUPPORT_TABLE_H
#define PMPD_TOOLS_SUPPORT_TABLE_H

#include <cstdint>
#include <iosfwd>
#include <string>
#include <variant>
#include <vector>

namespace pmpd::tools {

/// Nothing where a value does not apply.
using Cell = std::variant<std::monostate, int64_t, double, std::string>;

enum class TableFormat { Markdown, CSV, JSON };

/// Writes rows as they are measured: a person sees them come, and what was
/// measured before a failure is not lost.
class TableWriter {
public:
  TableWriter(std::ostream &out, TableFormat format,
              std::vector<std::string> columns);
  TableWriter(const TableWriter &) = delete;
  TableWriter &operator=(const TableWriter &) = delete;
  ~TableWriter();

  /// One cell per column.
  void add(const std::vector<Cell> &cells);

private:
  std::ostream &out;
  TableFormat format;
  std::vector<std::string> columns;
  bool first = true;
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_SUPPORT_TABLE_H
