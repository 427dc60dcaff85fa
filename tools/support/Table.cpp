// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/support/Table.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

using namespace pmpd::tools;

namespace {

/// Digits that a timing on a shared machine can carry.
constexpr int kDigits = 4;

std::string toText(const Cell &cell) {
  if (std::holds_alternative<std::monostate>(cell))
    return "";
  if (const auto *text = std::get_if<std::string>(&cell))
    return *text;
  if (const auto *whole = std::get_if<int64_t>(&cell))
    return std::to_string(*whole);
  double value = std::get<double>(cell);
  int before =
      value == 0 ? 1 : int(std::floor(std::log10(std::fabs(value)))) + 1;
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", std::max(0, kDigits - before),
                value);
  return text;
}

nlohmann::ordered_json toJson(const Cell &cell) {
  if (const auto *text = std::get_if<std::string>(&cell))
    return *text;
  if (const auto *whole = std::get_if<int64_t>(&cell))
    return *whole;
  if (const auto *real = std::get_if<double>(&cell))
    return *real;
  return nullptr;
}

} // namespace

TableWriter::TableWriter(std::ostream &out, TableFormat format,
                         std::vector<std::string> columns)
    : out(out), format(format), columns(std::move(columns)) {
  if (format == TableFormat::JSON) {
    out << "[";
    return;
  }
  bool markdown = format == TableFormat::Markdown;
  for (size_t i = 0; i < this->columns.size(); ++i)
    out << (markdown ? (i ? " | " : "| ") : (i ? "," : "")) << this->columns[i];
  out << (markdown ? " |\n|" : "\n");
  if (markdown) {
    for (size_t i = 0; i < this->columns.size(); ++i)
      out << "---|";
    out << "\n";
  }
  out.flush();
}

void TableWriter::add(const std::vector<Cell> &cells) {
  if (format == TableFormat::JSON) {
    nlohmann::ordered_json row;
    for (size_t i = 0; i < columns.size(); ++i)
      row[columns[i]] = toJson(cells[i]);
    out << (first ? "\n  " : ",\n  ") << row.dump();
  } else {
    bool markdown = format == TableFormat::Markdown;
    for (size_t i = 0; i < columns.size(); ++i)
      out << (markdown ? (i ? " | " : "| ") : (i ? "," : ""))
          << toText(cells[i]);
    out << (markdown ? " |\n" : "\n");
  }
  first = false;
  out.flush();
}

TableWriter::~TableWriter() {
  if (format == TableFormat::JSON)
    out << (first ? "]\n" : "\n]\n");
}
