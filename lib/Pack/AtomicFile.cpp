// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/AtomicFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace pmpd;

static bool fail(const std::string &path, const char *what,
                 std::string &error) {
  error = path + ": " + what + ": " + std::strerror(errno);
  return false;
}

AtomicFile::AtomicFile(std::string path, std::string temporary, int descriptor)
    : path(std::move(path)), temporary(std::move(temporary)),
      descriptor(descriptor) {}

AtomicFile::~AtomicFile() {
  if (descriptor >= 0)
    close(descriptor);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

std::unique_ptr<AtomicFile> AtomicFile::create(const std::string &path,
                                               std::string &error) {
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    error = path + ": expected a file name, but this is a folder";
    return nullptr;
  }
  // The process id keeps two compilers apart, the number two files of one.
  for (unsigned attempt = 0; attempt < 1000; ++attempt) {
    std::string temporary = path + "." + std::to_string(getpid()) + "." +
                            std::to_string(attempt) + ".tmp";
    int descriptor =
        open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0)
      return std::unique_ptr<AtomicFile>(
          new AtomicFile(path, std::move(temporary), descriptor));
    if (errno != EEXIST)
      break;
  }
  fail(path, "cannot be written", error);
  return nullptr;
}

bool AtomicFile::writeAt(uint64_t offset, const void *data, size_t bytes,
                         std::string &error) {
  auto *from = static_cast<const char *>(data);
  while (bytes > 0) {
    ssize_t written =
        pwrite(descriptor, from, bytes, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return fail(path, "cannot be written", error);
    from += written;
    offset += static_cast<uint64_t>(written);
    bytes -= static_cast<size_t>(written);
  }
  return true;
}

bool AtomicFile::append(const void *data, size_t bytes, std::string &error) {
  if (!writeAt(end, data, bytes, error))
    return false;
  end += bytes;
  return true;
}

bool AtomicFile::commit(std::string &error) {
  if (fsync(descriptor) != 0)
    return fail(path, "cannot be written", error);
  if (rename(temporary.c_str(), path.c_str()) != 0)
    return fail(path, "cannot be replaced", error);
  temporary.clear();

  size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  int handle = open((folder + "/").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle >= 0) {
    // The file is complete either way; some file systems cannot sync folders.
    fsync(handle);
    close(handle);
  }
  return true;
}

bool pmpd::writeFileAtomically(const std::string &path, const void *data,
                               size_t bytes, std::string &error) {
  std::unique_ptr<AtomicFile> file = AtomicFile::create(path, error);
  return file && file->append(data, bytes, error) && file->commit(error);
}
