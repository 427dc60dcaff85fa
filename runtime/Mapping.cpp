// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Mapping.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace pmpd::rt;

namespace {
struct FileDescriptor {
  int fd;
  ~FileDescriptor() {
    if (fd >= 0)
      close(fd);
  }
};
} // namespace

Mapping::Mapping(Mapping &&other) noexcept { *this = std::move(other); }

Mapping &Mapping::operator=(Mapping &&other) noexcept {
  std::swap(start, other.start);
  std::swap(bytes, other.bytes);
  return *this;
}

Mapping::~Mapping() {
  if (start)
    munmap(start, bytes);
}

pmpd_status Mapping::ofFile(const std::string &path, Mapping &mapping) {
  FileDescriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0)
    return fail(errno == ENOENT ? PMPD_NOT_FOUND : PMPD_IO_ERROR,
                path + ": cannot open: " + systemError(errno));
  struct stat info;
  if (fstat(file.fd, &info) != 0)
    return fail(PMPD_IO_ERROR, path + ": cannot stat: " + systemError(errno));
  if (!S_ISREG(info.st_mode))
    return fail(PMPD_IO_ERROR, path + ": expected a regular file");
  Mapping mapped;
  if (info.st_size != 0) {
    void *address =
        mmap(nullptr, info.st_size, PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (address == MAP_FAILED)
      return fail(PMPD_IO_ERROR, path + ": cannot map: " + systemError(errno));
    mapped.start = static_cast<uint8_t *>(address);
    mapped.bytes = info.st_size;
  }
  mapping = std::move(mapped);
  return PMPD_OK;
}

pmpd_status Mapping::ofZeros(uint64_t bytes, const char *what,
                             Mapping &mapping) {
  Mapping mapped;
  if (bytes != 0) {
    void *address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address == MAP_FAILED)
      return fail(PMPD_OUT_OF_MEMORY,
                  std::string("cannot reserve ") + std::to_string(bytes) +
                      " bytes for the " + what + ": " + systemError(errno));
    mapped.start = static_cast<uint8_t *>(address);
    mapped.bytes = bytes;
  }
  mapping = std::move(mapped);
  return PMPD_OK;
}

void Mapping::clear() {
  if (start)
    madvise(start, bytes, MADV_DONTNEED);
}

void Mapping::useSmallPages() {
  if (start)
    madvise(start, bytes, MADV_NOHUGEPAGE);
}
