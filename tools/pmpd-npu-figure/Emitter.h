// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_NPU_FIGURE_EMITTER_H
#define PMPD_TOOLS_PMPD_NPU_FIGURE_EMITTER_H

#include "tools/pmpd-npu-figure/Shape.h"

#include <string>
#include <vector>

namespace pmpd::tools {

/// Semaphores: each is waited for by one unit.
enum Semaphore : unsigned {
  SlotFree,   // QW
  SlotLoaded, // the unit of the products
  HeadLoaded, // MXU, where the head has other products than the blocks
  Activated,  // the unit of the products
  HeadActive, // MXU
  Multiplied, // VPU
  TileFree,   // QK
  TileLoaded, // MXU
  Queried,    // MXU
  Attended,   // VPU
  KvReady,    // QS
  KvStored,   // QK
  KvFree,     // VPU
  NormLoaded, // VPU
  NormFree,   // QA
  LogitsReady // QS
};

/// "wait=" or "post=" of one semaphore, or of two.
inline std::string wait(Semaphore semaphore) {
  return "wait=" + std::to_string(unsigned{semaphore});
}
inline std::string wait(Semaphore first, Semaphore second) {
  return wait(first) + "," + std::to_string(unsigned{second});
}
inline std::string post(Semaphore semaphore) {
  return "post=" + std::to_string(unsigned{semaphore});
}
inline std::string post(Semaphore first, Semaphore second) {
  return post(first) + "," + std::to_string(unsigned{second});
}

/// Registers of the programs, behind those the host sets.
enum Register : unsigned {
  Layer = 10, // byte offset of the layer's weights
  Plane,      // of the next tile's planes
  Meta,       // of the next tile's metadata
  Slot,       // offset of the next slot in the ring
  Out,        // of the next outputs
  LayerKv,    // byte offset of the layer's KV cache
  HeadKv,     // of the head's
  Tiles,      // KV tiles that hold tokens
  TileKv,     // byte offset of the next tile
  Visible,    // tokens of it that the first row sees
  TileBytes,  // of its keys that are read
  Token,      // byte offset of the first new token from its head's cache
  TokenScale, // the same of its scale
  TileSlot,   // offset of the next KV slot
  None,       // -65536: an attention that sees nothing
  Head,       // byte offset of a head's weights
  HeadMeta,   // of their metadata
  HeadOut,    // of a head's columns
  Row,        // counters of row loops
  RowCode,
  RowScale,
  Scratch
};

/// A local address: a register, unless it is 0, and an offset.
struct Local {
  uint64_t offset;
  unsigned reg = 0;
  Local operator+(uint64_t more) const { return {offset + more, reg}; }
  std::string text() const;
};

/// Writes instructions in the assembler's text.
class Emitter {
public:
  /// Appends a line; `format` is that of printf.
  void line(const char *format, ...) __attribute__((format(printf, 2, 3)));

  void set(unsigned rd, int64_t value) { salu("mov", rd, 0, 0, value); }
  void add(unsigned rd, unsigned ra, int64_t value) {
    salu("add", rd, ra, 0, value);
  }
  void salu(const char *fn, unsigned rd, unsigned ra, unsigned rb, int64_t imm);

  void beginLoop(uint64_t count);
  void beginLoopOf(unsigned reg);
  void endLoop();

  /// Lets a unit wait for a token, or tell that it has got here.
  void gate(const char *unit, const std::string &tokens) {
    line("nop mode=%s %s", unit, tokens.c_str());
  }

  void postAtStart(Semaphore semaphore, unsigned times = 1);

  const std::vector<std::string> &lines() const { return text; }

private:
  std::vector<std::string> text;
  std::vector<size_t> open; // lines of the open loops
};

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_NPU_FIGURE_EMITTER_H
