// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-compile/Diagnostics.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace {

StringRef severityOf(const Diagnostic &diagnostic) {
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Remark:
    return "remark";
  }
  llvm_unreachable("every severity is listed");
}

void writePlace(llvm::raw_ostream &os, Location loc) {
  if (isa<UnknownLoc>(loc))
    return;
  if (auto file = dyn_cast<FileLineColLoc>(loc)) {
    os << file.getFilename().getValue() << ": ";
    if (file.getLine()) // a node of a graph is on no line
      os << file.getLine() << ":" << file.getColumn() << ": ";
  } else if (auto name = dyn_cast<NameLoc>(loc)) {
    writePlace(os, name.getChildLoc());
    os << name.getName().getValue() << ": ";
  } else {
    os << loc << ": ";
  }
}

void write(llvm::raw_ostream &os, const Diagnostic &diagnostic) {
  writePlace(os, diagnostic.getLocation());
  os << severityOf(diagnostic) << ": " << diagnostic << "\n";
  for (const Diagnostic &note : diagnostic.getNotes())
    write(os, note);
}

} // namespace

Diagnostics::Diagnostics(MLIRContext &context, std::function<void()> prepare)
    : handler(&context, [prepare](Diagnostic &diagnostic) {
        prepare();
        write(llvm::errs(), diagnostic);
      }) {
  // It can be a whole model.
  context.printOpOnDiagnostic(false);
}
