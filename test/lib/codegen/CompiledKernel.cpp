// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/lib/codegen/CompiledKernel.h"

#include "lib/Quant/Half.h"
#include "runtime/CpuFeatures.h"

#include "llvm/TargetParser/Host.h"

#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;

namespace pmpd::test {
namespace {

uint64_t pageBytes() { return sysconf(_SC_PAGESIZE); }

} // namespace

emit::KernelCode generate(StringRef arch, StringRef cpu,
                          llvm::CodeGenFileType type, MakeKernel make) {
  llvm::ExitOnError check("kernel: ");
  emit::CpuTarget target = check(emit::resolveCpu(arch, cpu));
  return check(emit::generateKernel(target, type, make));
}

static emit::LoadedKernel load(codegen::ISA isa, MakeKernel make) {
  llvm::ExitOnError check("kernel: ");
  llvm::Triple host(llvm::sys::getProcessTriple());
  emit::CpuTarget target = check(emit::resolveCpu(
      host.isAArch64() ? "aarch64" : "x86-64", codegen::stringifyISA(isa)));
  return check(
      emit::LoadedKernel::create(target, [&](codegen::CpuKernels &library) {
        codegen::Kernel kernel = make(library);
        EXPECT_EQ(make(library).func, kernel.func)
            << "an equal kernel is reused";
        return kernel;
      }));
}

static simt::LoadedGpuKernel load(CompiledKernel::MakeAnyKernel make) {
  llvm::ExitOnError check("kernel: ");
  return check(simt::LoadedGpuKernel::create([&](codegen::GpuKernels &library) {
    codegen::Kernel kernel = make(library);
    EXPECT_EQ(make(library).func, kernel.func) << "an equal kernel is reused";
    return kernel;
  }));
}

CompiledKernel::CompiledKernel(codegen::ISA isa, MakeKernel make)
    : kernel(load(isa, make)) {}

static std::variant<emit::LoadedKernel, simt::LoadedGpuKernel>
load(const Machine &machine, CompiledKernel::MakeAnyKernel make) {
  if (machine.isa)
    return load(*machine.isa, MakeKernel(make));
  return load(make);
}

CompiledKernel::CompiledKernel(const Machine &machine, MakeAnyKernel make)
    : kernel(load(machine, make)) {}

void CompiledKernel::run(const std::vector<void *> &pointers, int64_t rows,
                         int64_t position) const {
  if (auto *onHost = std::get_if<emit::LoadedKernel>(&kernel))
    return onHost->run(pointers, rows, position, 0, onHost->tasks(rows));
  EXPECT_EQ(
      std::get<simt::LoadedGpuKernel>(kernel).run(pointers, rows, position),
      "");
}

void CompiledKernel::runInPieces(const std::vector<void *> &pointers,
                                 int64_t rows, int64_t position,
                                 std::mt19937 &random) const {
  if (auto *onGpu = std::get_if<simt::LoadedGpuKernel>(&kernel)) {
    EXPECT_EQ(onGpu->run(pointers, rows, position, simt::Order::Descending),
              "");
    return;
  }
  auto &onHost = std::get<emit::LoadedKernel>(kernel);
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (int64_t begin = 0, end; begin < onHost.tasks(rows); begin = end) {
    end = std::min<int64_t>(begin + 1 + random() % 3, onHost.tasks(rows));
    ranges.push_back({begin, end});
  }
  std::shuffle(ranges.begin(), ranges.end(), random);
  for (auto [begin, end] : ranges)
    onHost.run(pointers, rows, position, begin, end);
}

GuardedBytes::GuardedBytes(size_t bytes) : bytes(bytes) {
  size_t usable = llvm::alignTo(bytes, pageBytes());
  mapped = usable + pageBytes();
  void *memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    llvm::report_fatal_error("no memory");
  mapping = static_cast<uint8_t *>(memory);
  mprotect(mapping + usable, pageBytes(), PROT_NONE);
  begin = mapping + usable - bytes;
}

GuardedBytes::~GuardedBytes() {
  if (mapping)
    munmap(mapping, mapped);
}

std::vector<float> randomFloats(size_t count, std::mt19937 &random,
                                float range) {
  std::uniform_real_distribution<float> uniform(-range, range);
  std::vector<float> values(count);
  for (float &value : values)
    value = uniform(random);
  return values;
}

std::vector<uint16_t> toHalves(const std::vector<float> &values) {
  std::vector<uint16_t> halves;
  for (float value : values)
    halves.push_back(floatToHalf(value));
  return halves;
}

std::vector<float> throughHalves(const std::vector<float> &values) {
  std::vector<float> result;
  for (float value : values)
    result.push_back(halfToFloat(floatToHalf(value)));
  return result;
}

void requireISA(codegen::ISA isa) {
  llvm::SmallVector<llvm::StringRef> needed;
  codegen::requiredFeatures(isa).split(needed, ',', -1, false);
  for (llvm::StringRef feature : needed)
    if (!rt::missingCpuFeatures(feature.drop_front()).empty())
      GTEST_SKIP() << "this CPU lacks " << feature.drop_front().str();
}

} // namespace pmpd::test
