// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-bench/Linear.h"
#include "lib/Codegen/RowFormat.h"
#include "lib/Emit/LoadedKernel.h"
#include "lib/Quant/Half.h"
#include "runtime/CpuFeatures.h"
#include "tools/pmpd-bench/Limits.h"
#include "tools/support/Samples.h"
#include "tools/support/Tool.h"

#include "llvm/TargetParser/Host.h"

#include <cstring>
#include <random>

using namespace pmpd;
using namespace pmpd::tools;

namespace {

template <typename T> T take(llvm::Expected<T> value) {
  if (!value)
    throw ToolError(llvm::toString(value.takeError()));
  return std::move(*value);
}

/// What all cases of a run share.
struct Setting {
  explicit Setting(const LinearBench &bench);
  emit::CpuTarget target;
  codegen::Activations activations;
  RandomBytes memory;

  /// Of quantized rows.
  unsigned activationBits() const {
    return activations == codegen::Activations::Q8 ? 8 : 16;
  }
};

codegen::Activations parseActivations(const std::string &name) {
  if (name == "q8")
    return codegen::Activations::Q8;
  return name == "q16" ? codegen::Activations::Q16 : codegen::Activations::F32;
}

emit::CpuTarget hostTarget(const std::string &cpu) {
  llvm::Triple host(llvm::sys::getProcessTriple());
  emit::CpuTarget target =
      take(emit::resolveCpu(host.isAArch64() ? "aarch64" : "x86-64", cpu));
  for (const std::string &feature : rt::missingCpuFeatures(target.features))
    throw ToolError("--cpu " + cpu + ": needs " + feature +
                    ", which this CPU lacks; use --cpu native");
  return target;
}

constexpr int kParentBits = PMPD_MAX_BITS;
constexpr int kPrefixes = PMPD_MAX_BITS - PMPD_MIN_BITS + 1;

size_t tensorBytes(int64_t rows, int64_t cols, int64_t group) {
  return pmpd_round_up(
      pmpd_s_tensor_bytes(rows, cols, group, kParentBits, kPrefixes), 4096);
}

/// Of the widest shape there must be enough copies that at 2 bits, half of
/// their bytes, no line is still in a cache when its turn comes again.
size_t memoryBytes(const LinearBench &bench) {
  size_t most = 0;
  for (auto [rows, cols] : bench.shapes)
    most = std::max(most, tensorBytes(rows, cols, bench.group));
  return 2 * coldBytes() + 2 * most;
}

Setting::Setting(const LinearBench &bench)
    : target(hostTarget(bench.cpu)),
      activations(parseActivations(bench.activations)),
      memory(memoryBytes(bench), /*seed=*/1) {}

/// Copies of one weight, with activations.
class Weights {
public:
  Weights(const Setting &setting, int64_t rows, int64_t cols, int64_t group,
          int64_t batch);

