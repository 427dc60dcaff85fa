// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Program.h"
#include "pmpd/npu_layout.h"
#include "runtime/targets/npu/Isa.h"
#include "runtime/targets/npu/Verify.h"

#include <algorithm>
#include <cstring>

using namespace pmpd::npu;
using pmpd::rt::fail;

namespace {

const char *const requiredTags[] = {"STRS", "HWRQ", "HWCF",
                                    "ABI ", "RGNS", "CODE"};
const char *const optionalTags[] = {"CNST", "TMAP", "DBUG"};

bool contains(const char *const *begin, const char *const *end,
              const std::string &tag) {
  return std::find(begin, end, tag) != end;
}

std::string number(uint64_t value) { return std::to_string(value); }

/// Reads a container step by step; empty texts mean success.
class Reader {
public:
  Reader(const void *data, size_t bytes)
      : data(static_cast<const uint8_t *>(data)), bytes(bytes) {}

  std::string readHeader(pmpd_npu_file_header &header);
  std::string readSections(const pmpd_npu_file_header &header,
                           std::vector<Program::Section> &sections);

private:
  std::string checkSection(const pmpd_npu_section_header &section,
                           uint64_t &end) const;

  const uint8_t *data;
  size_t bytes;
};

std::string Reader::readHeader(pmpd_npu_file_header &header) {
  if (bytes < sizeof(header))
    return "expected a header of 64 bytes, but the file has " + number(bytes);
  std::memcpy(&header, data, sizeof(header));
  if (std::memcmp(header.magic, PMPD_NPU_MAGIC, 4) != 0)
    return "expected an NPU program that begins with \"PNPU\"; compile one "
           "with --target npu";
  if (header.major != PMPD_NPU_MAJOR || header.minor != PMPD_NPU_MINOR)
    return "expected a program of version " + number(PMPD_NPU_MAJOR) + "." +
           number(PMPD_NPU_MINOR) + ", but got " + number(header.major) + "." +
           number(header.minor) + "; recompile the model";
  if (header.header_bytes != sizeof(header) || header.flags != 0)
    return "expected a header of 64 bytes without flags";
  if (header.file_bytes != bytes)
    return "expected " + number(header.file_bytes) +
           " bytes, but the file has " + number(bytes) +
           "; it is truncated or has grown";
  if (header.sections == 0 || header.sections > PMPD_NPU_MAX_SECTIONS)
    return "expected 1 to " + number(PMPD_NPU_MAX_SECTIONS) +
           " sections, but got " + number(header.sections);
  uint64_t tables =
      sizeof(header) + header.sections * sizeof(pmpd_npu_section_header);
  if (tables > bytes)
    return "the section table reaches beyond the end";
  pmpd_npu_file_header unsummed = header;
  unsummed.header_crc = 0;
  uint32_t crc = pmpd_npu_crc32c(0, &unsummed, sizeof(unsummed));
  crc = pmpd_npu_crc32c(crc, data + sizeof(header), tables - sizeof(header));
  if (crc != header.header_crc)
    return "the checksum of the header does not match; the file is damaged";
  return "";
}

std::string Reader::checkSection(const pmpd_npu_section_header &section,
                                 uint64_t &end) const {
  std::string tag(section.tag, 4);
  std::string name = "section \"" + tag + "\"";
  if (!contains(std::begin(requiredTags), std::end(requiredTags), tag) &&
      !contains(std::begin(optionalTags), std::end(optionalTags), tag))
    return "the file has an unknown section";
  if (section.flags != 0)
    return name + " has flags, expected none";
  if (section.align == 0 || section.align > 4096 ||
      (section.align & (section.align - 1)))
    return name + " has alignment " + number(section.align) +
           ", expected a power of two up to 4096";
  // One way to place the payloads, so that a file is known by its contents.
  if (section.offset != pmpd_round_up(end, section.align) ||
      section.offset > bytes || section.bytes > bytes - section.offset)
    return name + " is not where the sections before it end";
  for (uint64_t gap = end; gap < section.offset; ++gap)
    if (data[gap])
      return "the gap before " + name + " is not zero";
  end = section.offset + section.bytes;
  if (pmpd_npu_crc32c(0, data + section.offset, section.bytes) != section.crc)
    return "the checksum of " + name + " does not match; the file is damaged";
  return "";
}

std::string Reader::readSections(const pmpd_npu_file_header &header,
                                 std::vector<Program::Section> &sections) {
  sections.clear();
  uint64_t end =
      sizeof(header) + header.sections * sizeof(pmpd_npu_section_header);
  for (uint32_t i = 0; i < header.sections; ++i) {
    pmpd_npu_section_header section;
    std::memcpy(&section, data + sizeof(header) + i * sizeof(section),
                sizeof(section));
    if (std::string why = checkSection(section, end); !why.empty())
      return why;
    std::string tag(section.tag, 4);
    for (const Program::Section &other : sections)
      if (other.tag == tag)
        return "section \"" + tag + "\" occurs twice";
    sections.push_back({tag, section.align, section.offset, section.bytes});
  }
  if (end != bytes)
    return "there are " + number(bytes - end) + " bytes behind the sections";
  for (const char *tag : requiredTags)
    if (std::none_of(sections.begin(), sections.end(),
                     [&](const auto &each) { return each.tag == tag; }))
      return "section \"" + std::string(tag) + "\" is missing";
  return "";
}

/// Copies a section of records. Bytes that no field covers must be zero and
/// strings must exist.
template <typename Record>
std::string readTable(const uint8_t *data, const Program::Section &section,
                      size_t stringBytes, std::vector<Record> &records) {
  std::string name = "section \"" + section.tag + "\"";
  if (section.bytes % sizeof(Record))
    return name + " has " + number(section.bytes) +
           " bytes, expected a multiple of " + number(sizeof(Record));
  records.resize(section.bytes / sizeof(Record));
  if (!records.empty())
    std::memcpy(records.data(), data + section.offset, section.bytes);
  for (const TableInfo &table : allTables()) {
    if (section.tag != table.tag)
      continue;
    for (const Record &record : records) {
      Record rest = record;
      for (const Field &field : table.fields) {
        if (field.kind == FieldKind::String &&
            getField(&record, field) >= stringBytes)
          return name + " names a string that does not exist";
        setField(&rest, field, 0);
      }
      const auto *byte = reinterpret_cast<const uint8_t *>(&rest);
      if (std::any_of(byte, byte + sizeof(rest), [](uint8_t b) { return b; }))
        return name + " has a reserved byte that is not zero";
    }
  }
  return "";
}

std::string checkAbi(const pmpd_npu_abi &abi) {
  if (abi.version != PMPD_NPU_ABI_VERSION)
    return "expected the register ABI of version " +
           number(PMPD_NPU_ABI_VERSION) + ", but got " + number(abi.version) +
           "; recompile the model";
  if (abi.kv_format > PMPD_NPU_KV_I4)
    return "the format of the KV cache is unknown";
  for (uint32_t dimension : {abi.vocab, abi.hidden, abi.layers, abi.heads,
                             abi.kv_heads, abi.head_dim, abi.context})
    if (dimension == 0 || dimension > 1u << 24)
      return "expected dimensions from 1 to 2^24, but got " + number(dimension);
  if (abi.head_dim % 8 || abi.heads % abi.kv_heads)
    return "expected a head dimension that is a multiple of 8 and heads that "
           "are a multiple of the KV heads";
  unsigned __int128 bytes =
      static_cast<unsigned __int128>(abi.layers) * abi.kv_heads *
      ((abi.context + PMPD_NPU_ATT_TOKENS - 1) / PMPD_NPU_ATT_TOKENS) *
      pmpd_npu_kv_tile_bytes(abi.kv_format, abi.head_dim);
  if (bytes != abi.kv_bytes || abi.kv_bytes >> 48)
    return "expected kv_bytes to be that of the layout, below 2^48, but got " +
           number(abi.kv_bytes);
  return "";
}

std::string checkRegion(const pmpd_npu_region &region, const Program &program,
                        size_t instructions) {
  std::string name = std::string("region ") + program.string(region.name);
  if (region.phase > PMPD_DECODE)
    return name + " has an unknown phase";
  if (region.max_rows == 0 || region.max_rows > 65536 ||
      (region.phase == PMPD_DECODE && region.max_rows != 1))
    return name + " has max_rows " + number(region.max_rows) +
           ", expected 1 to 65536, and 1 for decode";
  if (region.count == 0 || region.first > instructions ||
      region.count > instructions - region.first)
    return name + " reaches beyond the instructions";
  if (region.scratchpad_peak > program.requirements().scratchpad_bytes)
    return name + " uses more scratchpad than the program requires";
  if (region.dram_scratch >> 40)
    return name + " wants more than 2^40 bytes of DRAM";
  if (region.budget == 0 || region.budget >> 40)
    return name + " has a budget of " + number(region.budget) +
           " instructions, expected 1 to 2^40 - 1";
  return "";
}

} // namespace

