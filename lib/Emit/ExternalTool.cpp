// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/ExternalTool.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

using namespace llvm;

namespace pmpd::emit {

static Error refuse(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

TemporaryFiles::~TemporaryFiles() {
  for (const std::string &path : paths)
    sys::fs::remove(path);
}

Expected<std::string> TemporaryFiles::add(StringRef suffix,
                                          StringRef contents) {
  SmallString<128> name;
  int descriptor;
  if (std::error_code code =
          sys::fs::createTemporaryFile("pmpd", suffix, descriptor, name))
    return refuse("cannot create a temporary file: " + code.message());
  paths.push_back(name.str().str());
  raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
  stream << contents;
  stream.close();
  if (!stream.has_error())
    return paths.back();
  std::string message = stream.error().message();
  stream.clear_error();
  return refuse(name + ": " + message);
}

Error runTool(const std::string &program, ArrayRef<std::string> arguments) {
  TemporaryFiles files;
  Expected<std::string> output = files.add("txt", "");
  if (!output)
    return output.takeError();
  SmallVector<StringRef> views = {program};
  views.append(arguments.begin(), arguments.end());
  std::string message;
  int status = sys::ExecuteAndWait(
      program, views, /*Env=*/std::nullopt,
      /*Redirects=*/{std::nullopt, StringRef(*output), StringRef(*output)},
      /*SecondsToWait=*/0, /*MemoryLimit=*/0, &message);
  if (status == 0)
    return Error::success();
  // What the system says, then what the tool wrote.
  SmallVector<StringRef> parts = {message};
  auto written = MemoryBuffer::getFile(*output);
  if (written)
    parts.push_back((*written)->getBuffer().trim());
  erase_if(parts, [](StringRef part) { return part.empty(); });
  return refuse(program + " failed with status " + Twine(status) +
                (parts.empty() ? "" : ": ") + join(parts, "; "));
}

} // namespace pmpd::emit