  int64_t count() const { return copies; }
  uint8_t *weight(int64_t copy) const { return base + copy * stride; }
  void *input() { return inputs.data(); }
  void *output() { return results.data(); }

private:
  uint8_t *base;
  size_t stride;
  int64_t copies;
  RandomBytes inputs;  // f32 [batch, cols] or quantized rows
  RandomBytes results; // f32 [batch, rows]
};

size_t inputBytes(const Setting &setting, int64_t cols, int64_t group) {
  if (setting.activations == codegen::Activations::F32)
    return cols * sizeof(float);
  return codegen::bytesPerQuantizedRow(cols, setting.activationBits(), group);
}

Weights::Weights(const Setting &setting, int64_t rows, int64_t cols,
                 int64_t group, int64_t batch)
    : base(setting.memory.data()), stride(tensorBytes(rows, cols, group)),
      copies(setting.memory.size() / stride),
      inputs(batch * inputBytes(setting, cols, group), /*seed=*/2),
      results(batch * rows * sizeof(float), /*seed=*/3) {
  // Any bytes are codes, but parameters are numbers.
  size_t params = pmpd_s_params_offset(rows, cols, group, kParentBits, 0);
  std::minstd_rand random(7);
  std::uniform_real_distribution<float> uniform(0.001f, 0.1f);
  std::vector<uint16_t> halves(4096);
  for (uint16_t &half : halves)
    half = floatToHalf(uniform(random));
  for (int64_t copy = 0; copy < copies; ++copy) {
    auto *begin = reinterpret_cast<uint16_t *>(weight(copy) + params);
    auto *end = reinterpret_cast<uint16_t *>(weight(copy) + stride);
    for (size_t i = 0; begin + i < end; ++i)
      begin[i] = halves[i % halves.size()];
  }
  std::vector<float> rowsIn(batch * cols);
  std::normal_distribution<float> normal;
  for (float &value : rowsIn)
    value = normal(random);
  if (setting.activations == codegen::Activations::F32) {
    std::memcpy(inputs.data(), rowsIn.data(), rowsIn.size() * sizeof(float));
    return;
  }
  auto quantize = take(emit::LoadedKernel::create(
      setting.target, [&](codegen::CpuKernels &library) {
        return library.quantizeRows(cols, setting.activationBits(), group);
      }));
  quantize.run({rowsIn.data(), inputs.data()}, batch, 0, 0,
               quantize.tasks(batch));
}

/// A linear kernel as the thread pool calls it.
struct Call {
  const emit::LoadedKernel *kernel;
  static void run(const pmpd_kernel_args *args, int64_t begin, int64_t end) {
    static_cast<const Call *>(args->ptr[3])
        ->kernel->run({args->ptr[0], args->ptr[1], args->ptr[2]}, args->rows, 0,
                      begin, end);
  }
};

struct Case {
  int64_t rows, cols, batch;
  int bits, threads;

  /// Of the weight, its parameters included.
  double bytesRead(int64_t group) const {
    return double(pmpd_round_up(rows, PMPD_PANEL_ROWS)) * cols *
           (bits / 8.0 + 4.0 / group);
  }
};

/// Seconds of one pass over all copies of the weights.
double timePass(rt::ThreadPool &pool, const emit::LoadedKernel &kernel,
                Weights &weights, int64_t batch) {
  Call call{&kernel};
  pmpd_kernel_args args = {};
  args.ptr[1] = weights.input();
  args.ptr[2] = weights.output();
  args.ptr[3] = &call;
  args.rows = batch;
  return secondsOf([&] {
    for (int64_t copy = 0; copy < weights.count(); ++copy) {
      args.ptr[0] = weights.weight(copy);
      pool.run(Call::run, &args, kernel.tasks(batch));
    }
  });
}

using Measure = llvm::function_ref<void(
    const Case &, const emit::LoadedKernel &, Weights &, rt::ThreadPool &)>;

void forEachCase(const LinearBench &bench, const Setting &setting,
                 Measure measure) {
  for (auto [rows, cols] : bench.shapes)
    for (int64_t batch : bench.batches) {
      Weights weights(setting, rows, cols, bench.group, batch);
      for (int bits : bench.bits) {
        codegen::NestedLinear shape{rows,
                                    cols,
                                    bench.group,
                                    unsigned(bits),
                                    kParentBits,
                                    unsigned(bits - PMPD_MIN_BITS),
                                    setting.activations,
                                    mlir::Type()};
        auto kernel = take(emit::LoadedKernel::create(
            setting.target, [&](codegen::CpuKernels &library) {
              return library.linearS(shape);
            }));
        for (int threads : bench.threads) {
          rt::ThreadPool pool(threads);
          measure({rows, cols, batch, bits, threads}, kernel, weights, pool);
        }
      }
    }
}

Int8Dot dotOf(const Setting &setting) {
  switch (setting.target.kernels.isa) {
  case codegen::ISA::Portable:
    return Int8Dot::None;
  case codegen::ISA::AVX2:
    return Int8Dot::AVX2;
  case codegen::ISA::AVXVNNI:
    return Int8Dot::AVXVNNI;
  case codegen::ISA::AVX512VNNI:
    return Int8Dot::AVX512VNNI;
  case codegen::ISA::AMX:
    return Int8Dot::AMX;
  }
  return Int8Dot::None;
}

std::string isaName(const Setting &setting) {
  return codegen::stringifyISA(setting.target.kernels.isa).str();
}

} // namespace

