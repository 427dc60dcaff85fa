// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pack/Pack.h"
#include "lib/Pack/WeightFile.h"

using namespace pmpd;

WeightSection WeightSection::dense(std::string name, pmpd_element element,
                                   int64_t rows, int64_t cols) {
  WeightSection section;
  section.name = std::move(name);
  section.element = element;
  section.shape.rows = rows;
  section.shape.cols = cols;
  return section;
}

WeightSection WeightSection::nested(std::string name, pmpd_layout layout,
                                    NestedShape shape) {
  WeightSection section;
  section.name = std::move(name);
  section.element = PMPD_NESTED;
  section.layout = layout;
  section.shape = std::move(shape);
  return section;
}

uint64_t WeightSection::bytes() const {
  if (element == PMPD_NESTED)
    return packedBytes(shape, layout);
  return shape.rows * shape.cols * (element == PMPD_F16 ? 2 : 4);
}

std::string WeightSection::problem() const {
  if (element == PMPD_NESTED)
    return layoutProblem(shape, layout);
  if (element != PMPD_F32 && element != PMPD_F16)
    return "expected element f32 (0), f16 (1) or nested (2), but got " +
           std::to_string(element);
  if (layout != PMPD_LAYOUT_DENSE)
    return "expected layout dense (0) of plain numbers, but got " +
           std::to_string(layout);
  if (shape.group != 0 || shape.bits != 0 || !shape.prefixes.empty())
    return "expected no group and bits of plain numbers";
  return shape.extentProblem();
}
