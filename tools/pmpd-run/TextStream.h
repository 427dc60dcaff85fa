// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TOOLS_PMPD_RUN_TEXTSTREAM_H
#define PMPD_TOOLS_PMPD_RUN_TEXTSTREAM_H

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace pmpd::tools {

/// How the bits of a token are shown in a stream of text.
enum class BitMarks {
  None,
  Segments, // [4] where the bits change
  Colors    // ANSI colours, for a terminal
};

/// Writes tokens as they come. Bytes of a character that is not yet complete
/// are held back, so that a terminal never sees half of one.
class TextStream {
public:
  TextStream(std::FILE *file, BitMarks marks) : file(file), marks(marks) {}

  /// Returns false once the file cannot be written.
  bool write(std::string_view bytes, int32_t bits);

  /// Writes what was held back, ends the colours and the line.
  bool finish();

private:
  void put(std::string_view text);
  void mark(int32_t bits);

  std::FILE *file;
  BitMarks marks;
  std::string pending;
  int32_t shownBits = 0;
  bool lineOpen = false;
};

/// Length of the part of `text` that does not end inside a UTF-8 character.
size_t completeUtf8(std::string_view text);

} // namespace pmpd::tools

#endif // PMPD_TOOLS_PMPD_RUN_TEXTSTREAM_H
