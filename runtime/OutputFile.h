// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_RUNTIME_OUTPUTFILE_H
#define PMPD_RUNTIME_OUTPUTFILE_H

#include "runtime/Status.h"

#include <string>

namespace pmpd::rt {

/// Writes a file that appears, with all of `content`, when it is complete;
/// replaces one of that name. Errors: IO_ERROR.
pmpd_status writeFile(const std::string &path, const std::string &content);

} // namespace pmpd::rt

#endif // PMPD_RUNTIME_OUTPUTFILE_H
