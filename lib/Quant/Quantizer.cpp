// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/Quantizer.h"
#include "lib/Quant/AffineFit.h"
#include "lib/Quant/Codebook.h"
#include "lib/Quant/Half.h"
#include "lib/Quant/Rotation.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <thread>

using namespace pmpd;

const std::vector<QuantizerInfo> &pmpd::quantizers() {
  static const std::vector<QuantizerInfo> list = {
      {"rtn", "uniform codes between the extremes of a group", false, false,
       false, false, createRtnQuantizer},
      {"diag", "codes that serve all precisions, weighted by the inputs", false,
       false, false, false, createDiagQuantizer},
      {"nldlq", "as diag, and errors make up for one another", true, false,
       false, false, createNldlqQuantizer},
      {"nldlq-codebook", "as nldlq, with a table of values for every row", true,
       true, false, false, createCodebookQuantizer},
      {"nldlq-hadamard", "as nldlq, of weights rotated at random", true, false,
       false, true, createNldlqQuantizer},
      {"anyprec", "clusters of a row, split for every further bit", false, true,
       false, false, createAnyPrecisionQuantizer},
      {"gptq",
       "uniform codes of one precision whose errors make up for one "
       "another",
       true, false, true, false, createGptqQuantizer}};
  return list;
}

std::string pmpd::quantizerNames() {
  std::string names;
  for (const QuantizerInfo &info : quantizers()) {
    bool last = &info == &quantizers().back();
    names += names.empty() ? "" : last ? " or " : ", ";
    names += info.name;
  }
  return names;
}

const QuantizerInfo *pmpd::findQuantizer(std::string_view name) {
  for (const QuantizerInfo &info : quantizers())
    if (info.name == name)
      return &info;
  return nullptr;
}

/// Runs `body` on consecutive ranges of rows, one per thread.
static void forRowRanges(int64_t rows, unsigned threads,
                         const std::function<void(int64_t, int64_t)> &body) {
  int64_t count = std::clamp<int64_t>(threads, 1, rows);
  std::vector<std::thread> workers;
  for (int64_t i = 1; i < count; ++i)
    workers.emplace_back(body, rows * i / count, rows * (i + 1) / count);
  body(0, rows / count);
  for (std::thread &worker : workers)
    worker.join();
}

/// Checks [cols, cols] products, or none.
static std::string checkProducts(const std::vector<float> &products,
                                 int64_t cols) {
  if (!products.empty() && products.size() != static_cast<size_t>(cols * cols))
    return "expected products of " + std::to_string(cols) +
           " inputs, but got " + std::to_string(products.size()) + " numbers";
  if (!std::all_of(products.begin(), products.end(),
                   [](float value) { return std::isfinite(value); }))
    return "expected finite products of the inputs";
  return "";
}

static std::string checkStatistics(const InputStatistics &statistics,
                                   const NestedShape &shape) {
  std::string problem = checkProducts(statistics.products, shape.cols);
  if (!statistics.quantized.empty() &&
      statistics.quantized.size() != shape.prefixes.size())
    problem = "expected products at " + std::to_string(shape.prefixes.size()) +
              " precisions, but got " +
              std::to_string(statistics.quantized.size());
  for (const InputStatistics::Quantized &quantized : statistics.quantized) {
    if (problem.empty() && quantized.products.empty())
      problem = "expected products at every precision";
    for (const auto *products : {&quantized.products, &quantized.cross})
      if (problem.empty())
        problem = checkProducts(*products, shape.cols);
  }
  if (!problem.empty())
    return problem;
  const std::vector<float> &values = statistics.meanSquare;
  if (values.empty())
    return "";
  if (values.size() != static_cast<size_t>(shape.cols))
    return "expected statistics of " + std::to_string(shape.cols) +
           " inputs, but got " + std::to_string(values.size());
  auto bad = std::find_if(values.begin(), values.end(), [](float value) {
    return !std::isfinite(value) || value < 0;
  });
  if (bad == values.end())
    return "";
  return "expected finite mean squares of the inputs, but input " +
         std::to_string(bad - values.begin()) + " has " + std::to_string(*bad);
}

static std::string checkScheme(const QuantizerInfo &quantizer,
                               const NestedShape &shape) {
  std::string name(quantizer.name);
  if (quantizer.makesCodebook != shape.isCodebook())
    return "expected " +
           std::string(quantizer.makesCodebook ? "no group" : "a group") +
           " for quantizer " + name + ", but got " +
           std::to_string(shape.group);
  if (quantizer.rotatesInputs != shape.rotated)
    return "expected " + std::string(shape.rotated ? "no " : "a ") +
           "rotation for quantizer " + name;
  if (quantizer.takesOnePrefix && shape.prefixes.size() > 1)
    return "expected weights of one precision for quantizer " + name +
           ", but got " + std::to_string(shape.prefixes.size()) +
           "; choose one, or quantizer nldlq";
  return "";
}

static std::string checkWeights(const float *weights,
                                const NestedShape &shape) {
  for (int64_t row = 0; row < shape.rows; ++row) {
    const float *values = weights + row * shape.cols;
    // The negation also catches NaN. No early exit: this way it vectorizes.
    bool ok = true;
    for (int64_t col = 0; col < shape.cols; ++col)
      ok &= std::fabs(values[col]) <= MaxHalf;
    if (ok)
      continue;
    const float *bad =
        std::find_if(values, values + shape.cols, [](float value) {
          return !(std::fabs(value) <= MaxHalf);
        });
    return "expected weights from -65504 to 65504, but row " +
           std::to_string(row) + ", column " + std::to_string(bad - values) +
           " is " + std::to_string(*bad);
  }
  return "";
}

bool pmpd::quantize(const QuantizerInfo &quantizer, const float *weights,
                    const InputStatistics &statistics, const NestedShape &shape,
                    unsigned threads, NestedTensor &out, std::string &error) {
  error = shape.problem();
  if (error.empty())
    error = checkScheme(quantizer, shape);
  if (error.empty())
    error = checkStatistics(statistics, shape);
  if (error.empty())
    error = checkWeights(weights, shape);
  if (!error.empty())
    return false;

  out = NestedTensor(shape);
  std::vector<float> rotated;
  std::unique_ptr<RowQuantizer> rows;
  if (shape.rotated) {
    Rotation rotation(shape.cols);
    rotated.assign(weights, weights + shape.rows * shape.cols);
    rotation.apply(rotated.data(), shape.rows);
    weights = rotated.data();
    error = checkWeights(weights, shape);
    if (!error.empty()) {
      error = "rotated weights: " + error;
      return false;
    }
    rows = quantizer.create(shape, rotation.apply(statistics));
  } else {
    rows = quantizer.create(shape, statistics);
  }
  forRowRanges(shape.rows, threads, [&](int64_t begin, int64_t end) {
    rows->quantizeRows(weights, begin, end, out);
  });
  return true;
}
