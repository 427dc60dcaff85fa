// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/Decode.h"

#include "pmpd/artifact.h"
#include "tools/pmpd-gpu-check/NestedWeight.h"

#include <cmath>
#include <cstring>
#include <fstream>

using namespace pmpd::tools;

bool pmpd::tools::measureDecode(const DecodeOptions &options,
                                TableWriter &table) {
  ModelArgs args = options.model;
  args.anyContents = true;
  OpenModel model(args);
  SessionPtr session = model.createSession();
  const int32_t vocab = model.desc().vocab;
  std::vector<int32_t> tokens(options.prompt + options.tokens);
  for (size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = int32_t(i * 7919 % vocab);
  std::vector<float> logits(vocab);
  auto seconds = [&] {
    pmpd_stats stats;
    pmpd_session_stats(session.get(), &stats);
    return stats.decode_seconds;
  };
  bool allFinite = true;
  for (const std::string &schedule : options.schedules) {
    setSchedule(session.get(), schedule);
    Samples times;
    pmpd_stats stats;
    for (bool warm : {false, true}) {
      pmpd_session_reset(session.get());
      check(pmpd_prefill(session.get(), tokens.data(), options.prompt, 1,
                         logits.data()));
      for (int64_t i = options.prompt; i < int64_t(tokens.size()); ++i) {
        double before = seconds();
        check(pmpd_decode(session.get(), tokens[i], logits.data(), nullptr));
        if (warm)
          times.add(1e6 * (seconds() - before));
      }
      pmpd_session_stats(session.get(), &stats);
    }
    double gbps = stats.decode_bytes / stats.decode_seconds / 1e9;
    ReportRow row = {"token", model.desc().name,
                     options.prompt + options.tokens, schedule, times};
    row.gbps = gbps;
    if (options.readGbps > 0)
      row.readShare = gbps / options.readGbps;
    bool finite = std::all_of(logits.begin(), logits.end(),
                              [](float x) { return std::isfinite(x); });
    row.result = finite ? "finite" : "not finite";
    allFinite &= finite;
    addTo(table, row);
  }
  return allFinite;
}

namespace {

ToolError cannotUse(const std::string &path) {
  return ToolError(path + ": expected a weight file or the head of one");
}

pmpd_weights_header headerOf(const std::string &bytes,
                             const std::string &path) {
  pmpd_weights_header header;
  if (bytes.size() < sizeof(header))
    throw cannotUse(path);
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (std::memcmp(header.magic, PMPD_WEIGHTS_MAGIC, sizeof(header.magic)) ||
      header.version != PMPD_WEIGHTS_VERSION)
    throw cannotUse(path);
  return header;
}

/// Numbers of magnitudes around 2^-1 to 2^-10.
std::string contents(const pmpd_section &section, uint64_t seed) {
  std::string bytes(section.bytes, 0);
  uint64_t codes = 0;
  if (section.element == PMPD_NESTED)
    codes = pmpd_gpu_params_offset(section.rows, section.cols, section.group,
                                   section.bits, 0);
  if (section.element != PMPD_F32) {
    fillRandom(bytes.data(), codes, seed);
    fillRandomHalves(bytes.data() + codes, bytes.size() - codes, seed + 1);
    return bytes;
  }
  fillRandom(bytes.data(), bytes.size(), seed);
  for (uint64_t at = 0; at + 4 <= bytes.size(); at += 4) {
    uint32_t word;
    std::memcpy(&word, bytes.data() + at, 4);
    word = (word & 0x007FFFFF) | 0x3F000000; // 0.5 .. 1
    std::memcpy(bytes.data() + at, &word, 4);
  }
  return bytes;
}

} // namespace

void pmpd::tools::writeHead(const std::string &weights,
                            const std::string &head) {
  std::ifstream in(weights, std::ios::binary);
  std::string start(sizeof(pmpd_weights_header), 0);
  in.read(start.data(), std::streamsize(start.size()));
  if (!in)
    throw cannotUse(weights);
  pmpd_weights_header header = headerOf(start, weights);
  std::string table(header.file_bytes - header.table_offset, 0);
  in.seekg(std::streamoff(header.table_offset));
  in.read(table.data(), std::streamsize(table.size()));
  if (!in)
    throw cannotUse(weights);
  writeText(head, start + table);
}

void pmpd::tools::fillWeights(const std::string &head,
                              const std::string &weights) {
  std::string bytes = readText(head);
  pmpd_weights_header header = headerOf(bytes, head);
  const std::string table = bytes.substr(sizeof(header));
  if (table.size() != header.file_bytes - header.table_offset ||
      table.size() < header.sections * sizeof(pmpd_section))
    throw cannotUse(head);
  std::ofstream out(weights, std::ios::binary);
  out.write(bytes.data(), sizeof(header));
  for (uint32_t i = 0; i < header.sections; ++i) {
    pmpd_section section;
    std::memcpy(&section, table.data() + i * sizeof(section), sizeof(section));
    if (section.element == PMPD_NESTED && section.layout != PMPD_LAYOUT_GPU)
      throw ToolError(head + ": expected weights in layout gpu");
    std::string data = contents(section, i);
    out.seekp(std::streamoff(section.offset));
    out.write(data.data(), std::streamsize(data.size()));
  }
  out.seekp(std::streamoff(header.table_offset));
  out.write(table.data(), std::streamsize(table.size()));
  if (!out.flush())
    throw ToolError(weights + ": cannot write");
}