pmpd_status Program::read(const std::string &name, const void *data,
                          size_t bytes, Program &program) {
  program = Program();
  program.fileName = name;
  const auto *base = static_cast<const uint8_t *>(data);
  auto bad = [&](const std::string &why) {
    return fail(PMPD_BAD_MODEL, name + ": " + why);
  };
  Reader reader(data, bytes);
  pmpd_npu_file_header &header = program.fileHeader;
  if (std::string why = reader.readHeader(header); !why.empty())
    return bad(why);
  if (std::string why = reader.readSections(header, program.sectionTable);
      !why.empty())
    return bad(why);

  std::vector<pmpd_npu_requirements> required;
  std::vector<pmpd_npu_abi> abi;
  for (const Section &section : program.sectionTable)
    if (section.tag == "STRS")
      program.stringBytes.assign(
          reinterpret_cast<const char *>(base + section.offset), section.bytes);
  if (program.stringBytes.empty() || program.stringBytes.front() ||
      program.stringBytes.back())
    return bad("expected strings that begin and end with NUL");

  for (const Section &section : program.sectionTable) {
    size_t strings = program.stringBytes.size();
    std::string why;
    if (section.tag == "HWRQ")
      why = readTable(base, section, strings, required);
    else if (section.tag == "ABI ")
      why = readTable(base, section, strings, abi);
    else if (section.tag == "RGNS")
      why = readTable(base, section, strings, program.regionTable);
    else if (section.tag == "TMAP")
      why = readTable(base, section, strings, program.tensorTable);
    else if (section.tag == "DBUG")
      why = readTable(base, section, strings, program.lineTable);
    else if (section.tag == "CODE")
      why = readTable(base, section, strings, program.codeTable);
    else if (section.tag == "CNST")
      program.constantBytes.assign(base + section.offset,
                                   base + section.offset + section.bytes);
    else if (section.tag == "HWCF")
      program.hardware.assign(
          reinterpret_cast<const char *>(base + section.offset), section.bytes);
    if (!why.empty())
      return bad(why);
  }
  if (required.size() != 1 || abi.size() != 1)
    return bad("expected one record of requirements and one of the ABI");
  program.required = required[0];
  program.hostAbi = abi[0];
  if (header.hardware_hash != pmpd_npu_hash(&required[0], sizeof(required[0])))
    return bad("the hash of the hardware requirements does not match");
  if (header.abi_hash != pmpd_npu_hash(&abi[0], sizeof(abi[0])))
    return bad("the hash of the register ABI does not match");
  if (std::string why = checkAbi(program.hostAbi); !why.empty())
    return bad(why);
  if (program.regionTable.empty())
    return bad("expected at least one region");
  for (const pmpd_npu_region &region : program.regionTable)
    if (std::string why =
            checkRegion(region, program, program.codeTable.size());
        !why.empty())
      return bad(why);
  return PMPD_OK;
}

pmpd_status Program::load(const std::string &name, const void *data,
                          size_t bytes, Program &program) {
  if (pmpd_status status = read(name, data, bytes, program))
    return status;
  return verify(program);
}

pmpd_status Program::checkWeights(const rt::Digest &digest) const {
  if (std::equal(digest.begin(), digest.end(), fileHeader.weights_digest))
    return PMPD_OK;
  return fail(PMPD_BAD_MODEL,
              fileName + ": the weights are not those the program was compiled "
                         "for; keep the two files of one compilation together");
}

const pmpd_npu_region *Program::findRegion(int phase, int bits) const {
  for (const pmpd_npu_region &region : regionTable)
    if (region.phase == phase && region.bits == bits)
      return &region;
  return nullptr;
}
