// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/WeightFile.h"

#include "pmpd/gpu_layout.h"
#include "pmpd/npu_layout.h"

#include <cstring>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "weight files are little endian and are read in place");

using namespace pmpd::rt;

namespace {

/// Files up to this size are verified in full by PMPD_VERIFY_AUTO.
constexpr uint64_t kAutoVerifyBytes = uint64_t(256) << 20;

/// Most elements of a tensor; keeps every size below computable in 64 bits.
constexpr uint64_t kMaxElements = uint64_t(1) << 48;

/// Checks one mapped file. Every offset is tested before it is followed.
class Checker {
public:
  Checker(const std::string &path, const Mapping &mapping)
      : path(path), data(mapping.data()), size(mapping.size()) {}

  pmpd_status checkHeader();
  pmpd_status checkDigest(const uint8_t *expected) const;
  pmpd_status checkSections() const;
  pmpd_status checkPayloads() const;

private:
  pmpd_status bad(const std::string &text) const {
    return fail(PMPD_BAD_MODEL, path + ": " + text);
  }
  pmpd_status checkSection(const pmpd_section &section,
                           const std::string &label) const;
  pmpd_section sectionAt(uint32_t index) const;
  std::string label(uint32_t index) const;
  const uint8_t *names() const {
    return data + header.table_offset +
           uint64_t(header.sections) * sizeof(pmpd_section);
  }

