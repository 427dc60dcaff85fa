// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/CpuTarget.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

namespace pmpd::emit {
namespace {

template <typename... Args> Error refuse(const char *format, Args... args) {
  return createStringError(inconvertibleErrorCode(), format, args...);
}

/// Features that describe instructions which generated code may contain. Other
/// enabled features only tune, or need intrinsics that kernels do not use.
bool isRequirement(const Triple &triple, StringRef feature) {
  static const char *const x86[] = {
      "sse3",       "ssse3",      "sse4.1",       "sse4.2",
      "popcnt",     "avx",        "avx2",         "fma",
      "f16c",       "bmi",        "bmi2",         "lzcnt",
      "movbe",      "gfni",       "avxvnni",      "avx512f",
      "avx512bw",   "avx512cd",   "avx512dq",     "avx512vl",
      "avx512vnni", "avx512vbmi", "avx512vbmi2",  "avx512ifma",
      "avx512bf16", "avx512fp16", "avx512bitalg", "avx512vpopcntdq",
      "amx-tile",   "amx-int8"};
  static const char *const aarch64[] = {"dotprod", "i8mm", "fullfp16",
                                        "bf16",    "sve",  "lse"};
  return triple.isX86() ? is_contained(x86, feature)
                        : is_contained(aarch64, feature);
}

} // namespace

Expected<CpuTarget> resolveCpu(StringRef arch, StringRef cpu) {
  Triple host(sys::getDefaultTargetTriple());
  Triple triple = host;
  if (arch == "x86-64") {
    if (host.getArch() != Triple::x86_64)
      triple = Triple("x86_64-unknown-linux-gnu");
  } else if (arch == "aarch64") {
    if (host.getArch() != Triple::aarch64)
      triple = Triple("aarch64-unknown-linux-gnu");
  } else {
    return refuse("target '%s': expected x86-64 or aarch64",
                  arch.str().c_str());
  }

  std::string name = triple.isX86() ? "x86-64" : "generic", features;
  if (cpu == "native") {
    if (triple.getArch() != host.getArch())
      return refuse("cpu 'native': this machine is not %s; name a cpu, or use "
                    "--cpu portable",
                    arch.str().c_str());
    name = sys::getHostCPUName().str();
    // What the operating system does not enable must be off, whatever the
    // name of the CPU implies.
    for (const auto &feature : sys::getHostCPUFeatures())
      features += (features.empty() ? "" : ",") +
                  std::string(feature.second ? "+" : "-") +
                  feature.first().str();
  } else if (std::optional<codegen::ISA> isa = codegen::parseISA(cpu)) {
    if (*isa != codegen::ISA::Portable && !triple.isX86())
      return refuse("cpu '%s': not a cpu of %s", cpu.str().c_str(),
                    arch.str().c_str());
    features = codegen::requiredFeatures(*isa).str();
  } else {
    name = cpu.str();
  }

  InitializeAllTargetInfos();
  InitializeAllTargets();
  InitializeAllTargetMCs();
  InitializeAllAsmPrinters();
  InitializeAllAsmParsers();
  std::string message;
  const Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return refuse("target '%s': %s", arch.str().c_str(), message.c_str());
  std::unique_ptr<MCSubtargetInfo> known(
      target->createMCSubtargetInfo(triple, "", ""));
  if (!known->isCPUStringValid(name))
    return refuse("cpu '%s': expected native, portable, avx2, avxvnni, "
                  "avx512vnni, amx or the name of a cpu of %s",
                  cpu.str().c_str(), arch.str().c_str());

  CpuTarget result;
  result.machine.reset(target->createTargetMachine(
      triple, name, features, TargetOptions(), Reloc::PIC_, std::nullopt,
      CodeGenOptLevel::Aggressive));
  std::string enabled;
  for (const SubtargetFeatureKV &feature :
       result.machine->getMCSubtargetInfo()->getEnabledProcessorFeatures()) {
    StringRef key = feature.Key;
    enabled += ",+" + key.str();
    if (isRequirement(triple, key))
      result.features += (result.features.empty() ? "" : ",") + key.str();
  }
  result.kernels = codegen::Target::fromFeatures(triple, enabled);
  return result;
}

} // namespace pmpd::emit
