// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_SUPPORT_VERSION_H
#define PMPD_TOOLS_SUPPORT_VERSION_H

#include <string>

namespace pmpd::tools {

/// What `tool --version` prints: the project's version and the ABI of models.
std::string versionText(const std::string &tool);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_SUPPORT_VERSION_H
