// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_NPU_FIGURE_REPORT_H
#define PMPD_TOOLS_PMPD_NPU_FIGURE_REPORT_H

#include "tools/pmpd-npu-figure/Figure.h"

namespace pmpd::tools {

std::string toMarkdown(const std::vector<Bar> &bars,
                       const std::vector<Lever> &levers,
                       const std::string &hardware);
std::string toCsv(const std::vector<Bar> &bars);
/// Speedups over fp16: the paper's beside the simulated ones.
std::string toSvg(const std::vector<Bar> &bars, const std::string &hardware);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_NPU_FIGURE_REPORT_H
