// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Container.h"
#include "runtime/targets/npu/Isa.h"
#include "runtime/targets/npu/Text.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

using namespace pmpd::npu;
using pmpd::rt::fail;

namespace {

/// Splits a line at spaces, quoted strings staying whole; drops the comment.
std::vector<std::string> wordsOf(const std::string &line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    if (quoted && c == '\\' && i + 1 < line.size()) {
      word += c;
      word += line[++i];
      continue;
    }
    if (c == '"')
      quoted = !quoted;
    if (!quoted && c == ';')
      break;
    if (!quoted && (c == ' ' || c == '\t' || c == '\r')) {
      if (!word.empty())
        words.push_back(word);
      word.clear();
      continue;
    }
    word += c;
  }
  if (!word.empty())
    words.push_back(word);
  return words;
}

bool parseHex(const std::string &text, std::vector<uint8_t> &bytes) {
  auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
  };
  if (text.empty() || text.size() % 2)
    return false;
  for (size_t i = 0; i < text.size(); i += 2) {
    int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0)
      return false;
    bytes.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return true;
}

bool parseQuoted(const std::string &text, std::string &out) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"')
    return false;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    char c = text[++i];
    if (c == 'x') {
      std::vector<uint8_t> byte;
      if (i + 3 >= text.size() || !parseHex(text.substr(i + 1, 2), byte))
        return false;
      out += static_cast<char>(byte[0]);
      i += 2;
    } else if (i + 1 >= text.size()) {
      return false;
    } else {
      out += c == 'n' ? '\n' : c;
    }
  }
  return true;
}

bool parseUnsigned(const std::string &text, uint64_t &value) {
  if (text.empty() || text[0] < '0' || text[0] > '9')
    return false;
  char *end;
  errno = 0;
  value = std::strtoull(text.c_str(), &end, 0);
  return errno == 0 && *end == 0;
}

bool parseRegister(const std::string &text, uint64_t &value) {
  return text.size() > 1 && text[0] == 'r' &&
         parseUnsigned(text.substr(1), value) && value < 256;
}

bool parseField(const Field &field, const std::string &text, uint64_t &value) {
  unsigned unused = 64 - 8 * field.bytes;
  switch (field.kind) {
  case FieldKind::Register:
    return parseRegister(text, value);
  case FieldKind::Local: {
    uint64_t reg = 0, offset;
    size_t plus = text.find('+');
    if (plus != std::string::npos &&
        (!parseRegister(text.substr(0, plus), reg) || reg >= 32))
      return false;
    if (!parseUnsigned(plus == std::string::npos ? text : text.substr(plus + 1),
                       offset) ||
        offset >> 24)
      return false;
    value = PMPD_NPU_LOCAL(reg, offset);
    return true;
  }
  case FieldKind::Float: {
    char *end;
    float number = std::strtof(text.c_str(), &end);
    if (text.empty() || *end)
      return false;
    value = 0;
    std::memcpy(&value, &number, sizeof(number));
    return true;
  }
  case FieldKind::Signed: {
    bool negative = text[0] == '-';
    uint64_t magnitude;
    if (!parseUnsigned(negative ? text.substr(1) : text, magnitude))
      return false;
    value = negative ? 0 - magnitude : magnitude;
    auto back = static_cast<int64_t>(value << unused) >> unused;
    return static_cast<uint64_t>(back) == value &&
           (back < 0) == (negative && magnitude);
  }
  default:
    return parseUnsigned(text, value) &&
           (unused == 0 || value >> (64 - unused) == 0);
  }
}

bool parseSemaphore(const std::string &text, uint8_t &id) {
  uint64_t value = PMPD_NPU_NO_SEMAPHORE;
  if (text != "-" && (!parseUnsigned(text, value) || value > 255))
    return false;
  id = static_cast<uint8_t>(value);
  return true;
}

/// `wait=3,4` or `post=-,5`.
bool parseSemaphores(const std::string &text, uint8_t &first, uint8_t &second) {
  size_t comma = text.find(',');
  return parseSemaphore(text.substr(0, comma), first) &&
         (comma == std::string::npos ||
          parseSemaphore(text.substr(comma + 1), second));
}

