// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Isa.h"
#include "runtime/targets/npu/Text.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

using namespace pmpd::npu;

namespace {

std::string format(const char *pattern, uint64_t value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), pattern, value);
  return buffer;
}

std::string hex(const void *data, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i)
    text += format("%02" PRIx64, static_cast<const uint8_t *>(data)[i]);
  return text;
}

std::string fieldText(const Field &field, uint64_t value) {
  switch (field.kind) {
  case FieldKind::Register:
    return format("r%" PRIu64, value);
  case FieldKind::Local: {
    auto local = static_cast<uint32_t>(value);
    std::string offset = format("0x%" PRIx64, localOffset(local));
    return localRegister(local)
               ? format("r%" PRIu64, localRegister(local)) + "+" + offset
               : offset;
  }
  case FieldKind::Float: {
    float number;
    std::memcpy(&number, &value, sizeof(number));
    char buffer[64];
    std::snprintf(buffer, sizeof(buffer), "%a", static_cast<double>(number));
    return buffer;
  }
  case FieldKind::Signed: {
    unsigned unused = 64 - 8 * field.bytes;
    auto number = static_cast<int64_t>(value << unused) >> unused;
    return std::to_string(number);
  }
  default:
    return format("%" PRIu64, value);
  }
}

std::string fieldsText(const void *record, const std::vector<Field> &fields) {
  std::string text;
  for (const Field &field : fields)
    if (uint64_t value = getField(record, field))
      text += std::string(" ") + field.name + "=" + fieldText(field, value);
  return text;
}

std::string semaphores(const char *name, uint8_t first, uint8_t second) {
  if (first == PMPD_NPU_NO_SEMAPHORE && second == PMPD_NPU_NO_SEMAPHORE)
    return "";
  auto text = [](uint8_t id) {
    return id == PMPD_NPU_NO_SEMAPHORE ? "-" : std::to_string(id);
  };
  return std::string(" ") + name + "=" + text(first) +
         (second == PMPD_NPU_NO_SEMAPHORE ? "" : "," + text(second));
}

std::string instructionText(const pmpd_npu_instruction &in,
                            const OpInfo &info) {
  const pmpd_npu_header &h = in.h;
  std::string text = info.mnemonic;
  for (const FlagName &flag : flagNames())
    if (flag.op == h.op && h.flags & flag.flag)
      text += std::string(".") + flag.name;
  const std::vector<const char *> &names = valueNames(h.op);
  if (h.op == PMPD_NPU_SALU)
    text += in.salu.fn < names.size() ? std::string(".") + names[in.salu.fn]
                                      : std::string();
  else if (info.hasGroup)
    text += (h.mode & 15 ? format(" bits=%" PRIu64, h.mode & 15) : "") +
            format(" group=%" PRIu64, groupOf(h));
  else if (h.mode < names.size() && (h.mode || h.op != PMPD_NPU_NOP))
    text += std::string(" mode=") + names[h.mode];
  text += semaphores("wait", h.wait0, h.wait1);
  text += semaphores("post", h.post0, h.post1);
  if (h.rows)
    text += format(" rows=r%" PRIu64, h.rows);
  for (const Field &field : info.fields)
    if (uint64_t value = getField(&in, field);
        value && !(h.op == PMPD_NPU_SALU && !std::strcmp(field.name, "fn")))
      text += std::string(" ") + field.name + "=" + fieldText(field, value);
  return text;
}

std::string quoted(const char *text, size_t bytes) {
  std::string out = "\"";
  for (size_t i = 0; i < bytes; ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '"' || byte == '\\')
      out += std::string("\\") + text[i];
    else if (byte == '\n')
      out += "\\n";
    else if (byte >= 32 && byte < 127)
      out += text[i];
    else
      out += format("\\x%02" PRIx64, byte);
  }
  return out + "\"";
}

std::string stringLines(const std::string &strings) {
  std::string text;
  for (size_t at = 0; at < strings.size();) {
    size_t length = std::strlen(strings.c_str() + at);
    text += "  .string " + quoted(strings.c_str() + at, length) + "\n";
    at += length + 1;
  }
  return text;
}

std::string textLines(const std::string &content) {
  std::string text;
  for (size_t at = 0; at < content.size();) {
    size_t end = content.find('\n', at);
    end = end == std::string::npos ? content.size() : end + 1;
    text += "  .text " + quoted(content.c_str() + at, end - at) + "\n";
    at = end;
  }
  return text;
}

std::string byteLines(const std::vector<uint8_t> &bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 32)
    text += "  .word " +
            hex(bytes.data() + at, std::min<size_t>(32, bytes.size() - at)) +
            "\n";
  return text;
}

template <typename Record>
std::string tableLines(const std::string &tag,
                       const std::vector<Record> &records) {
  std::string text;
  for (const TableInfo &table : allTables())
    if (tag == table.tag)
      for (const Record &record : records)
        text += std::string("  ") + table.record +
                fieldsText(&record, table.fields) + "\n";
  return text;
}

std::string codeLines(const Program &program) {
  std::string text;
  size_t depth = 0;
  for (uint32_t pc = 0; pc < program.code().size(); ++pc) {
    for (const pmpd_npu_region &region : program.regions())
      if (region.first == pc) {
        text += std::string("; region ") +
                quoted(program.string(region.name),
                       std::strlen(program.string(region.name))) +
                "\n";
        depth = 0;
      }
    for (const pmpd_npu_line &line : program.lines())
      if (line.first == pc)
        text += std::string("; ") +
                quoted(program.string(line.name),
                       std::strlen(program.string(line.name))) +
                "\n";
    const pmpd_npu_instruction &in = program.code()[pc];
    if (in.h.op == PMPD_NPU_ENDL && depth)
      --depth;
    text += std::string(2 + 2 * depth, ' ') + disassemble(in) + "\n";
    if (in.h.op == PMPD_NPU_LOOP)
      depth = std::min<size_t>(depth + 1, PMPD_NPU_LOOP_LEVELS);
  }
  return text;
}

} // namespace

std::string pmpd::npu::disassemble(const pmpd_npu_instruction &instruction) {
  if (const OpInfo *info = findOp(instruction.h.op)) {
    std::string text = instructionText(instruction, *info);
    pmpd_npu_instruction back;
    if (assemble(text, back) == PMPD_OK &&
        std::memcmp(&back, &instruction, sizeof(back)) == 0)
      return text;
  }
  return ".word " + hex(&instruction, sizeof(instruction));
}

std::string pmpd::npu::disassemble(const Program &program) {
  std::string text = "; a program for PNPU-1\n.program weights=" +
                     hex(program.header().weights_digest,
                         sizeof(program.header().weights_digest)) +
                     "\n";
  for (const Program::Section &section : program.sections()) {
    text += "\n.section " + quoted(section.tag.c_str(), 4) +
            format(" align=%" PRIu64, section.align) + "\n";
    const std::string &tag = section.tag;
    if (tag == "STRS")
      text += stringLines(program.strings());
    else if (tag == "HWCF")
      text += textLines(program.hardwareText());
    else if (tag == "CNST")
      text += byteLines(program.constants());
    else if (tag == "CODE")
      text += codeLines(program);
    else if (tag == "HWRQ")
      text += tableLines(tag, std::vector{program.requirements()});
    else if (tag == "ABI ")
      text += tableLines(tag, std::vector{program.abi()});
    else if (tag == "RGNS")
      text += tableLines(tag, program.regions());
    else if (tag == "TMAP")
      text += tableLines(tag, program.tensors());
    else if (tag == "DBUG")
      text += tableLines(tag, program.lines());
  }
  return text;
}
