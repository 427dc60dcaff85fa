// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/Command.h"

#include <regex>
#include <set>
#include <sstream>

using namespace pmpd::test;

/// Names of the functions that runtime.h declares.
static std::set<std::string> declaredFunctions() {
  std::ifstream stream(PMPD_RUNTIME_HEADER);
  std::string text(std::istreambuf_iterator<char>(stream), {});
  text = std::regex_replace(text, std::regex(R"(/\*[^*]*\*+([^/*][^*]*\*+)*/)"),
                            "");
  std::set<std::string> names;
  const std::regex function(R"(\b(pmpd_\w+)\()");
  for (std::sregex_iterator at(text.begin(), text.end(), function), end;
       at != end; ++at)
    names.insert((*at)[1]);
  return names;
}

TEST(Exports, the_shared_runtime_exports_its_header_and_nothing_else) {
  Command command =
      runCommand(PMPD_NM " -D --defined-only --format=just-symbols " PMPD_RT);
  ASSERT_EQ(command.exitCode, 0) << command.error;
  std::istringstream stream(command.out);
  std::set<std::string> exported;
  for (std::string name; stream >> name;)
    exported.insert(name);
  EXPECT_EQ(exported, declaredFunctions());
  EXPECT_EQ(exported.count("pmpd_generate"), 1u);
}