  const std::string &path;
  const uint8_t *data;
  uint64_t size;
  pmpd_weights_header header = {};
};

pmpd_status Checker::checkHeader() {
  if (size < sizeof(header))
    return bad("expected a weight file of at least 64 bytes, but got " +
               std::to_string(size) + "; it is truncated, copy it again");
  std::memcpy(&header, data, sizeof(header));
  if (std::memcmp(header.magic, PMPD_WEIGHTS_MAGIC, sizeof(header.magic)) != 0)
    return bad("expected a pmpd weight file, but its first bytes are others");
  if (header.version != PMPD_WEIGHTS_VERSION ||
      header.header_bytes != sizeof(header))
    return bad("expected weight file version " +
               std::to_string(PMPD_WEIGHTS_VERSION) + ", but got " +
               std::to_string(header.version) +
               "; recompile the model with this release");
  if (header.file_bytes != size)
    return bad("expected " + std::to_string(header.file_bytes) +
               " bytes, but got " + std::to_string(size) +
               "; the file is truncated or was changed, copy it again");
  uint64_t tableBytes = uint64_t(header.sections) * sizeof(pmpd_section);
  if (header.table_offset < sizeof(header) || header.table_offset > size ||
      header.table_offset % alignof(pmpd_section) != 0 ||
      size - header.table_offset != tableBytes + header.names_bytes)
    return bad("the section table is not at the end of the file; the header "
               "is corrupt");
  return PMPD_OK;
}

pmpd_status Checker::checkDigest(const uint8_t *expected) const {
  Digest actual =
      computeDigest(data + header.table_offset, size - header.table_offset);
  if (std::memcmp(actual.data(), header.digest, actual.size()) != 0)
    return bad("the section table does not match its digest; the file is "
               "corrupt, copy it again");
  if (std::memcmp(expected, header.digest, actual.size()) != 0)
    return bad("the weights are from another model or an older compile; use "
               "the file written together with this library");
  return PMPD_OK;
}

pmpd_section Checker::sectionAt(uint32_t index) const {
  pmpd_section section;
  std::memcpy(&section,
              data + header.table_offset + uint64_t(index) * sizeof(section),
              sizeof(section));
  return section;
}

std::string Checker::label(uint32_t index) const {
  return "section " + std::to_string(index) + " '" +
         reinterpret_cast<const char *>(names() + sectionAt(index).name) + "'";
}

/// Whether the prefixes are ascending and end at the parent's bits.
bool prefixesAreSound(const pmpd_section &section) {
  if (section.prefixes < 1 || section.prefixes > PMPD_MAX_PREFIXES)
    return false;
  int previous = PMPD_MIN_BITS - 1;
  for (int i = 0; i < section.prefixes; ++i) {
    if (section.prefix[i] <= previous || section.prefix[i] > section.bits)
      return false;
    previous = section.prefix[i];
  }
  return section.bits <= PMPD_MAX_BITS;
}

/// Bytes the shape and layout call for; 0 if they make no sense together.
uint64_t expectedBytes(const pmpd_section &section) {
  uint64_t rows = section.rows, cols = section.cols, group = section.group;
  if (rows == 0 || cols == 0 || rows > kMaxElements / cols)
    return 0;
  if (section.layout == PMPD_LAYOUT_DENSE) {
    if (section.bits != 0 || section.prefixes != 0 || group != 0)
      return 0;
    if (section.element == PMPD_F32)
      return rows * cols * 4;
    return section.element == PMPD_F16 ? rows * cols * 2 : 0;
  }
  if (section.element != PMPD_NESTED || !prefixesAreSound(section) ||
      group == 0 || cols % group != 0)
    return 0;
  if (section.layout == PMPD_LAYOUT_PLAIN)
    return pmpd_plain_tensor_bytes(rows, cols, group, section.prefixes);
  if (section.layout == PMPD_LAYOUT_S && cols % PMPD_TILE_COLS == 0)
    return pmpd_s_tensor_bytes(rows, cols, group, section.bits,
                               section.prefixes);
  if (section.layout == PMPD_LAYOUT_NPU && group % PMPD_NPU_WORD_COLS == 0)
    return pmpd_npu_tensor_bytes(rows, cols, group, section.bits,
                                 section.prefixes);
  if (section.layout == PMPD_LAYOUT_GPU && group % PMPD_GPU_GROUP_COLS == 0)
    return pmpd_gpu_tensor_bytes(rows, cols, group, section.bits,
                                 section.prefixes);
  return 0;
}

pmpd_status Checker::checkSection(const pmpd_section &section,
                                  const std::string &label) const {
  if (section.offset % PMPD_SECTION_ALIGN != 0 ||
      section.offset < sizeof(header) || section.offset > header.table_offset ||
      section.bytes > header.table_offset - section.offset)
    return bad(label + " lies outside the payload; the table is corrupt");
  uint64_t expected = expectedBytes(section);
  if (expected == 0)
    return bad(label + " has a shape, element and layout that do not belong "
                       "together; the table is corrupt");
  if (section.bytes != expected)
    return bad(label + ": expected " + std::to_string(expected) +
               " bytes for its shape, but got " +
               std::to_string(section.bytes));
  return PMPD_OK;
}

pmpd_status Checker::checkSections() const {
  if (header.sections != 0 &&
      (header.names_bytes == 0 || names()[header.names_bytes - 1] != 0))
    return bad("the section names are not NUL-terminated; the table is "
               "corrupt");
  for (uint32_t i = 0; i < header.sections; ++i) {
    pmpd_section section = sectionAt(i);
    if (section.name >= header.names_bytes)
      return bad("the name of section " + std::to_string(i) +
                 " lies outside the names; the table is corrupt");
    if (pmpd_status status = checkSection(section, label(i)))
      return status;
  }
  return PMPD_OK;
}

pmpd_status Checker::checkPayloads() const {
  for (uint32_t i = 0; i < header.sections; ++i) {
    pmpd_section section = sectionAt(i);
    Digest actual = computeDigest(data + section.offset, section.bytes);
    if (std::memcmp(actual.data(), section.digest, actual.size()) != 0)
      return bad(label(i) + " does not match its digest; the file is corrupt, "
                            "copy it again");
  }
  return PMPD_OK;
}

} // namespace

pmpd_status WeightFile::open(const std::string &path, const uint8_t *digest,
                             pmpd_verify verify, WeightFile &file) {
  Mapping mapping;
  if (pmpd_status status = Mapping::ofFile(path, mapping))
    return status;
  Checker checker(path, mapping);
  if (pmpd_status status = checker.checkHeader())
    return status;
  if (pmpd_status status = checker.checkDigest(digest))
    return status;
  if (pmpd_status status = checker.checkSections())
    return status;
  if (verify == PMPD_VERIFY_FULL ||
      (verify == PMPD_VERIFY_AUTO && mapping.size() <= kAutoVerifyBytes))
    if (pmpd_status status = checker.checkPayloads())
      return status;
  file.mapping = std::move(mapping);
  return PMPD_OK;
}
