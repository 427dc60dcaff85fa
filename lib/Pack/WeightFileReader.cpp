// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/WeightFile.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace pmpd;

namespace {

/// Closes a descriptor at the end of a scope.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0)
      close(value);
  }
};

} // namespace

std::unique_ptr<WeightFileReader>
WeightFileReader::open(const std::string &path, std::string &error) {
  auto failSystem = [&] {
    error = path + ": cannot be read: " + std::strerror(errno);
    return nullptr;
  };
  Descriptor file = {::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status;
  if (file.value < 0 || fstat(file.value, &status) != 0)
    return failSystem();
  uint64_t size = static_cast<uint64_t>(status.st_size);
  if (!S_ISREG(status.st_mode) || size < sizeof(pmpd_weights_header)) {
    error = path + ": expected a weight file of at least 64 bytes; compile " +
            "the model again";
    return nullptr;
  }
  void *map = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
  if (map == MAP_FAILED)
    return failSystem();

  std::unique_ptr<WeightFileReader> reader(
      new WeightFileReader(static_cast<const uint8_t *>(map), size));
  std::string problem = reader->readTable();
  if (problem.empty())
    return reader;
  error = path + ": " + problem + "; compile the model again";
  return nullptr;
}

WeightFileReader::~WeightFileReader() {
  munmap(const_cast<uint8_t *>(map), size);
}

static std::string mismatch(const char *what, uint64_t expected, uint64_t got) {
  return std::string("expected ") + what + " " + std::to_string(expected) +
         ", but got " + std::to_string(got);
}

/// What is wrong with the header of a file of `size` bytes.
static std::string headerProblem(const pmpd_weights_header &header,
                                 uint64_t size) {
  if (std::memcmp(header.magic, PMPD_WEIGHTS_MAGIC, sizeof(header.magic)) != 0)
    return "expected a weight file, but the first bytes are others";
  if (header.version != PMPD_WEIGHTS_VERSION)
    return mismatch("version", PMPD_WEIGHTS_VERSION, header.version);
  if (header.header_bytes != sizeof(header))
    return mismatch("header bytes", sizeof(header), header.header_bytes);
  if (header.file_bytes != size)
    return mismatch("file bytes", header.file_bytes, size);
  if (std::any_of(std::begin(header.reserved), std::end(header.reserved),
                  [](uint8_t byte) { return byte != 0; }))
    return "expected zeros in the reserved bytes of the header";
  uint64_t tail =
      uint64_t{header.sections} * sizeof(pmpd_section) + header.names_bytes;
  if (header.table_offset < sizeof(header) || header.table_offset > size ||
      header.table_offset % alignof(pmpd_section) != 0 ||
      size - header.table_offset != tail)
    return "expected the section table at the end, but its offset is " +
           std::to_string(header.table_offset);
  return "";
}

/// Reads one entry of the table. The payload must lie in [begin, end).
static std::string readEntry(const pmpd_section &entry, std::string_view names,
                             uint64_t begin, uint64_t end,
                             WeightSection &section) {
  if (entry.name >= names.size())
    return "expected a section name inside the names";
  section.name = names.data() + entry.name;
  if (entry.element > PMPD_NESTED || entry.layout > PMPD_LAYOUT_GPU)
    return "section '" + section.name + "': expected an element of at most 2 " +
           "and a layout of at most 4, but got " +
           std::to_string(entry.element) + " and " +
           std::to_string(entry.layout);
  section.element = static_cast<pmpd_element>(entry.element);
  section.layout = static_cast<pmpd_layout>(entry.layout);
  section.shape.rows = entry.rows;
  section.shape.cols = entry.cols;
  section.shape.group = entry.group;
  section.shape.bits = entry.bits;
  if (entry.prefixes > PMPD_MAX_PREFIXES)
    return mismatch("at most this many prefixes:", PMPD_MAX_PREFIXES,
                    entry.prefixes);
  section.shape.prefixes.assign(entry.prefix, entry.prefix + entry.prefixes);
  section.offset = entry.offset;
  std::copy(std::begin(entry.digest), std::end(entry.digest),
            section.digest.begin());

  std::string problem = section.problem();
  if (problem.empty() && entry.bytes != section.bytes())
    problem = mismatch("payload bytes", section.bytes(), entry.bytes);
  if (problem.empty() &&
      (entry.offset % PMPD_SECTION_ALIGN != 0 || entry.offset < begin ||
       entry.offset > end || entry.bytes > end - entry.offset))
    problem =
        "expected the payload between its neighbours, but its offset is " +
        std::to_string(entry.offset);
  return problem.empty() ? "" : "section '" + section.name + "': " + problem;
}

std::string WeightFileReader::readTable() {
  pmpd_weights_header header;
  std::memcpy(&header, map, sizeof(header));
  std::string problem = headerProblem(header, size);
  if (!problem.empty())
    return problem;

  DigestStream stream;
  stream.append(map + header.table_offset, size - header.table_offset);
  std::copy(std::begin(header.digest), std::end(header.digest),
            fileDigest.begin());
  if (stream.digest() != fileDigest)
    return "expected the digest of the section table, but it is another";

  std::string_view names(
      reinterpret_cast<const char *>(map + size - header.names_bytes),
      header.names_bytes);
  if (!names.empty() && names.back() != '\0')
    return "expected a NUL after the last name";
  uint64_t begin = sizeof(header);
  for (uint32_t i = 0; i < header.sections; ++i) {
    pmpd_section entry;
    std::memcpy(&entry, map + header.table_offset + i * sizeof(entry),
                sizeof(entry));
    table.emplace_back();
    problem = readEntry(entry, names, begin, header.table_offset, table.back());
    if (!problem.empty())
      return problem;
    begin = entry.offset + entry.bytes;
  }
  return "";
}

const WeightSection *WeightFileReader::find(const std::string &name) const {
  for (const WeightSection &section : table)
    if (section.name == name)
      return &section;
  return nullptr;
}

bool WeightFileReader::verify(std::string &error) const {
  for (const WeightSection &section : table) {
    DigestStream stream;
    stream.append(data(section), section.bytes());
    if (stream.digest() == section.digest)
      continue;
    error = "section '" + section.name +
            "': expected other bytes by its digest; compile the model again";
    return false;
  }
  return true;
}
