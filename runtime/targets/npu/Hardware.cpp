// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/targets/npu/Hardware.h"
#include "runtime/Mapping.h"

#include <nlohmann/json.hpp>

#include <cmath>

using namespace pmpd::npu;
using nlohmann::json;
using pmpd::rt::fail;
using pmpd::rt::Mapping;

namespace {

struct Named {
  const char *name, *text;
};
const Named named[] = {
#include "pmpd/npu_hardware.inc"
};

/// One number of a configuration and the range it makes sense in.
struct Number {
  const char *key;
  double Hardware::*value;
  double least, most;
  bool whole;
};
const Number numbers[] = {
    {"clock_ghz", &Hardware::clockGhz, 0.01, 100, false},
    {"scratchpad_kib", &Hardware::scratchpadKib, 64, 8192, true},
    {"accumulator_kib", &Hardware::accumulatorKib, 0, 8191, true},
    {"queue_depth", &Hardware::queueDepth, 1, 4096, true},
    {"issue_cycles", &Hardware::issueCycles, 0, 1e6, false},
    {"launch_us", &Hardware::launchUs, 0, 1e6, false},
    {"dram_gbps", &Hardware::dramGbps, 0.001, 1e6, false},
    {"dram_loss", &Hardware::dramLoss, 0, 0.99, false},
    {"dram_turnaround_ns", &Hardware::dramTurnaroundNs, 0, 1e6, false},
    {"dma_latency_ns", &Hardware::dmaLatencyNs, 0, 1e6, false},
    {"dma_segment_ns", &Hardware::dmaSegmentNs, 0, 1e6, false},
    {"dma_bytes_per_cycle", &Hardware::dmaBytesPerCycle, 1, 1e6, false},
    {"bpu_rows", &Hardware::bpuRows, 1, 1e6, true},
    {"bpu_columns", &Hardware::bpuColumns, 1, 1e6, true},
    {"bpu_fill_cycles", &Hardware::bpuFillCycles, 0, 1e6, false},
    {"mxu_rows", &Hardware::mxuRows, 1, 1e6, true},
    {"mxu_columns", &Hardware::mxuColumns, 1, 1e6, true},
    {"mxu_fill_cycles", &Hardware::mxuFillCycles, 0, 1e6, false},
    {"mxu_a16_passes", &Hardware::mxuA16Passes, 1, 64, true},
    {"mxu_half_passes", &Hardware::mxuHalfPasses, 1, 64, true},
    {"att_half_per_cycle", &Hardware::attHalfPerCycle, 1, 1e6, true},
    {"att_int_per_cycle", &Hardware::attIntPerCycle, 1, 1e6, true},
    {"vpu_lanes", &Hardware::vpuLanes, 1, 1e6, true},
    {"vpu_start_cycles", &Hardware::vpuStartCycles, 0, 1e6, false},
    {"vpu_fold_cycles", &Hardware::vpuFoldCycles, 0, 1e6, false},
    {"sfu_lanes", &Hardware::sfuLanes, 1, 1e6, true},
    {"dram_pj_per_byte", &Hardware::dramPjPerByte, 0, 1e6, false},
    {"scratchpad_read_pj_per_byte", &Hardware::scratchpadReadPjPerByte, 0, 1e6,
     false},
    {"scratchpad_write_pj_per_byte", &Hardware::scratchpadWritePjPerByte, 0,
     1e6, false},
    {"plane_bit_pj", &Hardware::planeBitPj, 0, 1e6, false},
    {"int8_mac_pj", &Hardware::int8MacPj, 0, 1e6, false},
    {"half_mac_pj", &Hardware::halfMacPj, 0, 1e6, false},
    {"vpu_op_pj", &Hardware::vpuOpPj, 0, 1e6, false},
    {"sfu_op_pj", &Hardware::sfuOpPj, 0, 1e6, false},
    {"static_watts", &Hardware::staticWatts, 0, 1e6, false},
};

std::string text(double number) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%g", number);
  return buffer;
}

/// Empty, or what is wrong with the entry of a number.
std::string readNumber(const json &numbers, const Number &number,
                       Hardware &hardware) {
  std::string key = "\"" + std::string(number.key) + "\"";
  auto entry = numbers.find(number.key);
  if (entry == numbers.end())
    return "expected a number " + key + ", but there is none; add it";
  if (!entry->is_object() || !entry->contains("value") ||
      !(*entry)["value"].is_number())
    return "expected " + key + " to be {\"value\": number, \"source\": text}";
  auto source = entry->find("source");
  if (source == entry->end() || !source->is_string() ||
      source->get<std::string>().empty())
    return "expected a \"source\" for " + key +
           "; say where the number comes from or that it is an assumption";
  double value = (*entry)["value"].get<double>();
  if (!(value >= number.least && value <= number.most) ||
      (number.whole && value != std::floor(value)))
    return "expected " + key + " to be " +
           (number.whole ? "a whole number " : "") + "from " +
           text(number.least) + " to " + text(number.most) + ", but got " +
           text(value);
  hardware.*number.value = value;
  return "";
}

} // namespace

pmpd_status Hardware::parse(const std::string &text, const std::string &origin,
                            Hardware &hardware) {
  auto bad = [&](const std::string &why) {
    return fail(PMPD_BAD_ARGUMENT, origin + ": " + why);
  };
  json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded() || !root.is_object())
    return bad("expected a hardware configuration in JSON; start from a copy "
               "of ref.json");
  auto name = root.find("name");
  if (name == root.end() || !name->is_string() ||
      name->get<std::string>().empty())
    return bad("expected a \"name\"");
  auto entries = root.find("numbers");
  if (entries == root.end() || !entries->is_object())
    return bad("expected an object \"numbers\"");
  for (const Number &number : numbers)
    if (std::string why = readNumber(*entries, number, hardware); !why.empty())
      return bad(why);
  for (auto entry = entries->begin(); entry != entries->end(); ++entry) {
    bool known = false;
    for (const Number &number : numbers)
      known = known || entry.key() == number.key;
    if (!known)
      return bad("\"" + entry.key() + "\" is not a number of the machine");
  }
  hardware.name = name->get<std::string>();
  hardware.text = text;
  return PMPD_OK;
}

pmpd_status Hardware::find(const std::string &nameOrPath, Hardware &hardware) {
  for (const Named &each : named)
    if (nameOrPath == each.name)
      return parse(each.text, nameOrPath, hardware);
  if (nameOrPath.find_first_of("./") == std::string::npos) {
    std::string known;
    for (const std::string &name : names())
      known += name + ", ";
    return fail(PMPD_NOT_FOUND, "expected " + known +
                                    "or the path of a .json file, but got \"" +
                                    nameOrPath + "\"");
  }
  Mapping file;
  if (pmpd_status status = Mapping::ofFile(nameOrPath, file))
    return status;
  return parse(std::string(reinterpret_cast<const char *>(file.data()),
                           file.data() ? file.size() : 0),
               nameOrPath, hardware);
}

std::vector<std::string> Hardware::names() {
  std::vector<std::string> list;
  for (const Named &each : named)
    list.push_back(each.name);
  return list;
}