bool parseName(uint8_t op, const std::string &text, uint8_t &value) {
  const std::vector<const char *> &names = valueNames(op);
  for (size_t i = 0; i < names.size(); ++i)
    if (text == names[i]) {
      value = static_cast<uint8_t>(i);
      return true;
    }
  return false;
}

bool parseGroup(const std::string &text, uint8_t &mode) {
  uint64_t group;
  if (!parseUnsigned(text, group))
    return false;
  for (unsigned log = 0; log < 8; ++log)
    if (group == 32u << log) {
      mode = static_cast<uint8_t>(mode | log << 4);
      return true;
    }
  return false;
}

bool setFieldByName(void *record, const std::vector<Field> &fields,
                    const std::string &key, const std::string &text) {
  for (const Field &field : fields)
    if (key == field.name) {
      uint64_t value;
      if (text.empty() || !parseField(field, text, value))
        return false;
      setField(record, field, value);
      return true;
    }
  return false;
}

/// The op of `mnemonic.flag.flag`, with its flags or its function set.
const OpInfo *parseMnemonic(const std::string &word,
                            pmpd_npu_instruction &instruction) {
  size_t dot = word.find('.');
  const OpInfo *info = nullptr;
  for (const OpInfo &each : allOps())
    if (word.substr(0, dot) == each.mnemonic)
      info = &each;
  if (!info)
    return nullptr;
  instruction.h.op = info->op;
  while (dot != std::string::npos) {
    size_t next = word.find('.', dot + 1);
    std::string name =
        word.substr(dot + 1, next == std::string::npos ? next : next - dot - 1);
    bool known = info->op == PMPD_NPU_SALU &&
                 parseName(info->op, name, instruction.salu.fn);
    for (const FlagName &flag : flagNames())
      if (flag.op == info->op && name == flag.name) {
        instruction.h.flags |= flag.flag;
        known = true;
      }
    if (!known)
      return nullptr;
    dot = next;
  }
  return info;
}

/// Empty, or the word that is wrong.
std::string parseInstruction(const std::vector<std::string> &words,
                             pmpd_npu_instruction &instruction) {
  std::memset(&instruction, 0, sizeof(instruction));
  pmpd_npu_header &h = instruction.h;
  h.wait0 = h.wait1 = h.post0 = h.post1 = PMPD_NPU_NO_SEMAPHORE;
  const OpInfo *info = parseMnemonic(words[0], instruction);
  if (!info)
    return words[0];
  for (size_t i = 1; i < words.size(); ++i) {
    size_t equals = words[i].find('=');
    if (equals == std::string::npos)
      return words[i];
    std::string key = words[i].substr(0, equals);
    std::string text = words[i].substr(equals + 1);
    uint64_t number;
    bool good;
    if (key == "wait")
      good = parseSemaphores(text, h.wait0, h.wait1);
    else if (key == "post")
      good = parseSemaphores(text, h.post0, h.post1);
    else if (key == "rows" && (good = parseRegister(text, number)))
      h.rows = static_cast<uint8_t>(number);
    else if (key == "mode" && info->op != PMPD_NPU_SALU)
      good = parseName(info->op, text, h.mode);
    else if (key == "group" && info->hasGroup)
      good = parseGroup(text, h.mode);
    else if (key == "bits" && info->hasGroup) {
      if ((good = parseUnsigned(text, number) && number < 16))
        h.mode |= static_cast<uint8_t>(number);
    } else
      good = setFieldByName(&instruction, info->fields, key, text);
    if (!good)
      return words[i];
  }
  return "";
}

/// The sections and digest that the lines so far have described.
struct Assembly {
  std::vector<Payload> sections;
  std::vector<uint8_t> weights;

  /// Takes one line; empty, or what is wrong with it.
  std::string take(const std::vector<std::string> &words);

private:
  std::string beginSection(const std::vector<std::string> &words);
  std::string takeContent(const std::vector<std::string> &words);
};

