// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/Report.h"

using namespace pmpd::tools;

std::vector<std::string> pmpd::tools::reportColumns() {
  return {"what",   "of",         "tokens", "bits",       "us_p10",
          "us",     "us_p90",     "gbps",   "read_share", "x_cublas",
          "x_fp16", "difference", "result"};
}

void pmpd::tools::addTo(TableWriter &table, const ReportRow &row) {
  const Samples &times = row.microseconds;
  auto time = [&](double share) {
    return times.empty() ? Cell() : Cell(times.quantile(share));
  };
  table.add({row.what, row.of, row.tokens, row.bits, time(0.1),
             times.empty() ? Cell() : Cell(times.median()), time(0.9), row.gbps,
             row.readShare, row.cublas, row.fp16, row.difference, row.result});
}
