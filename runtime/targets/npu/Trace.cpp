// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Trace.h"
#include "runtime/OutputFile.h"
#include "runtime/targets/npu/Isa.h"

#include <cstdio>

using namespace pmpd::npu;

namespace {
constexpr uint8_t markUnit = PMPD_NPU_SEQ;

/// Text as the inside of a JSON string.
std::string escaped(const std::string &text) {
  std::string out;
  for (char each : text) {
    auto byte = static_cast<unsigned char>(each);
    if (each == '"' || each == '\\') {
      out += '\\';
      out += each;
    } else if (byte >= 32 && byte < 127) {
      out += each;
    } else {
      char code[8];
      std::snprintf(code, sizeof(code), "\\u%04x", byte);
      out += code;
    }
  }
  return out;
}
} // namespace

void Trace::add(unsigned unit, unsigned op, uint32_t pc, double start,
                double duration) {
  events.push_back({origin + start, duration, pc, static_cast<uint8_t>(unit),
                    static_cast<uint8_t>(op)});
}

void Trace::mark(uint32_t id, double time) {
  events.push_back({origin + time, -1, id, markUnit, PMPD_NPU_EVT});
}

void Trace::endRun(const std::string &name, double microseconds) {
  runs.push_back({name, origin, microseconds});
  origin += microseconds;
}

pmpd_status Trace::write(const std::string &path) const {
  std::string text = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
                     "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\","
                     "\"args\":{\"name\":\"PNPU-1, simulated\"}}";
  char line[160];
  auto append = [&](const char *format, auto... values) {
    std::snprintf(line, sizeof(line), format, values...);
    text += line;
  };
  for (unsigned unit = 0; unit < PMPD_NPU_UNITS; ++unit)
    append(",\n{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"name\":\"thread_name\","
           "\"args\":{\"name\":\"%s\"}}",
           unit, unit == PMPD_NPU_SEQ ? "regions" : unitName(unit));
  for (const Run &run : runs) {
    append(",\n{\"ph\":\"X\",\"pid\":1,\"tid\":0,\"ts\":%.4f,\"dur\":%.4f,",
           run.start, run.duration);
    text += "\"name\":\"" + escaped(run.name) + "\"}";
  }
  for (const Event &event : events)
    if (event.duration < 0)
      append(",\n{\"ph\":\"i\",\"s\":\"p\",\"pid\":1,\"tid\":0,\"ts\":%.4f,"
             "\"name\":\"event %u\"}",
             event.start, event.pc);
    else
      append(",\n{\"ph\":\"X\",\"pid\":1,\"tid\":%u,\"ts\":%.4f,\"dur\":%.4f,"
             "\"name\":\"%s\",\"args\":{\"pc\":%u}}",
             event.unit, event.start, event.duration,
             findOp(event.op)->mnemonic, event.pc);
  text += "\n]}\n";
  return rt::writeFile(path, text);
}
