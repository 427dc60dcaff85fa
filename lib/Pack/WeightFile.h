// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NAME.pmpdw as pmpd/artifact.h defines it: a writer that streams, a reader
// that trusts nothing.
#ifndef PMPD_LIB_PACK_WEIGHTFILE_H
#define PMPD_LIB_PACK_WEIGHTFILE_H

#include "lib/Pack/AtomicFile.h"
#include "lib/Pack/Digest.h"
#include "lib/Quant/NestedTensor.h"
#include "pmpd/layout.h"
#include <optional>

namespace pmpd {

/// One tensor of a weight file.
struct WeightSection {
  std::string name;
  pmpd_element element = PMPD_F32;
  pmpd_layout layout = PMPD_LAYOUT_DENSE;
  NestedShape shape;   /// Dense: rows and cols only; a vector has one row.
  uint64_t offset = 0; /// From the start of the file; set by the writer.
  Digest digest{};     /// Of the payload; set by the writer.

  static WeightSection dense(std::string name, pmpd_element element,
                             int64_t rows, int64_t cols);
  static WeightSection nested(std::string name, pmpd_layout layout,
                              NestedShape shape);

  /// Bytes of the payload.
  uint64_t bytes() const;

  /// What is wrong with the description, or an empty text.
  std::string problem() const;
};

/// Writes sections one at a time; the file appears on commit().
class WeightFileWriter {
public:
  /// Returns null and sets `error` if the file cannot be created.
  static std::unique_ptr<WeightFileWriter> create(const std::string &path,
                                                  std::string &error);

  /// Begins a section, to be filled by append() and closed by end(). Returns
  /// false and sets `error` if the description has a problem or the name is
  /// taken, is empty or holds a NUL.
  bool begin(WeightSection section, std::string &error);

  /// Adds the next bytes of the payload.
  bool append(const void *data, uint64_t bytes, std::string &error);

  /// Closes the section; returns its offset in the file, or nothing and sets
  /// `error` if append() did not come to its size.
  std::optional<uint64_t> end(std::string &error);

  /// begin, append and end at once; data is [section.bytes()].
  std::optional<uint64_t> addSection(WeightSection section, const void *data,
                                     std::string &error);

  /// Writes table and header and makes the file visible; call it once and
  /// nothing after it. Returns the digest that names the content.
  std::optional<Digest> commit(std::string &error);

  const std::vector<WeightSection> &sections() const { return written; }

private:
  explicit WeightFileWriter(std::unique_ptr<AtomicFile> file);
  std::unique_ptr<AtomicFile> file;
  uint64_t position = sizeof(pmpd_weights_header); // where the file ends so far
  std::vector<WeightSection> written;              // the last one may be open
  uint64_t filled = 0;                             // bytes of the open section
  DigestStream payload;                            // of the open section
};

/// A mapped weight file. What is not as pmpd/artifact.h says is refused.
class WeightFileReader {
public:
  /// Maps a file and checks header, sizes, section table and digest. Returns
  /// null and sets `error` if it cannot be read, is truncated or is corrupt.
  static std::unique_ptr<WeightFileReader> open(const std::string &path,
                                                std::string &error);
  ~WeightFileReader();

  const std::vector<WeightSection> &sections() const { return table; }
  const WeightSection *find(const std::string &name) const;
  const Digest &digest() const { return fileDigest; }

  /// [section.bytes()], valid as long as the reader.
  const uint8_t *data(const WeightSection &section) const {
    return map + section.offset;
  }

  /// Checks every byte of the payload. Returns false and sets `error` to the
  /// first section that differs.
  bool verify(std::string &error) const;

private:
  WeightFileReader(const uint8_t *map, uint64_t size) : map(map), size(size) {}
  std::string readTable();

  const uint8_t *map;
  uint64_t size;
  Digest fileDigest{};
  std::vector<WeightSection> table;
};

} // namespace pmpd

#endif // PMPD_LIB_PACK_WEIGHTFILE_H
