// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_CPUFEATURES_H
#define PMPD_RUNTIME_CPUFEATURES_H

#include <string>
#include <string_view>
#include <vector>

namespace pmpd::rt {

/// Those of the comma-separated LLVM feature names that this CPU lacks. A name
/// this runtime cannot test counts as lacking: running on would be a guess.
std::vector<std::string> missingCpuFeatures(std::string_view features);

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_CPUFEATURES_H
