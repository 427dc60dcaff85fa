// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/pmpd-gpu-check/Linear.h"

#include "tools/pmpd-gpu-check/Cublas.h"
#include "tools/pmpd-gpu-check/CublasLt.h"
#include "tools/pmpd-gpu-check/LinearRun.h"

#include <cmath>
#include <iostream>
#include <optional>

using namespace pmpd;
using namespace pmpd::tools;

namespace {

// Those that the library deems best.
constexpr int kAlgorithms = 4;
constexpr int kTrials = 10;
// Results of fp16, perhaps of several sums of fp16; what is another product
// differs by more.
constexpr double kHalfTolerance = 1e-2;

/// Those that are installed.
struct HalfLibraries {
  std::unique_ptr<Cublas> cublas;
  std::unique_ptr<CublasLt> cublasLt;

  std::vector<HalfMultiply> multiplies(const HalfProduct &product) const {
    std::vector<HalfMultiply> list;
    if (cublasLt)
      list = cublasLt->multiplies(product, kAlgorithms);
    if (cublas)
      list.push_back(cublas->multiply(product));
    return list;
  }
};

/// A way as a graph, or nothing, with a message, if it fails or computes
/// something else.
std::optional<cuda::GraphExec> halfGraph(const LinearRun &run,
                                         const HalfMultiply &multiply,
                                         HalfProduct::Order order) {
  std::string problem;
  try {
    cuda::GraphExec graph = run.halfGraph(multiply);
    double error = run.halfError(order);
    if (error <= kHalfTolerance)
      return graph;
    problem = "its results differ from fp64 by " + std::to_string(error) +
              " of the largest";
  } catch (const ToolError &failed) {
    problem = failed.what();
  }
  std::cerr << multiply.name << " is not compared with: " << problem << "\n";
  return std::nullopt;
}

/// The fastest of all ways and both orders; nothing if there is none.
std::optional<cuda::GraphExec> fastest(const Gpu &gpu, const LinearRun &run,
                                       const LinearCase &what,
                                       const HalfLibraries &libraries) {
  std::optional<cuda::GraphExec> best;
  double bestTime = INFINITY;
  for (auto order :
       {HalfProduct::Order::RowMajor, HalfProduct::Order::ColumnMajor})
    for (const HalfMultiply &multiply : libraries.multiplies(
             {what.weight.rows, what.weight.cols, what.batch, order})) {
      std::optional<cuda::GraphExec> graph = halfGraph(run, multiply, order);
      if (!graph)
        continue;
      Samples times;
      for (int i = 0; i < kTrials; ++i)
        times.add(gpu.microseconds(*graph));
      if (times.median() < bestTime) {
        bestTime = times.median();
        best = std::move(graph);
      }
    }
  return best;
}

bool measure(const Gpu &gpu, const KernelSet &set,
             const HalfLibraries &libraries, const Shape &shape,
             const LinearCase &what, const LinearOptions &options,
             TableWriter &table) {
  LinearRun run(gpu, set, shape, what);
  const uint64_t bytes = what.weight.bytesRead(what.bits);
  cuda::GraphExec linear = run.linearGraph();
  cuda::GraphExec read = run.readGraph(shape.nested, bytes);
  cuda::GraphExec readHalf = run.readGraph(shape.half, shape.halfBytes());
  std::optional<cuda::GraphExec> half = fastest(gpu, run, what, libraries);
  Samples times, readTimes, readHalfTimes, halfTimes;
  for (int i = -1; i < options.replays; ++i) {
    double own = gpu.microseconds(linear);
    double other = half ? gpu.microseconds(*half) : 0;
    double plain = gpu.microseconds(read);
    double plainHalf = gpu.microseconds(readHalf);
    if (i < 0) // warm-up
      continue;
    times.add(own / shape.nested.copies);
    readTimes.add(plain / shape.nested.copies);
    readHalfTimes.add(plainHalf / shape.half.copies);
    if (half)
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
  if (half)
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
  HalfLibraries libraries;
  if (options.cublas)
    libraries = {Cublas::open(gpu), CublasLt::open(gpu)};
  std::optional<Shape> shape;
  bool right = true;
  for (const LinearCase &what : set.cases()) {
    if (!shape || shape->weight.rows != what.weight.rows ||
        shape->weight.cols != what.weight.cols) {
      shape.reset(); // its memory first
      shape.emplace(gpu, what.weight, options.megabytes, set.readBytes());
    }
    right &= measure(gpu, set, libraries, *shape, what, options, table);
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
