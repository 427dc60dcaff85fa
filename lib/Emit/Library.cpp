// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Library.h"

#include "lib/Emit/ExternalTool.h"
#include "lib/Pack/AtomicFile.h"

#include "llvm/Object/ArchiveWriter.h"
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
  TemporaryFiles files;
  Expected<std::string> input =
      files.add("o", StringRef(object.data(), object.size()));
  if (!input)
    return input.takeError();
  Expected<std::string> exports =
      files.add("map", ("{ global: " + symbol + "; local: *; };\n").str());
  if (!exports)
    return exports.takeError();

  SmallVector<std::string> arguments;
  std::string program;
  for (const char *name : {"ld.lld-22", "ld.lld"})
    if (ErrorOr<std::string> found = sys::findProgramByName(name)) {
      program = *found;
      arguments = {"-shared", "--version-script=" + *exports};
      break;
    }
  if (program.empty()) {
    bool native =
        triple.getArch() == Triple(sys::getDefaultTargetTriple()).getArch();
    ErrorOr<std::string> found = sys::findProgramByName("cc");
    if (!native || !found)
      return refuse(
          "expected a linker, but found neither ld.lld-22 nor ld.lld; "
          "install lld-22, or leave `shared` out of --emit");
    program = *found;
    arguments = {"-shared", "-nostdlib", "-Wl,--version-script=" + *exports};
  }
  arguments.insert(arguments.end(), {*input, "-o", output->temporaryPath()});
  if (Error failed = runTool(program, arguments))
    return failed;
  if (!output->commit(error))
    return refuse(error);
  return Error::success();
}

} // namespace pmpd::emit
