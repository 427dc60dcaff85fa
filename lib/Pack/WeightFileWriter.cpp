// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/WeightFile.h"

#include <algorithm>
#include <cstring>

using namespace pmpd;

WeightFileWriter::WeightFileWriter(std::unique_ptr<AtomicFile> file)
    : file(std::move(file)) {}

std::unique_ptr<WeightFileWriter>
WeightFileWriter::create(const std::string &path, std::string &error) {
  std::unique_ptr<AtomicFile> file = AtomicFile::create(path, error);
  if (!file)
    return nullptr;
  return std::unique_ptr<WeightFileWriter>(
      new WeightFileWriter(std::move(file)));
}

static bool fail(const WeightSection &section, const std::string &what,
                 std::string &error) {
  error = "section '" + section.name + "': " + what;
  return false;
}

bool WeightFileWriter::begin(WeightSection section, std::string &error) {
  std::string problem = section.problem();
  if (!problem.empty())
    return fail(section, problem, error);
  if (section.name.empty() || section.name.find('\0') != std::string::npos)
    return fail(section, "expected a name without NUL", error);
  for (const WeightSection &other : written)
    if (other.name == section.name)
      return fail(section, "expected a name that is not taken", error);

  position = pmpd_round_up(position, PMPD_SECTION_ALIGN);
  section.offset = position;
  filled = 0;
  payload.reset();
  written.push_back(std::move(section));
  return true;
}

bool WeightFileWriter::append(const void *data, uint64_t bytes,
                              std::string &error) {
  payload.append(data, bytes);
  filled += bytes;
  uint64_t at = position;
  position += bytes;
  return file->writeAt(at, data, bytes, error);
}

std::optional<uint64_t> WeightFileWriter::end(std::string &error) {
  WeightSection &section = written.back();
  if (filled != section.bytes()) {
    fail(section,
         "expected " + std::to_string(section.bytes()) + " bytes, but got " +
             std::to_string(filled),
         error);
    return std::nullopt;
  }
  section.digest = payload.digest();
  return section.offset;
}

std::optional<uint64_t> WeightFileWriter::addSection(WeightSection section,
                                                     const void *data,
                                                     std::string &error) {
  uint64_t bytes = section.problem().empty() ? section.bytes() : 0;
  if (!begin(std::move(section), error) || !append(data, bytes, error))
    return std::nullopt;
  return end(error);
}

static pmpd_section entryOf(const WeightSection &section, uint64_t name) {
  pmpd_section entry = {};
  entry.offset = section.offset;
  entry.bytes = section.bytes();
  std::copy(section.digest.begin(), section.digest.end(), entry.digest);
  entry.name = static_cast<uint32_t>(name);
  entry.rows = static_cast<uint32_t>(section.shape.rows);
  entry.cols = static_cast<uint32_t>(section.shape.cols);
  entry.group = static_cast<uint32_t>(section.shape.group);
  entry.element = section.element;
  entry.layout = section.layout;
  entry.bits = static_cast<uint8_t>(section.shape.bits);
  entry.prefixes = static_cast<uint8_t>(section.shape.prefixes.size());
  std::copy(section.shape.prefixes.begin(), section.shape.prefixes.end(),
            entry.prefix);
  return entry;
}

std::optional<Digest> WeightFileWriter::commit(std::string &error) {
  std::string names;
  std::string table;
  for (const WeightSection &section : written) {
    pmpd_section entry = entryOf(section, names.size());
    table.append(reinterpret_cast<const char *>(&entry), sizeof(entry));
    names.append(section.name).push_back('\0');
  }
  table += names;

  DigestStream stream;
  stream.append(table.data(), table.size());
  Digest digest = stream.digest();

  pmpd_weights_header header = {};
  std::memcpy(header.magic, PMPD_WEIGHTS_MAGIC, sizeof(header.magic));
  header.version = PMPD_WEIGHTS_VERSION;
  header.header_bytes = sizeof(header);
  header.table_offset = pmpd_round_up(position, alignof(pmpd_section));
  header.file_bytes = header.table_offset + table.size();
  header.sections = static_cast<uint32_t>(written.size());
  header.names_bytes = static_cast<uint32_t>(names.size());
  std::copy(digest.begin(), digest.end(), header.digest);

  if (!file->writeAt(header.table_offset, table.data(), table.size(), error) ||
      !file->writeAt(0, &header, sizeof(header), error) || !file->commit(error))
    return std::nullopt;
  return digest;
}
