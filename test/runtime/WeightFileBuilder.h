// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_RUNTIME_WEIGHTFILEBUILDER_H
#define PMPD_TEST_RUNTIME_WEIGHTFILEBUILDER_H

#include "pmpd/artifact.h"

#include <string>
#include <vector>

namespace pmpd::test {

/// Builds the bytes of a weight file, sound unless the test edits its parts.
class WeightFileBuilder {
public:
  /// Adds a section; offset, bytes, name and digest are filled in.
  void add(const std::string &name, pmpd_section section,
           const std::vector<uint8_t> &payload);

  /// A dense f32 tensor of [rows, cols].
  void addDense(const std::string &name, uint32_t rows, uint32_t cols,
                const std::vector<float> &values);

  /// A nested tensor in layout S whose lines are filled with a pattern.
  void addNested(const std::string &name, uint32_t rows, uint32_t cols,
                 uint32_t group);

  /// The parts, for tests that break one of them before build().
  std::vector<pmpd_section> sections;
  std::string names;

  /// Assembles the file with the right digest of the table as it stands.
  std::vector<uint8_t> build() const;

private:
  std::vector<uint8_t> payloads; // file bytes from offset 0, header included
};

/// The header of a built file, for reading and for writing back.
pmpd_weights_header readHeader(const std::vector<uint8_t> &file);
void writeHeader(std::vector<uint8_t> &file, const pmpd_weights_header &header);

} // namespace pmpd::test

#endif // PMPD_TEST_RUNTIME_WEIGHTFILEBUILDER_H
