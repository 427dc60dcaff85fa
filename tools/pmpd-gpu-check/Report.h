// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_REPORT_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_REPORT_H

#include "tools/support/Samples.h"
#include "tools/support/Table.h"

namespace pmpd::tools {

/// A line of the one table that all checks write.
struct ReportRow {
  std::string what;
  std::string of;   /// Shape of a weight, or name of a model.
  Cell tokens;      /// Per call, or in the cache.
  std::string bits; /// Or the schedule.
  Samples microseconds = {};
  Cell gbps = {};       /// Bytes read of weights and cache by the median.
  Cell readShare = {};  /// Of the speed of a plain read of as many bytes.
  Cell cublas = {};     /// Times as fast as cuBLAS on fp16.
  Cell fp16 = {};       /// Times as fast as a plain read of fp16 weights.
  Cell difference = {}; /// From the reference.
  std::string result = "";
};

std::vector<std::string> reportColumns();

void addTo(TableWriter &table, const ReportRow &row);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_REPORT_H
