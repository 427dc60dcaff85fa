// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A weight file without its contents: header, table and names, which is what a
// model opens by.
#ifndef PMPD_TOOLS_PMPD_GPU_CHECK_WEIGHTHEAD_H
#define PMPD_TOOLS_PMPD_GPU_CHECK_WEIGHTHEAD_H

#include <string>

namespace pmpd::tools {

/// Writes the head of a weight file. Throws ToolError.
void writeHead(const std::string &weights, const std::string &head);

/// Makes a weight file of a head: random numbers in the place of its contents,
/// of magnitudes that a model can compute with, by all CPUs. The file appears
/// when it is complete. Throws ToolError.
void fillWeights(const std::string &head, const std::string &weights);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_GPU_CHECK_WEIGHTHEAD_H
