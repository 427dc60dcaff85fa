// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/support/CommandLine.h"
#include "tools/support/Version.h"

#include "pmpd/runtime.h"

#include <charconv>
#include <iostream>

using namespace pmpd;

std::string tools::versionText(const std::string &tool) {
  return tool + " " + PMPD_VERSION + ", model ABI " +
         std::to_string(PMPD_ABI_VERSION);
}

int tools::runTool(CLI::App &app, int argc, char **argv,
                   const std::function<int()> &body) {
  const std::string name = app.get_name();
  app.set_version_flag("--version", versionText(name));
  int code = 1;
  try {
    app.parse(argc, argv);
    code = body();
  } catch (const CLI::Success &asked) {
    code = app.exit(asked); // --help or --version
  } catch (const CLI::ParseError &error) {
    std::cerr << name << ": " << error.what() << "; see " << name
              << " --help\n";
    return 2;
  } catch (const std::exception &error) {
    std::cerr << name << ": " << error.what() << "\n";
    return 1;
  }
  if (std::cout.flush())
    return code;
  std::cerr << name << ": cannot write to standard output\n";
  return 1;
}

CLI::Validator tools::wholeNumber(int64_t least, int64_t most) {
  return CLI::Validator(
      [=](const std::string &text) -> std::string {
        int64_t value = 0;
        const char *last = text.data() + text.size();
        auto [end, error] = std::from_chars(text.data(), last, value);
        bool number = !text.empty() && end == last;
        bool tooLarge = error == std::errc::result_out_of_range;
        if (number && !tooLarge && value >= least && value <= most)
          return "";
        bool above = number && text[0] != '-' && (tooLarge || value > most);
        return "expected a number of at " +
               (above ? "most " + std::to_string(most)
                      : "least " + std::to_string(least)) +
               ", but got " + text;
      },
      "");
}
