// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/NpuProgram.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace pmpd::emit {
namespace {

/// Strings that are stored once.
class Strings {
public:
  uint32_t add(const std::string &text) {
    auto [it, isNew] = offsets.try_emplace(text, bytes.size());
    if (isNew)
      bytes += text + '\0';
    return it->second;
  }
  std::string bytes = std::string(1, '\0');

private:
  std::map<std::string, uint32_t> offsets = {{"", 0}};
};

/// A section and the bytes of its records.
struct Section {
  const char *tag;
  uint32_t align;
  std::string payload;
};

template <typename Record>
Section tableOf(const char *tag, const std::vector<Record> &records) {
  return {tag, 8,
          std::string(reinterpret_cast<const char *>(records.data()),
                      records.size() * sizeof(Record))};
}

pmpd_npu_requirements requirementsOf(const NpuProgram &program) {
  pmpd_npu_requirements required = {};
  required.isa_version = PMPD_NPU_ISA_VERSION;
  required.row_block = PMPD_NPU_ROW_BLOCK;
  required.registers = PMPD_NPU_REGISTERS;
  for (const NpuRegion &region : program.regions) {
    required.scratchpad_bytes =
        std::max(required.scratchpad_bytes, region.facts.scratchpad_peak);
    for (const pmpd_npu_instruction &in : region.code) {
      for (uint8_t semaphore : {in.h.wait0, in.h.wait1, in.h.post0, in.h.post1})
        if (semaphore != PMPD_NPU_NO_SEMAPHORE)
          required.semaphores =
              std::max<uint32_t>(required.semaphores, semaphore + 1);
      if (in.h.op == PMPD_NPU_LOOP)
        required.loop_levels =
            std::max<uint32_t>(required.loop_levels, in.loop.level + 1);
    }
  }
  return required;
}

} // namespace

std::vector<uint8_t> makeNpuProgram(const NpuProgram &program) {
  Strings strings;
  std::vector<pmpd_npu_region> regions;
  std::vector<pmpd_npu_instruction> code;
  std::vector<pmpd_npu_line> lines;
  std::vector<pmpd_npu_tensor> tensors;
  pmpd_npu_requirements required = requirementsOf(program);
  required.config_name = strings.add(program.hardware.name);
  for (const NpuRegion &region : program.regions) {
    pmpd_npu_region record = region.facts;
    record.name = strings.add(region.name);
    record.first = code.size();
    record.count = region.code.size();
    regions.push_back(record);
    for (const auto &[first, name] : region.lines)
      lines.push_back({record.first + first, strings.add(name)});
    code.insert(code.end(), region.code.begin(), region.code.end());
  }
  for (const NpuTensor &tensor : program.tensors) {
    tensors.push_back(tensor.facts);
    tensors.back().name = strings.add(tensor.name);
  }

  const Section sections[] = {
      {"STRS", 1, strings.bytes},
      tableOf<pmpd_npu_requirements>("HWRQ", {required}),
      {"HWCF", 1, program.hardware.text},
      tableOf<pmpd_npu_abi>("ABI ", {program.abi}),
      tableOf("RGNS", regions),
      tableOf("CODE", code),
      tableOf("TMAP", tensors),
      tableOf("DBUG", lines)};
  std::vector<pmpd_npu_section_header> headers;
  for (const Section &section : sections) {
    pmpd_npu_section_header header = {};
    std::memcpy(header.tag, section.tag, sizeof(header.tag));
    header.bytes = section.payload.size();
    header.align = section.align;
    headers.push_back(header);
  }
  std::vector<uint8_t> file(pmpd_npu_place(headers.data(), headers.size()));
  for (size_t i = 0; i < headers.size(); ++i)
    std::memcpy(file.data() + headers[i].offset, sections[i].payload.data(),
                sections[i].payload.size());
  pmpd_npu_seal(file.data(), file.size(), headers.data(), headers.size(),
                program.weights.data());
  return file;
}

} // namespace pmpd::emit
