// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Passes.h"

namespace pmpd {
void registerPipelines() {}
} // namespace pmpd
