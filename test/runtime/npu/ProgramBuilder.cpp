// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/npu/ProgramBuilder.h"

#include "pmpd/npu_layout.h"
#include "runtime/targets/npu/Container.h"
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
  using npu::Payload;
  std::vector<Payload> payloads = {
      {"STRS", 1, strings},
      Payload::of("HWRQ", &required),
      {"HWCF", 1, "{}\n"},
      Payload::of("ABI ", &abi),
      Payload::of("RGNS", regions.data(), regions.size()),
      Payload::of("CODE", code.data(), code.size())};
  if (!constants.empty())
    payloads.push_back(Payload::of("CNST", constants.data(), constants.size()));
  if (!tensors.empty())
    payloads.push_back(Payload::of("TMAP", tensors.data(), tensors.size()));
  if (!lines.empty())
    payloads.push_back(Payload::of("DBUG", lines.data(), lines.size()));
  return npu::pack(payloads, weightsDigest);
}

void pmpd::test::reseal(std::vector<uint8_t> &file) {
  pmpd_npu_file_header header;
  if (file.size() < sizeof(header))
    return;
  std::memcpy(&header, file.data(), sizeof(header));
  std::vector<pmpd_npu_section_header> sections(header.sections %
                                                (PMPD_NPU_MAX_SECTIONS + 1));
  size_t tables = sections.size() * sizeof(sections[0]);
  if (sections.empty() || file.size() < sizeof(header) + tables)
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
