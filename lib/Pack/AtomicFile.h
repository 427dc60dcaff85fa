// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_LIB_PACK_ATOMICFILE_H
#define PMPD_LIB_PACK_ATOMICFILE_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace pmpd {

/// A file that appears under its name only when it is complete: it is written
/// beside it under a temporary name, which is removed unless commit() succeeds.
class AtomicFile {
public:
  /// Creates the temporary file beside `path`. Returns null and sets `error`
  /// if the folder does not exist or is not writable, or `path` is a folder.
  static std::unique_ptr<AtomicFile> create(const std::string &path,
                                            std::string &error);
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  /// Writes all bytes at an offset from the start of the file. Returns false
  /// and sets `error` if the system refuses, such as on a full disk.
  bool writeAt(uint64_t offset, const void *data, size_t bytes,
               std::string &error);

  /// Appends to what append() wrote so far.
  bool append(const void *data, size_t bytes, std::string &error);

  /// Where a linker or another program may write the contents instead.
  const std::string &temporaryPath() const { return temporary; }

  /// Makes the contents durable, then visible as `path`, replacing what was
  /// there. Call it once and nothing after it.
  bool commit(std::string &error);

private:
  AtomicFile(std::string path, std::string temporary, int descriptor);
  std::string path;
  std::string temporary; // empty once it is gone
  int descriptor;
  uint64_t end = 0; // of what append() wrote
};

/// Writes a whole file atomically. Returns false and sets `error` on failure.
bool writeFileAtomically(const std::string &path, const void *data,
                         size_t bytes, std::string &error);

} // namespace pmpd

#endif // PMPD_LIB_PACK_ATOMICFILE_H
