// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/Linear.h"

#include "tools/pmpd-gpu-check/Cublas.h"
#include "tools/pmpd-gpu-check/KernelSet.h"
#include "tools/support/Tool.h"

#include <cmath>
#include <optional>
#include <random>

using namespace pmpd;
using namespace pmpd::tools;

namespace {

constexpr int64_t kSampledRows = 64;

/// Copies of a tensor that take turns, so that none is in a cache when it is
/// read again.
struct Rotation {
  cuda::DeviceMemory memory;
  uint64_t stride = 0;
  int64_t copies = 0;

  /// `slack` bytes may be read behind the last.
  Rotation(const Gpu &gpu, const void *tensor, uint64_t bytes, int64_t count,
           int64_t slack)
      : stride(pmpd_round_up(bytes, 4096)), copies(count) {
    check(cuda::allocate(gpu.device(), stride * copies + slack,
                         "rotating weights", memory));
    for (int64_t i = 0; i < copies; ++i)
      gpu.write(copy(i), tensor, bytes);
  }
  cuda::Address copy(int64_t index) const {
    return memory.get() + index * stride;
  }
};

int64_t copiesFor(const LinearOptions &options, uint64_t bytes) {
  return std::max<int64_t>(2,
                           (options.megabytes * 1000000 + bytes - 1) / bytes);
}

/// What cases of one shape share.
struct Shape {
  Shape(const Gpu &gpu, const LinearOptions &options, NestedWeight weight,
        int64_t slack)
      : weight(weight), packed(weight.random(/*seed=*/1)),
        nested(gpu, packed.data(), packed.size(),
               copiesFor(options, weight.bytesRead(PMPD_MIN_BITS)), slack),
        half(gpu, randomHalves(halfBytes()).data(), halfBytes(),
             copiesFor(options, halfBytes()), slack) {}

  uint64_t halfBytes() const { return 2 * weight.rows * weight.cols; }
  static std::vector<uint8_t> randomHalves(uint64_t bytes) {
    std::vector<uint8_t> data(bytes);
    fillRandomHalves(data.data(), bytes, /*seed=*/3);
    return data;
  }

  NestedWeight weight;
  std::vector<uint8_t> packed;
  Rotation nested, half;
};

pmpd_status launch(cuda::Launcher &launcher, int64_t rows,
                   const KernelToLaunch &kernel, int64_t blocks,
                   std::initializer_list<cuda::Address> pointers) {
  pmpd_kernel_args args = {};
  int count = 0;
  for (cuda::Address pointer : pointers)
    args.ptr[count++] = reinterpret_cast<void *>(pointer);
  args.rows = rows;
  cuda::Launcher::launch(&launcher, kernel.kernel, &args, blocks);
  return launcher.status();
}

class CaseRun {
public:
  CaseRun(const Gpu &gpu, const KernelSet &set, const Shape &shape,
          const LinearCase &what);

  /// Largest difference from fp64, by the largest result.
  double error() const;

  cuda::GraphExec linearGraph() const;
  cuda::GraphExec readGraph(const Rotation &rotation, uint64_t bytes) const;
  cuda::GraphExec cublasGraph(const Cublas &cublas, Cublas::Order order) const;

private:
  cuda::Launcher launcher() const;

