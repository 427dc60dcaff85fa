// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_LIB_TEMPORARYFOLDER_H
#define PMPD_TEST_LIB_TEMPORARYFOLDER_H

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace pmpd::test {

/// A fixture with an empty folder that is removed after each test.
class TemporaryFolder : public ::testing::Test {
protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "pmpd-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string pathOf(const std::string &name) const { return folder / name; }

  std::string write(const std::string &name, const std::string &contents) {
    std::ofstream(pathOf(name), std::ios::binary) << contents;
    return pathOf(name);
  }

  std::string read(const std::string &name) const {
    std::ostringstream contents;
    contents << std::ifstream(pathOf(name), std::ios::binary).rdbuf();
    return contents.str();
  }

  /// Number of files in the folder.
  int64_t count() const {
    return std::distance(std::filesystem::directory_iterator(folder), {});
  }

  std::filesystem::path folder;
};

} // namespace pmpd::test

#endif // PMPD_TEST_LIB_TEMPORARYFOLDER_H
