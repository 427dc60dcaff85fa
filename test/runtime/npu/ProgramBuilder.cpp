// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/npu/ProgramBuilder.h"

#include "pmpd/npu_layout.h"
#include "runtime/targets/npu/Text.h"

#include <cstring>
#include <sstream>
#include <stdexcept>

using namespace pmpd;
using namespace pmpd::test;

ProgramBuilder::ProgramBuilder() {
  required = {PMPD_NPU_ISA_VERSION, PMPD_NPU_ROW_BLOCK,  1 << 16,
              PMPD_NPU_REGISTERS,   PMPD_NPU_SEMAPHORES, PMPD_NPU_LOOP_LEVELS,
              string("ref")};
  abi.version = PMPD_NPU_ABI_VERSION;
  abi.vocab = 100;
  abi.hidden = 64;
  abi.layers = 2;
  abi.heads = 4;
  abi.kv_heads = 2;
  abi.head_dim = 16;
  abi.context = 128;
  abi.kv_bytes = 2 * 2 * 2 * pmpd_npu_kv_tile_bytes(PMPD_NPU_KV_F16, 16);
}

uint32_t ProgramBuilder::string(const std::string &text) {
  auto offset = static_cast<uint32_t>(strings.size());
  strings += text + '\0';
  return offset;
}

ProgramBuilder &ProgramBuilder::add(const std::string &lines) {
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) {
    if (line.find_first_not_of(' ') == std::string::npos)
      continue;
    pmpd_npu_instruction instruction;
    if (npu::assemble(line, instruction) != PMPD_OK)
      throw std::invalid_argument(line + ": " + pmpd_last_error());
    code.push_back(instruction);
  }
  return *this;
}

ProgramBuilder &ProgramBuilder::add(const pmpd_npu_instruction &instruction) {
  code.push_back(instruction);
  return *this;
}

ProgramBuilder &ProgramBuilder::endRegion(const std::string &name,
                                          pmpd_phase phase, unsigned bits,
                                          unsigned maxRows) {
  add("halt");
  pmpd_npu_region region = {};
  region.name = string(name);
  region.phase = static_cast<uint8_t>(phase);
  region.bits = static_cast<uint8_t>(bits);
  region.activation_bits = 16;
  region.max_rows = maxRows;
  if (!regions.empty())
    region.first = regions.back().first + regions.back().count;
  region.count = static_cast<uint32_t>(code.size()) - region.first;
  region.scratchpad_peak = required.scratchpad_bytes;
  region.dram_scratch = 1 << 12;
  region.budget = budget;
  regions.push_back(region);
  return *this;
}

std::vector<uint8_t> ProgramBuilder::bytes() {
  if (regions.empty() ||
      regions.back().first + regions.back().count != code.size())
    endRegion("decode_b4", PMPD_DECODE, 4, 1);
  struct Payload {
    const char *tag;
    const void *data;
    size_t bytes;
    uint32_t align;
  };
  const std::string hardware = "{}\n";
  std::vector<Payload> payloads = {
      {"STRS", strings.data(), strings.size(), 1},
      {"HWRQ", &required, sizeof(required), 8},
      {"HWCF", hardware.data(), hardware.size(), 1},
      {"ABI ", &abi, sizeof(abi), 8},
      {"RGNS", regions.data(), regions.size() * sizeof(regions[0]), 8},
      {"CODE", code.data(), code.size() * sizeof(code[0]), 64}};
  if (!constants.empty())
    payloads.push_back({"CNST", constants.data(), constants.size(), 64});
  if (!tensors.empty())
    payloads.push_back(
        {"TMAP", tensors.data(), tensors.size() * sizeof(tensors[0]), 8});
  if (!lines.empty())
    payloads.push_back(
        {"DBUG", lines.data(), lines.size() * sizeof(lines[0]), 8});

  std::vector<pmpd_npu_section_header> sections;
  for (const Payload &payload : payloads) {
    pmpd_npu_section_header section = {};
    std::memcpy(section.tag, payload.tag, 4);
    section.bytes = payload.bytes;
    section.align = payload.align;
    sections.push_back(section);
  }
  auto count = static_cast<uint32_t>(sections.size());
  std::vector<uint8_t> file(pmpd_npu_place(sections.data(), count));
  for (uint32_t i = 0; i < count; ++i)
    std::memcpy(file.data() + sections[i].offset, payloads[i].data,
                payloads[i].bytes);
  pmpd_npu_seal(file.data(), file.size(), sections.data(), count,
                weightsDigest);
  return file;
}

void pmpd::test::reseal(std::vector<uint8_t> &file) {
  pmpd_npu_file_header header;
  if (file.size() < sizeof(header))
    return;
  std::memcpy(&header, file.data(), sizeof(header));
  std::vector<pmpd_npu_section_header> sections(header.sections %
                                                (PMPD_NPU_MAX_SECTIONS + 1));
  size_t tables = sections.size() * sizeof(sections[0]);
  if (file.size() < sizeof(header) + tables)
    return;
  std::memcpy(sections.data(), file.data() + sizeof(header), tables);
  for (const pmpd_npu_section_header &section : sections)
    if (section.offset > file.size() ||
        section.bytes > file.size() - section.offset)
      return;
  pmpd_npu_file_header changed = header;
  pmpd_npu_seal(file.data(), file.size(), sections.data(),
                static_cast<uint32_t>(sections.size()), header.weights_digest);
  // What the seal sets to the only right value stays as it was changed.
  std::memcpy(&header, file.data(), sizeof(header));
  std::memcpy(header.magic, changed.magic, sizeof(header.magic));
  header.major = changed.major;
  header.minor = changed.minor;
  header.header_bytes = changed.header_bytes;
  header.flags = changed.flags;
  header.header_crc = 0;
  uint32_t crc = pmpd_npu_crc32c(0, &header, sizeof(header));
  header.header_crc =
      pmpd_npu_crc32c(crc, file.data() + sizeof(header), tables);
  std::memcpy(file.data(), &header, sizeof(header));
}