std::optional<std::pair<int64_t, int64_t>>
pmpd::tools::parseShape(const std::string &text) {
  auto [first, second] = llvm::StringRef(text).split('x');
  std::pair<int64_t, int64_t> shape;
  if (first.getAsInteger(10, shape.first) ||
      second.getAsInteger(10, shape.second) || shape.first < 1 ||
      shape.second < 1 || shape.first > 1 << 20 || shape.second > 1 << 20)
    return std::nullopt;
  return shape;
}

std::vector<std::string> pmpd::tools::gemvColumns() {
  return {"rows",   "cols",        "bits",      "threads",
          "isa",    "activations", "us_min",    "us_median",
          "us_max", "gbps",        "read_gbps", "fraction"};
}

void pmpd::tools::measureGemv(const LinearBench &bench, TableWriter &table) {
  Setting setting(bench);
  forEachCase(
      bench, setting,
      [&](const Case &c, const emit::LoadedKernel &kernel, Weights &weights,
          rt::ThreadPool &pool) {
        double bytes = c.bytesRead(bench.group) * weights.count();
        Samples seconds, readSeconds, fraction;
        for (int i = -1; i < bench.repeat; ++i) {
          double read = timeRead(pool, setting.memory.data(), size_t(bytes));
          double time = timePass(pool, kernel, weights, 1);
          if (i < 0) // warm-up
            continue;
          seconds.add(time);
          readSeconds.add(read);
          fraction.add(read / time);
        }
        double us = 1e6 / weights.count();
        table.add({c.rows, c.cols, int64_t(c.bits), int64_t(c.threads),
                   isaName(setting), bench.activations, us * seconds.min(),
                   us * seconds.median(), us * seconds.max(),
                   bytes / seconds.median() / 1e9,
                   bytes / readSeconds.median() / 1e9, fraction.median()});
      });
}

std::vector<std::string> pmpd::tools::gemmColumns() {
  return {"rows",  "cols",        "batch",   "bits",      "threads",
          "isa",   "activations", "us_min",  "us_median", "us_max",
          "gmacs", "peak_gmacs",  "fraction"};
}

void pmpd::tools::measureGemm(const LinearBench &bench, TableWriter &table) {
  Setting setting(bench);
  forEachCase(
      bench, setting,
      [&](const Case &c, const emit::LoadedKernel &kernel, Weights &weights,
          rt::ThreadPool &pool) {
        double products = double(c.rows) * c.cols * c.batch * weights.count();
        // 16-bit activations take two products of bytes.
        double perProduct =
            setting.activations == codegen::Activations::Q16 ? 2 : 1;
        Samples seconds, peaks, fraction;
        for (int i = -1; i < bench.repeat; ++i) {
          double peak = 0;
          if (setting.activations != codegen::Activations::F32)
            peak =
                measureInt8Peak(pool, c.threads, dotOf(setting)) / perProduct;
          double time = timePass(pool, kernel, weights, c.batch);
          if (i < 0)
            continue;
          seconds.add(time);
          peaks.add(peak);
          if (peak > 0)
            fraction.add(products / time / peak);
        }
        double us = 1e6 / weights.count();
        bool known = peaks.median() > 0;
        table.add({c.rows, c.cols, c.batch, int64_t(c.bits), int64_t(c.threads),
                   isaName(setting), bench.activations, us * seconds.min(),
                   us * seconds.median(), us * seconds.max(),
                   products / seconds.median() / 1e9,
                   known ? Cell(peaks.median() / 1e9) : Cell(),
                   known ? Cell(fraction.median()) : Cell()});
      });
}
