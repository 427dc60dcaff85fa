// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/SharedLibrary.h"

#include <cerrno>
#include <dlfcn.h>
#include <unistd.h>

using namespace pmpd::rt;

void SharedLibrary::Close::operator()(void *handle) const { dlclose(handle); }

pmpd_status SharedLibrary::open(const std::string &path,
                                SharedLibrary &library) {
  if (access(path.c_str(), R_OK) != 0)
    return fail(errno == ENOENT ? PMPD_NOT_FOUND : PMPD_IO_ERROR,
                path + ": cannot open: " + systemError(errno));
  library.handle.reset(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!library.handle)
    return fail(PMPD_BAD_MODEL,
                std::string("cannot load the model library: ") + dlerror());
  return PMPD_OK;
}

void *SharedLibrary::find(const std::string &symbol) const {
  return dlsym(handle.get(), symbol.c_str());
}
