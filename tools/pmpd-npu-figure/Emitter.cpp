// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-npu-figure/Emitter.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>

using namespace pmpd::tools;

std::string Local::text() const {
  return (reg ? "r" + std::to_string(reg) + "+" : std::string()) +
         std::to_string(offset);
}

void Emitter::line(const char *format, ...) {
  char buffer[512];
  va_list values;
  va_start(values, format);
  std::vsnprintf(buffer, sizeof(buffer), format, values);
  va_end(values);
  text.push_back(buffer);
}

void Emitter::salu(const char *fn, unsigned rd, unsigned ra, unsigned rb,
                   int64_t imm) {
  line("salu.%s rd=r%u ra=r%u rb=r%u imm=%" PRId64, fn, rd, ra, rb, imm);
}

void Emitter::beginLoop(uint64_t count) {
  line("loop level=%zu count=%" PRIu64, open.size(), count);
  open.push_back(text.size() - 1);
}

void Emitter::beginLoopOf(unsigned reg) {
  line("loop level=%zu creg=r%u", open.size(), reg);
  open.push_back(text.size() - 1);
}

void Emitter::endLoop() {
  size_t begin = open.back();
  open.pop_back();
  text[begin] += " body=" + std::to_string(text.size() - begin - 1);
  line("endl level=%zu", open.size());
}

void Emitter::postAtStart(Semaphore semaphore, unsigned times) {
  for (unsigned i = 0; i < times; ++i)
    line("nop post=%u", unsigned{semaphore});
}
