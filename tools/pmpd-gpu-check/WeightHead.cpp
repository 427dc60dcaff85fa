// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/WeightHead.h"

#include "pmpd/artifact.h"
#include "tools/pmpd-gpu-check/NestedWeight.h"
#include "tools/support/Tool.h"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace pmpd::tools;

namespace {

constexpr uint64_t kPieceBytes = 1 << 20; // a multiple of all elements

enum class Contents { Codes, Halves, Floats };

/// Bytes of a weight file that are filled at once.
struct Piece {
  uint64_t offset, bytes;
  Contents contents;
};

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

void addPieces(uint64_t offset, uint64_t bytes, Contents contents,
               std::vector<Piece> &pieces) {
  for (uint64_t at = 0; at < bytes; at += kPieceBytes)
    pieces.push_back(
        {offset + at, std::min(kPieceBytes, bytes - at), contents});
}

void addSection(const pmpd_section &section, std::vector<Piece> &pieces) {
  uint64_t codes = 0;
  if (section.element == PMPD_NESTED)
    codes = pmpd_gpu_params_offset(section.rows, section.cols, section.group,
                                   section.bits, 0);
  addPieces(section.offset, codes, Contents::Codes, pieces);
  addPieces(section.offset + codes, section.bytes - codes,
            section.element == PMPD_F32 ? Contents::Floats : Contents::Halves,
            pieces);
}

/// Numbers from 0.5 to 1.
void fillRandomFloats(uint8_t *to, uint64_t bytes, uint64_t seed) {
  fillRandom(to, bytes, seed);
  for (uint64_t at = 0; at + 4 <= bytes; at += 4) {
    uint32_t word;
    std::memcpy(&word, to + at, 4);
    word = (word & 0x007FFFFF) | 0x3F000000;
    std::memcpy(to + at, &word, 4);
  }
}

void fill(const Piece &piece, uint8_t *to) {
  const uint64_t seed = piece.offset; // no two alike
  switch (piece.contents) {
  case Contents::Codes:
    return fillRandom(to, piece.bytes, seed);
  case Contents::Halves:
    return fillRandomHalves(to, piece.bytes, seed);
  case Contents::Floats:
    return fillRandomFloats(to, piece.bytes, seed);
  }
}

/// Fills and writes all pieces of a file that is there, by all CPUs. Returns
/// whether all could be written.
bool writePieces(const std::vector<Piece> &pieces, const std::string &path) {
  std::atomic<size_t> next = 0;
  std::atomic<bool> written = true;
  auto work = [&] {
    std::vector<uint8_t> bytes(kPieceBytes);
    std::fstream out(path, std::ios::binary | std::ios::in | std::ios::out);
    for (size_t i; written && (i = next++) < pieces.size();) {
      fill(pieces[i], bytes.data());
      out.seekp(std::streamoff(pieces[i].offset));
      out.write(reinterpret_cast<const char *>(bytes.data()),
                std::streamsize(pieces[i].bytes));
    }
    if (!out.flush())
      written = false;
  };
  std::vector<std::thread> others(
      std::max(1u, std::thread::hardware_concurrency()) - 1);
  for (std::thread &other : others)
    other = std::thread(work);
  work();
  for (std::thread &other : others)
    other.join();
  return written;
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
  std::vector<Piece> pieces;
  for (uint32_t i = 0; i < header.sections; ++i) {
    pmpd_section section;
    std::memcpy(&section, table.data() + i * sizeof(section), sizeof(section));
    if (section.element == PMPD_NESTED && section.layout != PMPD_LAYOUT_GPU)
      throw ToolError(head + ": expected weights in layout gpu");
    addSection(section, pieces);
  }
  const std::string unfinished = weights + ".tmp";
  std::ofstream out(unfinished, std::ios::binary);
  out.write(bytes.data(), sizeof(header));
  out.seekp(std::streamoff(header.table_offset));
  out.write(table.data(), std::streamsize(table.size()));
  out.close();
  if (!out || !writePieces(pieces, unfinished)) {
    std::remove(unfinished.c_str());
    throw ToolError(weights + ": cannot be written; is the disk full?");
  }
  // Not made durable: it is read now or made again.
  std::filesystem::rename(unfinished, weights);
}
