// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/Codebook.h"
#include "lib/Quant/Half.h"
#include "pmpd/layout.h"

#include <algorithm>
#include <numeric>

using namespace pmpd;

static constexpr int MaxTurns = 60;

namespace {

/// The weights of a row in ascending order, cut into clusters.
class SortedRow {
public:
  /// values and importance are [count].
  SortedRow(const float *values, const std::vector<float> &importance);

  /// Makes 2^bits clusters with least weighted squared error: k-means, which
  /// starts from clusters of equal importance.
  void cluster(int bits);

  /// Cuts every cluster in two where that leaves the least error. One that has
  /// no two different weights gives all of them to the first half.
  void split();

  size_t clusters() const { return ends.size(); }
  /// The mean of a cluster; an empty one has that of the cluster before.
  double mean(size_t cluster) const;
  /// codes [count], in the row's own order.
  void writeCodes(uint8_t *codes) const;

private:
  int64_t begin(size_t cluster) const {
    return cluster == 0 ? 0 : ends[cluster - 1];
  }
  double weight(int64_t begin, int64_t end) const {
    return weights[end] - weights[begin];
  }
  double product(int64_t begin, int64_t end) const {
    return products[end] - products[begin];
  }

  std::vector<int64_t> order;            // [count]
  std::vector<double> sorted;            // [count]
  std::vector<double> weights, products; // [count + 1], sums of those before
  std::vector<int64_t> ends;             // [clusters]
};

class AnyPrecisionQuantizer : public RowQuantizer {
public:
  AnyPrecisionQuantizer(const NestedShape &shape,
                        const InputStatistics &statistics)
      : shape(shape), importance(statistics.meanSquare) {
    importance.resize(shape.cols, 1);
    // Inputs that calibration never saw still count a little.
    double sum = std::accumulate(importance.begin(), importance.end(), 0.0);
    for (float &value : importance)
      value += static_cast<float>(sum > 0 ? 0.01 * sum / shape.cols : 1);
  }

  void quantizeRows(const float *weights, int64_t begin, int64_t end,
                    NestedTensor &out) const override;

private:
  NestedShape shape;
  std::vector<float> importance; // [cols]
};

} // namespace

SortedRow::SortedRow(const float *values, const std::vector<float> &importance)
    : order(importance.size()), sorted(importance.size()),
      weights(importance.size() + 1), products(importance.size() + 1) {
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return std::pair(values[a], a) < std::pair(values[b], b);
  });
  for (size_t i = 0; i < order.size(); ++i) {
    double weight = importance[order[i]];
    sorted[i] = values[order[i]];
    weights[i + 1] = weights[i] + weight;
    products[i + 1] = products[i] + weight * sorted[i];
  }
}

void SortedRow::cluster(int bits) {
  int64_t count = static_cast<int64_t>(sorted.size());
  ends.resize(size_t{1} << bits);
  for (size_t c = 0; c < ends.size(); ++c) {
    double share = weights.back() * (c + 1) / ends.size();
    ends[c] = std::lower_bound(weights.begin(), weights.end() - 1, share) -
              weights.begin();
  }
  ends.back() = count;
  for (int turn = 0; turn < MaxTurns; ++turn) {
    std::vector<int64_t> next = ends;
    for (size_t c = 0; c + 1 < ends.size(); ++c) {
      double middle = (mean(c) + mean(c + 1)) / 2;
      next[c] = std::upper_bound(sorted.begin(), sorted.end(), middle) -
                sorted.begin();
    }
    if (next == ends)
      break;
    ends = std::move(next);
  }
}

void SortedRow::split() {
  std::vector<int64_t> finer;
  for (size_t c = 0; c < ends.size(); ++c) {
    int64_t from = begin(c), to = ends[c], best = to;
    double most = 0;
    for (int64_t cut = from + 1; cut < to; ++cut) {
      // Error is what the squares of the sums leave.
      double low = product(from, cut), high = product(cut, to);
      double explained =
          low * low / weight(from, cut) + high * high / weight(cut, to);
      if (sorted[cut - 1] < sorted[cut] && (best == to || explained > most)) {
        most = explained;
        best = cut;
      }
    }
    finer.push_back(best);
    finer.push_back(to);
  }
  ends = std::move(finer);
}

double SortedRow::mean(size_t cluster) const {
  int64_t from = begin(cluster), to = ends[cluster];
  if (from < to)
    return product(from, to) / weight(from, to);
  return from > 0 ? sorted[from - 1] : sorted[0];
}

void SortedRow::writeCodes(uint8_t *codes) const {
  for (size_t c = 0; c < ends.size(); ++c)
    for (int64_t i = begin(c); i < ends[c]; ++i)
      codes[order[i]] = static_cast<uint8_t>(c);
}

void AnyPrecisionQuantizer::quantizeRows(const float *weights, int64_t begin,
                                         int64_t end, NestedTensor &out) const {
  for (int64_t row = begin; row < end; ++row) {
    SortedRow sorted(weights + row * shape.cols, importance);
    int bits = shape.prefixes.front();
    sorted.cluster(bits);
    for (size_t p = 0; p < shape.prefixes.size(); ++p) {
      for (; bits < shape.prefixes[p]; ++bits)
        sorted.split();
      for (size_t c = 0; c < sorted.clusters(); ++c)
        out.params[p].table[row * sorted.clusters() + c] =
            floatToHalf(static_cast<float>(sorted.mean(c)));
    }
    sorted.writeCodes(out.codes.data() + row * shape.cols);
  }
}

std::unique_ptr<RowQuantizer>
pmpd::createAnyPrecisionQuantizer(const NestedShape &shape,
                                  const InputStatistics &statistics) {
  return std::make_unique<AnyPrecisionQuantizer>(shape, statistics);
}
