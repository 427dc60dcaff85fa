// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-run/TextStream.h"

#include <algorithm>

using namespace pmpd::tools;

size_t pmpd::tools::completeUtf8(std::string_view text) {
  // Only the last three bytes can begin a character that is cut off.
  size_t most = std::min<size_t>(text.size(), 3);
  for (size_t back = 1; back <= most; ++back) {
    auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80)
      break;
    if (byte < 0xC0)
      continue; // a continuation: its lead byte is further back
    size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    return length > back ? text.size() - back : text.size();
  }
  return text.size();
}

void TextStream::put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
}

void TextStream::mark(int32_t bits) {
  if (marks == BitMarks::None || bits == shownBits)
    return;
  shownBits = bits;
  if (marks == BitMarks::Segments) {
    put("[" + std::to_string(bits) + "]");
    return;
  }
  // The fewer bits, the warmer.
  put(bits == 2   ? "\033[31m"
      : bits == 3 ? "\033[33m"
      : bits == 4 ? "\033[32m"
                  : "\033[36m");
}

bool TextStream::write(std::string_view bytes, int32_t bits) {
  pending += bytes;
  size_t complete = completeUtf8(pending);
  if (complete > 0) {
    mark(bits);
    put({pending.data(), complete});
    lineOpen = pending[complete - 1] != '\n';
    pending.erase(0, complete);
  }
  return std::fflush(file) == 0 && !std::ferror(file);
}

bool TextStream::finish() {
  put(pending);
  lineOpen |= !pending.empty();
  pending.clear();
  if (marks == BitMarks::Colors)
    put("\033[0m");
  if (lineOpen)
    put("\n");
  return std::fflush(file) == 0 && !std::ferror(file);
}
