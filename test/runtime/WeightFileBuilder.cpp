// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/WeightFileBuilder.h"

#include "pmpd/layout.h"
#include "runtime/Digest.h"

#include <cstring>

using namespace pmpd::rt;
using namespace pmpd::test;

void WeightFileBuilder::add(const std::string &name, pmpd_section section,
                            const std::vector<uint8_t> &payload) {
  payloads.resize(
      pmpd_round_up(std::max(payloads.size(), sizeof(pmpd_weights_header)),
                    PMPD_SECTION_ALIGN));
  section.offset = payloads.size();
  section.bytes = payload.size();
  section.name = uint32_t(names.size());
  Digest digest = computeDigest(payload.data(), payload.size());
  std::memcpy(section.digest, digest.data(), digest.size());
  payloads.insert(payloads.end(), payload.begin(), payload.end());
  names += name;
  names += '\0';
  sections.push_back(section);
}

void WeightFileBuilder::addDense(const std::string &name, uint32_t rows,
                                 uint32_t cols,
                                 const std::vector<float> &values) {
  pmpd_section section = {};
  section.rows = rows;
  section.cols = cols;
  section.element = PMPD_F32;
  section.layout = PMPD_LAYOUT_DENSE;
  std::vector<uint8_t> payload(values.size() * sizeof(float));
  std::memcpy(payload.data(), values.data(), payload.size());
  add(name, section, payload);
}

void WeightFileBuilder::addNested(const std::string &name, uint32_t rows,
                                  uint32_t cols, uint32_t group) {
  pmpd_section section = {};
  section.rows = rows;
  section.cols = cols;
  section.group = group;
  section.element = PMPD_NESTED;
  section.layout = PMPD_LAYOUT_S;
  section.bits = 4;
  section.prefixes = 3;
  section.prefix[0] = 2;
  section.prefix[1] = 3;
  section.prefix[2] = 4;
  std::vector<uint8_t> payload(pmpd_s_tensor_bytes(rows, cols, group, 4, 3));
  for (size_t i = 0; i < payload.size(); ++i)
    payload[i] = uint8_t(i * 31);
  add(name, section, payload);
}

std::vector<uint8_t> WeightFileBuilder::build() const {
  std::vector<uint8_t> file = payloads;
  file.resize(
      pmpd_round_up(std::max(file.size(), sizeof(pmpd_weights_header)), 64));
  pmpd_weights_header header = {};
  std::memcpy(header.magic, PMPD_WEIGHTS_MAGIC, sizeof(header.magic));
  header.version = PMPD_WEIGHTS_VERSION;
  header.header_bytes = sizeof(header);
  header.table_offset = file.size();
  header.sections = uint32_t(sections.size());
  header.names_bytes = uint32_t(names.size());
  auto *table = reinterpret_cast<const uint8_t *>(sections.data());
  file.insert(file.end(), table,
              table + sections.size() * sizeof(pmpd_section));
  file.insert(file.end(), names.begin(), names.end());
  header.file_bytes = file.size();
  Digest digest = computeDigest(file.data() + header.table_offset,
                                file.size() - header.table_offset);
  std::memcpy(header.digest, digest.data(), digest.size());
  writeHeader(file, header);
  return file;
}

pmpd_weights_header pmpd::test::readHeader(const std::vector<uint8_t> &file) {
  pmpd_weights_header header;
  std::memcpy(&header, file.data(), sizeof(header));
  return header;
}

void pmpd::test::writeHeader(std::vector<uint8_t> &file,
                             const pmpd_weights_header &header) {
  std::memcpy(file.data(), &header, sizeof(header));
}