std::string Assembly::beginSection(const std::vector<std::string> &words) {
  std::string tag;
  uint64_t align;
  if (words.size() != 3 || !parseQuoted(words[1], tag) || tag.size() != 4 ||
      words[2].compare(0, 6, "align=") != 0 ||
      !parseUnsigned(words[2].substr(6), align) || align == 0 || align > 4096 ||
      (align & (align - 1)))
    return "expected .section \"TAG \" align=N, N a power of two up to 4096";
  if (sections.size() == PMPD_NPU_MAX_SECTIONS)
    return "expected at most " + std::to_string(PMPD_NPU_MAX_SECTIONS) +
           " sections";
  sections.push_back({tag, static_cast<uint32_t>(align), ""});
  return "";
}

std::string Assembly::takeContent(const std::vector<std::string> &words) {
  Payload &section = sections.back();
  const std::string &tag = section.tag;
  const std::string &first = words[0];
  if (first == ".word" && words.size() == 2) {
    std::vector<uint8_t> bytes;
    if (!parseHex(words[1], bytes))
      return "expected pairs of hexadecimal digits";
    section.bytes.append(bytes.begin(), bytes.end());
    return "";
  }
  if ((first == ".string" || first == ".text") && words.size() == 2) {
    if (!parseQuoted(words[1], section.bytes))
      return "expected a string in quotes";
    if (first == ".string")
      section.bytes += '\0';
    return "";
  }
  for (const TableInfo &table : allTables())
    if (tag == table.tag && first == table.record) {
      std::string record(table.bytes, '\0');
      for (size_t i = 1; i < words.size(); ++i) {
        size_t equals = words[i].find('=');
        if (equals == std::string::npos ||
            !setFieldByName(record.data(), table.fields,
                            words[i].substr(0, equals),
                            words[i].substr(equals + 1)))
          return "\"" + words[i] + "\" is not a field of " + table.record +
                 " or out of range";
      }
      section.bytes += record;
      return "";
    }
  if (tag != "CODE")
    return "\"" + first + "\" does not belong into section \"" + tag + "\"";
  pmpd_npu_instruction instruction;
  if (std::string bad = parseInstruction(words, instruction); !bad.empty())
    return "\"" + bad + "\" is not an op, a field of it or in its range";
  section.bytes.append(reinterpret_cast<const char *>(&instruction),
                       sizeof(instruction));
  return "";
}

std::string Assembly::take(const std::vector<std::string> &words) {
  if (words[0] == ".program") {
    if (words.size() != 2 || words[1].compare(0, 8, "weights=") != 0 ||
        !weights.empty() || !parseHex(words[1].substr(8), weights) ||
        weights.size() != PMPD_DIGEST_BYTES)
      return "expected one .program weights=HEX of 16 bytes";
    return "";
  }
  if (words[0] == ".section")
    return beginSection(words);
  if (sections.empty())
    return "expected a .section first";
  return takeContent(words);
}

} // namespace

pmpd_status pmpd::npu::assemble(const std::string &line,
                                pmpd_npu_instruction &instruction) {
  std::vector<std::string> words = wordsOf(line);
  if (words.empty())
    return fail(PMPD_BAD_ARGUMENT, "expected an instruction, but got nothing");
  if (std::string bad = parseInstruction(words, instruction); !bad.empty())
    return fail(PMPD_BAD_ARGUMENT,
                "\"" + bad + "\" is not an op, a field of it or in its range");
  return PMPD_OK;
}

pmpd_status pmpd::npu::assemble(const std::string &origin,
                                const std::string &text,
                                std::vector<uint8_t> &bytes) {
  Assembly assembly;
  size_t number = 0;
  for (size_t at = 0; at < text.size(); ++number) {
    size_t end = std::min(text.find('\n', at), text.size());
    std::vector<std::string> words = wordsOf(text.substr(at, end - at));
    at = end + 1;
    if (words.empty())
      continue;
    if (std::string why = assembly.take(words); !why.empty())
      return fail(PMPD_BAD_ARGUMENT,
                  origin + ":" + std::to_string(number + 1) + ": " + why);
  }
  if (assembly.weights.empty() || assembly.sections.empty())
    return fail(PMPD_BAD_ARGUMENT,
                origin + ": expected a line .program and sections");
  bytes = pack(assembly.sections, assembly.weights.data());
  return PMPD_OK;
}