  const Gpu &gpu;
  const KernelSet &set;
  const Shape &shape;
  const LinearCase &what;
  std::vector<float> input; // [batch, cols]
  cuda::DeviceMemory call, deviceInput, quantized, output;
  cuda::DeviceMemory halfInput, halfOutput;
};

std::vector<float> normalNumbers(int64_t count) {
  std::minstd_rand random(7);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(random);
  return values;
}

CaseRun::CaseRun(const Gpu &gpu, const KernelSet &set, const Shape &shape,
                 const LinearCase &what)
    : gpu(gpu), set(set), shape(shape), what(what),
      input(normalNumbers(what.batch * what.weight.cols)) {
  const pmpd_gpu_call header = {int32_t(what.batch), 0};
  call = gpu.memory(&header, sizeof(header));
  deviceInput = gpu.memory(input.data(), input.size() * sizeof(float));
  quantized = gpu.memory(what.batch * what.quantizedRowBytes);
  output = gpu.memory(what.batch * what.weight.rows * sizeof(float));
  std::vector<uint8_t> halves = Shape::randomHalves(2 * input.size());
  halfInput = gpu.memory(halves.data(), halves.size());
  halfOutput = gpu.memory(2 * what.batch * what.weight.rows);
}

cuda::Launcher CaseRun::launcher() const {
  return cuda::Launcher(set.loaded(), gpu.stream(), call.get(), what.batch,
                        nullptr);
}

cuda::GraphExec CaseRun::linearGraph() const {
  return gpu.record([&] {
    cuda::Launcher each = launcher(); // launches may overlap, as in a model
    for (int64_t i = 0; i < shape.nested.copies; ++i) {
      if (pmpd_status status = launch(each, what.batch, what.quantize,
                                      what.quantize.blocks(what.batch),
                                      {deviceInput.get(), quantized.get()}))
        return status;
      if (pmpd_status status = launch(
              each, what.batch, what.linear, what.linear.blocks(what.batch),
              {shape.nested.copy(i), quantized.get(), output.get()}))
        return status;
    }
    return PMPD_OK;
  });
}

cuda::GraphExec CaseRun::readGraph(const Rotation &rotation,
                                   uint64_t bytes) const {
  int64_t blocks = std::max<int64_t>(1, bytes / set.readBytes());
  return gpu.record([&] {
    cuda::Launcher each = launcher();
    for (int64_t i = 0; i < rotation.copies; ++i)
      if (pmpd_status status = launch(each, what.batch, set.read(), blocks,
                                      {rotation.copy(i), output.get()}))
        return status;
    return PMPD_OK;
  });
}

cuda::GraphExec CaseRun::cublasGraph(const Cublas &cublas,
                                     Cublas::Order order) const {
  return gpu.record([&] {
    for (int64_t i = 0; i < shape.half.copies; ++i)
      cublas.multiply(what.weight.rows, what.weight.cols, what.batch, order,
                      shape.half.copy(i), halfInput.get(), halfOutput.get());
    return PMPD_OK;
  });
}

double CaseRun::error() const {
  const int64_t rows = what.weight.rows, cols = what.weight.cols;
  std::vector<float> result(what.batch * rows);
  gpu.read(result.data(), output.get(), result.size() * sizeof(float));
  double worst = 0, largest = 0;
  int64_t samples = std::min(rows, kSampledRows);
  for (int64_t i = 0; i < samples; ++i) {
    int64_t row = samples == 1 ? 0 : i * (rows - 1) / (samples - 1);
    std::vector<double> weights = what.weight.row(shape.packed, row, what.bits);
    for (int64_t token = 0; token < what.batch; ++token) {
      double sum = 0;
      for (int64_t k = 0; k < cols; ++k)
        sum += weights[k] * input[token * cols + k];
      largest = std::max(largest, std::fabs(sum));
      double difference = std::fabs(result[token * rows + row] - sum);
      worst = std::max(worst, std::isnan(difference) ? INFINITY : difference);
    }
  }
  return worst / largest;
}

/// The faster of both orders.
cuda::GraphExec fastest(const Gpu &gpu, const CaseRun &run,
                        const Cublas &cublas) {
  cuda::GraphExec best;
  double bestTime = INFINITY;
  for (Cublas::Order order :
       {Cublas::Order::RowMajor, Cublas::Order::ColumnMajor}) {
    cuda::GraphExec graph = run.cublasGraph(cublas, order);
    Samples times;
    for (int i = 0; i < 10; ++i)
      times.add(gpu.microseconds(graph));
    if (times.median() < bestTime) {
      bestTime = times.median();
      best = std::move(graph);
    }
  }
  return best;
}

bool measure(const Gpu &gpu, const KernelSet &set, const Cublas *cublas,
             const Shape &shape, const LinearCase &what,
             const LinearOptions &options, TableWriter &table) {
  CaseRun run(gpu, set, shape, what);
  const uint64_t bytes = what.weight.bytesRead(what.bits);
  cuda::GraphExec linear = run.linearGraph();
  cuda::GraphExec read = run.readGraph(shape.nested, bytes);
  cuda::GraphExec readHalf = run.readGraph(shape.half, shape.halfBytes());
  cuda::GraphExec half;
  if (cublas)
    half = fastest(gpu, run, *cublas);
  Samples times, readTimes, readHalfTimes, halfTimes;
  for (int i = -1; i < options.replays; ++i) {
    double own = gpu.microseconds(linear);
    double other = cublas ? gpu.microseconds(half) : 0;
    double plain = gpu.microseconds(read);
    double plainHalf = gpu.microseconds(readHalf);
    if (i < 0) // warm-up
      continue;
    times.add(own / shape.nested.copies);
    readTimes.add(plain / shape.nested.copies);
    readHalfTimes.add(plainHalf / shape.half.copies);
    if (cublas)
      halfTimes.add(other / shape.half.copies);
  }
  gpu.launch(linear);
  gpu.wait();
  ReportRow row = {"linear",
                   std::to_string(what.weight.rows) + "x" +
                       std::to_string(what.weight.cols),
                   what.batch, std::to_string(what.bits), times};
  const double median = times.median(), error = run.error();
  row.gbps = bytes / median / 1e3;
  row.readShare = readTimes.median() / median;
  if (cublas)
    row.cublas = halfTimes.median() / median;
  row.fp16 = readHalfTimes.median() / median;
  row.difference = error;
  row.result = error <= options.tolerance ? "right" : "wrong";
  addTo(table, row);
  return error <= options.tolerance;
}

} // namespace

bool pmpd::tools::measureLinear(const LinearOptions &options,
                                TableWriter &table) {
  KernelSet set(options.kernels, options.gpu);
  Gpu gpu(set.loaded().device());
  std::unique_ptr<Cublas> cublas = Cublas::open(gpu);
  std::optional<Shape> shape;
  bool right = true;
  for (const LinearCase &what : set.cases()) {
    if (!shape || shape->weight.rows != what.weight.rows ||
        shape->weight.cols != what.weight.cols) {
      shape.reset(); // its memory first
      shape.emplace(gpu, options, what.weight, set.readBytes());
    }
    right &= measure(gpu, set, cublas.get(), *shape, what, options, table);
  }
  return right;
}

double pmpd::tools::measureRead(const LinearOptions &options) {
  KernelSet set(options.kernels, options.gpu);
  Gpu gpu(set.loaded().device());
  const int64_t blocks = options.megabytes * 1000000 / set.readBytes() + 1;
  const int64_t bytes = blocks * set.readBytes();
  std::vector<uint8_t> data(bytes);
  fillRandom(data.data(), bytes, /*seed=*/5);
  cuda::DeviceMemory memory = gpu.memory(data.data(), bytes);
  const pmpd_gpu_call header = {1, 0};
  cuda::DeviceMemory call = gpu.memory(&header, sizeof(header));
  cuda::GraphExec graph = gpu.record([&] {
    cuda::Launcher once(set.loaded(), gpu.stream(), call.get(), 1, nullptr);
    return launch(once, 1, set.read(), blocks, {memory.get(), call.get()});
  });
  Samples times;
  for (int i = 0; i < options.replays; ++i)
    times.add(gpu.microseconds(graph));
  return bytes / times.median() / 1e3;
}
