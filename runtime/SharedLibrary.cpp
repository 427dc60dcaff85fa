// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/SharedLibrary.h"

#include "runtime/Mapping.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>

using namespace pmpd::rt;

namespace {
/// The bytes that a file must have for its segments to be mapped: dlopen does
/// not look, and reading behind the end of a file is a signal. 0 for what is
/// no ELF file of 64 bits, which dlopen refuses.
uint64_t segmentsEnd(const Mapping &file) {
  Elf64_Ehdr header;
  if (file.size() < sizeof header)
    return 0;
  std::memcpy(&header, file.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_phentsize != sizeof(Elf64_Phdr))
    return 0;
  uint64_t bytes = uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  if (file.size() < bytes || header.e_phoff > file.size() - bytes)
    return header.e_phoff + bytes;
  uint64_t end = 0;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, file.data() + header.e_phoff + i * sizeof segment,
                sizeof segment);
    end = std::max<uint64_t>(end, segment.p_offset + segment.p_filesz);
  }
  return end;
}

pmpd_status checkLength(const std::string &path) {
  Mapping file;
  if (pmpd_status status = Mapping::ofFile(path, file))
    return status;
  const uint64_t end = segmentsEnd(file);
  if (end <= file.size())
    return PMPD_OK;
  return fail(PMPD_BAD_MODEL, path + ": expected at least " +
                                  std::to_string(end) + " bytes, but got " +
                                  std::to_string(file.size()) +
                                  "; the file is truncated, copy it again");
}
} // namespace

void SharedLibrary::Close::operator()(void *handle) const { dlclose(handle); }

pmpd_status SharedLibrary::open(const std::string &path,
                                SharedLibrary &library) {
  if (pmpd_status status = checkLength(path))
    return status;
  library.handle.reset(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!library.handle)
    return fail(PMPD_BAD_MODEL,
                std::string("cannot load the model library: ") + dlerror());
  return PMPD_OK;
}

void *SharedLibrary::find(const std::string &symbol) const {
  return dlsym(handle.get(), symbol.c_str());
}
