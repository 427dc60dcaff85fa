// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Library.h"

#include "lib/Pack/AtomicFile.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

namespace pmpd::emit {

static Error refuse(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

Error writeArchive(ArrayRef<char> object, StringRef name,
                   const std::string &path) {
  std::string member = (name + ".o").str();
  NewArchiveMember entry(
      MemoryBufferRef(StringRef(object.data(), object.size()), member));
  auto archive = writeArchiveToBuffer(
      entry, SymtabWritingMode::NormalSymtab, object::Archive::K_GNU,
      /*Deterministic=*/true, /*Thin=*/false, warnToStderr);
  if (!archive)
    return archive.takeError();
  std::string error;
  if (!writeFileAtomically(path, (*archive)->getBufferStart(),
                           (*archive)->getBufferSize(), error))
    return refuse(error);
  return Error::success();
}

Error linkShared(ArrayRef<char> object, StringRef symbol, const Triple &triple,
                 const std::string &path) {
  std::string error;
  std::unique_ptr<AtomicFile> output = AtomicFile::create(path, error);
  if (!output)
    return refuse(error);
  // The linker reads files: the object, and the one symbol to export.
  SmallVector<std::string> inputs;
  auto removeInputs = make_scope_exit([&] {
    for (const std::string &input : inputs)
      sys::fs::remove(input);
  });
  auto addInput = [&](StringRef suffix, StringRef bytes) -> Error {
    SmallString<128> name;
    int descriptor;
    if (std::error_code code = sys::fs::createTemporaryFile(
            "pmpd", suffix, descriptor, name))
      return refuse("cannot create a temporary file: " + code.message());
    inputs.push_back(name.str().str());
    raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
    stream << bytes;
    stream.close();
    if (!stream.has_error())
      return Error::success();
    std::string message = stream.error().message();
    stream.clear_error();
    return refuse(name + ": " + message);
  };
  if (Error failed = addInput("o", StringRef(object.data(), object.size())))
    return failed;
  if (Error failed = addInput(
          "map", ("{ global: " + symbol + "; local: *; };\n").str()))
    return failed;

  SmallVector<std::string> arguments;
  std::string program;
  for (const char *name : {"ld.lld-22", "ld.lld"})
    if (ErrorOr<std::string> found = sys::findProgramByName(name)) {
      program = *found;
      arguments = {program, "-shared"};
      break;
    }
  if (program.empty()) {
    bool native =
        triple.getArch() == Triple(sys::getDefaultTargetTriple()).getArch();
    ErrorOr<std::string> found = sys::findProgramByName("cc");
    if (!native || !found)
      return refuse("expected a linker, but found neither ld.lld-22 nor ld.lld; "
                    "install lld-22, or leave `shared` out of --emit");
    program = *found;
    arguments = {program, "-shared", "-nostdlib"};
  }
  bool compilerDriver = !StringRef(arguments[1]).empty() && arguments.size() > 2;
  std::string script =
      (compilerDriver ? "-Wl,--version-script=" : "--version-script=") +
      inputs[1];
  arguments.insert(arguments.end(),
                   {script, inputs[0], "-o", output->temporaryPath()});
  SmallVector<StringRef> views(arguments.begin(), arguments.end());
  std::string message;
  if (int status = sys::ExecuteAndWait(program, views, std::nullopt, {},
                                       /*SecondsToWait=*/0,
                                       /*MemoryLimit=*/0, &message))
    return refuse(program + " failed with status " + Twine(status) +
                  (message.empty() ? "" : ": ") + message);
  if (!output->commit(error))
    return refuse(error);
  return Error::success();
}

} // namespace pmpd::emit
