// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quant/AffinePanel.h"
#include "lib/Quant/Half.h"

#include <algorithm>
#include <numeric>

using namespace pmpd;

AffinePanel::AffinePanel(const PrefixProducts &products,
                         const NestedShape &nested)
    : Panel(products, nested, nested.group), nested(nested) {
  for (int p = 0; p < shape.prefixes; ++p)
    affine[p].resize(nested.groups() * Lanes);
}

void AffinePanel::fillTable(int64_t g) {
  for (int p = 0; p < shape.prefixes; ++p)
    for (int e = 0; e < 1 << nested.prefixes[p]; ++e) {
      LaneRow &row = table(g)[shape.begin[p] + e];
      for (int lane = 0; lane < Lanes; ++lane) {
        const Affine &a = affine[p][g * Lanes + lane];
        row[lane] = a.scale * e + a.min;
      }
    }
}

void AffinePanel::loadCodes(const NestedTensor &from, int64_t first,
                            int64_t count) {
  std::fill(codes.begin(), codes.end(), 0);
  for (int64_t row = 0; row < count; ++row)
    for (int64_t col = 0; col < cols; ++col)
      codesOf(col)[row] = from.codes[(first + row) * cols + col];
  for (int64_t g = 0; g < nested.groups(); ++g) {
    for (int p = 0; p < shape.prefixes; ++p)
      for (int64_t row = 0; row < count; ++row) {
        int64_t index = (first + row) * nested.groups() + g;
        affine[p][g * Lanes + row] = {halfToFloat(from.params[p].scale[index]),
                                      halfToFloat(from.params[p].min[index])};
      }
    fillTable(g);
  }
  dequantize();
}

void AffinePanel::storeCodes(NestedTensor &to, int64_t first,
                             int64_t count) const {
  for (int64_t row = 0; row < count; ++row) {
    for (int64_t col = 0; col < cols; ++col)
      to.codes[(first + row) * cols + col] = codes[col * Lanes + row];
    for (int64_t g = 0; g < nested.groups(); ++g)
      for (int p = 0; p < shape.prefixes; ++p)
        storeParams(affine[p][g * Lanes + row],
                    (first + row) * nested.groups() + g, to.params[p]);
  }
}

void AffinePanel::refitPrefix(int64_t g, int p) {
  int64_t begin = g * group;
  const float *block = &products[p].matrix[begin * cols + begin];
  // What the group's gradient is after the changes of its codes.
  LaneMatrix slope(&gradient[p][begin], &gradient[p][begin] + group);
  multiplyAdd(block, cols, group, group, changes[p].data(), slope.data());
  LaneMatrix code(group), product(group); // x and H x inside the group
  for (int64_t i = 0; i < group; ++i)
    for (int lane = 0; lane < Lanes; ++lane)
      code[i][lane] = codesOf(begin + i)[lane] >> shape.shift[p];
  multiplyAdd(block, cols, group, group, code.data(), product.data());

  std::array<double, Lanes> hxx{}, hx{}, gx{}, g1{};
  for (int64_t i = 0; i < group; ++i)
    for (int lane = 0; lane < Lanes; ++lane) {
      double x = code[i][lane];
      hxx[lane] += x * product[i][lane];
      hx[lane] += product[i][lane];
      gx[lane] += x * slope[i][lane];
      g1[lane] += slope[i][lane];
    }
  double h = 0;
  for (int64_t i = 0; i < group; ++i)
    h = std::accumulate(block + i * cols, block + i * cols + group, h);
  for (int lane = 0; lane < Lanes; ++lane) {
    // Steps of scale and min that lower the loss most. A group in which all
    // codes are equal leaves the scale undetermined.
    Affine &affine = this->affine[p][g * Lanes + lane];
    double determinant = h * hxx[lane] - hx[lane] * hx[lane];
    double step = determinant > 1e-9 * h * hxx[lane]
                      ? (hx[lane] * g1[lane] - h * gx[lane]) / determinant
                      : 0;
    float scale = Affine::rounded(affine.scale + step, 0).scale;
    step = static_cast<double>(scale) - affine.scale;
    Affine fitted =
        Affine::rounded(scale, affine.min - (g1[lane] + step * hx[lane]) / h);
    double shift = static_cast<double>(fitted.min) - affine.min;
    double change = 2 * (step * gx[lane] + shift * g1[lane]) +
                    step * step * hxx[lane] + 2 * step * shift * hx[lane] +
                    shift * shift * h;
    if (change < 0)
      affine = fitted;
  }
}

void AffinePanel::refit(int64_t g) {
  for (int p = 0; p < shape.prefixes; ++p)
    refitPrefix(g, p);
  fillTable(g);
  for (int64_t i = 0; i < group; ++i)
    for (int p = 0; p < shape.prefixes; ++p)
      for (int lane = 0; lane < Lanes; ++lane) {
        int code = codesOf(g * group + i)[lane] >> shape.shift[p];
        float value = table(g)[shape.begin[p] + code][lane];
        float &old = values[p][g * group + i][lane];
        changes[p][i][lane] += value - old;
        old = value;
      }
}
