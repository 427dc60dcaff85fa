// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// pmpd-simt IN.mlir -o OUT.so: compiles the kernels of a GPU for this machine,
// to be run by the executor. IN has one gpu.module in the NVVM and LLVM
// dialects; what is beside it, such as the model, does not matter.
#include "dialects/PMPD/PMPD.h"
#include "test/simt/HostModule.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace llvm;

static cl::opt<std::string> input(cl::Positional, cl::Required,
                                  cl::desc("IN.mlir"));
static cl::opt<std::string> output("o", cl::Required, cl::desc("OUT.so"));

static Error link(ArrayRef<char> object) {
  SmallString<128> objectPath;
  int descriptor;
  if (std::error_code code = sys::fs::createTemporaryFile(
          "pmpd-simt", "o", descriptor, objectPath))
    return createStringError("cannot create a temporary file: " +
                             code.message());
  ToolOutputFile temporary(objectPath, descriptor); // removed at the end
  temporary.os().write(object.data(), object.size());
  temporary.os().close();
  // The executor comes with the kernels, whoever loads them.
  SmallString<128> folder(PMPD_SIMT_LIBRARY);
  sys::path::remove_filename(folder);
  std::string rpath = ("-Wl,-rpath," + folder).str();
  // A kernel may be called as a function of the process is.
  StringRef arguments[] = {PMPD_CXX,
                           "-shared",
                           "-Wl,-Bsymbolic",
                           objectPath,
                           PMPD_SIMT_LIBRARY,
                           rpath,
                           "-o",
                           output};
  std::string message;
  if (int status = sys::ExecuteAndWait(PMPD_CXX, arguments, std::nullopt, {}, 0,
                                       0, &message))
    return createStringError(Twine(PMPD_CXX) + " failed with status " +
                             Twine(status) + " " + message);
  return Error::success();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv);
  ExitOnError check("pmpd-simt: ");
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registry.insert<pmpd::PMPDDialect>();
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(input, &context);
  if (!module)
    return 1;
  auto kernels = module->getOps<mlir::gpu::GPUModuleOp>();
  if (!hasSingleElement(kernels))
    check(createStringError("expected one gpu.module in " + input));
  check(link(check(pmpd::simt::compileForHost(*kernels.begin()))));
  return 0;
}
