// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/LinearRun.h"

#include "lib/Quant/Half.h"

#include <algorithm>
#include <cmath>
#include <random>

using namespace pmpd;
using namespace pmpd::tools;

namespace {

constexpr int64_t kSampledRows = 64;
// Enough to see that the library was asked for another product.
constexpr int64_t kSampledHalfRows = 8;

std::vector<uint16_t> randomHalves(int64_t count) {
  std::vector<uint16_t> values(count);
  fillRandomHalves(values.data(), count * sizeof(uint16_t), /*seed=*/3);
  return values;
}

int64_t copiesFor(int64_t megabytes, uint64_t bytes) {
  return std::max<int64_t>(2, (megabytes * 1000000 + bytes - 1) / bytes);
}

std::vector<float> normalNumbers(int64_t count) {
  std::minstd_rand random(7);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(random);
  return values;
}

/// Largest difference of results [batch, rows] from sums in fp64 over inputs
/// [batch, cols] and some rows of weights, by the largest sum.
double errorOf(const LinearCase &what, int64_t sampledRows,
               const std::function<std::vector<double>(int64_t)> &weights,
               const std::vector<double> &input,
               const std::vector<double> &result) {
  const int64_t rows = what.weight.rows, cols = what.weight.cols;
  double worst = 0, largest = 0;
  int64_t samples = std::min(rows, sampledRows);
  for (int64_t i = 0; i < samples; ++i) {
    int64_t row = samples == 1 ? 0 : i * (rows - 1) / (samples - 1);
    std::vector<double> weight = weights(row);
    for (int64_t token = 0; token < what.batch; ++token) {
      double sum = 0;
      for (int64_t k = 0; k < cols; ++k)
        sum += weight[k] * input[token * cols + k];
      largest = std::max(largest, std::fabs(sum));
      double difference = std::fabs(result[token * rows + row] - sum);
      worst = std::max(worst, std::isnan(difference) ? INFINITY : difference);
    }
  }
  return worst / largest;
}

std::vector<double> toDoubles(const std::vector<float> &values) {
  return {values.begin(), values.end()};
}
std::vector<double> toDoubles(const std::vector<uint16_t> &halves) {
  std::vector<double> values(halves.size());
  std::transform(halves.begin(), halves.end(), values.begin(), halfToFloat);
  return values;
}

} // namespace

pmpd_status pmpd::tools::launch(cuda::Launcher &launcher, int64_t rows,
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

Rotation::Rotation(const Gpu &gpu, const void *tensor, uint64_t bytes,
                   int64_t count, int64_t slack)
    : stride(pmpd_round_up(bytes, 4096)), copies(count) {
  check(cuda::allocate(gpu.device(), stride * copies + slack,
                       "rotating weights", memory));
  for (int64_t i = 0; i < copies; ++i)
    gpu.write(copy(i), tensor, bytes);
}

Shape::Shape(const Gpu &gpu, NestedWeight weight, int64_t megabytes,
             int64_t slack)
    : weight(weight), packed(weight.random(/*seed=*/1)),
      halves(randomHalves(weight.rows * weight.cols)),
      nested(gpu, packed.data(), packed.size(),
             copiesFor(megabytes, weight.bytesRead(PMPD_MIN_BITS)), slack),
      half(gpu, halves.data(), halfBytes(), copiesFor(megabytes, halfBytes()),
           slack) {}

LinearRun::LinearRun(const Gpu &gpu, const KernelSet &set, const Shape &shape,
                     const LinearCase &what)
    : gpu(gpu), set(set), shape(shape), what(what),
      input(normalNumbers(what.batch * what.weight.cols)),
      halfInputs(randomHalves(input.size())) {
  const pmpd_gpu_call header = {int32_t(what.batch), 0};
  call = gpu.memory(&header, sizeof(header));
  deviceInput = gpu.memory(input.data(), input.size() * sizeof(float));
  quantized = gpu.memory(what.batch * what.quantizedRowBytes);
  output = gpu.memory(what.batch * what.weight.rows * sizeof(float));
  halfInput =
      gpu.memory(halfInputs.data(), halfInputs.size() * sizeof(uint16_t));
  halfOutput = gpu.memory(2 * what.batch * what.weight.rows);
}

cuda::Launcher LinearRun::launcher() const {
  return cuda::Launcher(set.loaded(), gpu.stream(), call.get(), what.batch,
                        nullptr);
}

cuda::GraphExec LinearRun::linearGraph() const {
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

cuda::GraphExec LinearRun::readGraph(const Rotation &rotation,
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

cuda::GraphExec LinearRun::halfGraph(const HalfMultiply &multiply) const {
  return gpu.record([&] {
    for (int64_t i = 0; i < shape.half.copies; ++i)
      multiply.queue(shape.half.copy(i), halfInput.get(), halfOutput.get());
    return PMPD_OK;
  });
}

double LinearRun::error() const {
  std::vector<float> result(what.batch * what.weight.rows);
  gpu.read(result.data(), output.get(), result.size() * sizeof(float));
  auto row = [&](int64_t index) {
    return what.weight.row(shape.packed, index, what.bits);
  };
  return errorOf(what, kSampledRows, row, toDoubles(input), toDoubles(result));
}

double LinearRun::halfError(HalfProduct::Order order) const {
  const int64_t rows = what.weight.rows, cols = what.weight.cols;
  std::vector<uint16_t> result(what.batch * rows);
  gpu.read(result.data(), halfOutput.get(), result.size() * sizeof(uint16_t));
  const bool rowMajor = order == HalfProduct::Order::RowMajor;
  auto row = [&](int64_t index) {
    std::vector<uint16_t> halves(cols);
    for (int64_t k = 0; k < cols; ++k)
      halves[k] = shape.halves[rowMajor ? index * cols + k : k * rows + index];
    return toDoubles(halves);
  };
  return errorOf(what, kSampledHalfRows, row, toDoubles(halfInputs),
                 toDoubles(result));
}
