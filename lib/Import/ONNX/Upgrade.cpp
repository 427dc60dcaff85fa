// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nodes of opset 11 to 17 in the form they have in opset 18.
#include "lib/Import/ONNX/Importer.h"

using namespace mlir;
using namespace pmpd::onnx;

/// An attribute that became input 1.
static StringRef getMovedAttribute(StringRef opType, int64_t opset) {
  if (opType == "Squeeze" || opType == "Unsqueeze" || opType == "ReduceSum")
    return opset < 13 ? "axes" : "";
  if (opType == "Split")
    return opset < 13 ? "split" : "";
  if (opType.starts_with("Reduce"))
    return opset < 18 ? "axes" : "";
  return "";
}

LogicalResult Importer::upgrade(StringRef opType, Location loc,
                                SmallVectorImpl<Value> &inputs,
                                NamedAttrList &parameters, unsigned results) {
  StringRef moved = getMovedAttribute(opType, opset);
  if (!moved.empty()) {
    if (auto values =
            dyn_cast_or_null<DenseI64ArrayAttr>(parameters.get(moved))) {
      inputs.resize(1);
      inputs.push_back(createIntegers(loc, values));
      parameters.erase(moved);
    }
  }
  if (opType == "Split" && opset < 18)
    parameters.set("num_outputs", builder.getI64IntegerAttr(results));
  if ((opType == "Softmax" || opType == "LogSoftmax") && opset < 13) {
    // These flattened the axes from `axis` on, 1 unless given.
    auto axis = dyn_cast_or_null<IntegerAttr>(parameters.get("axis"));
    int64_t given = axis ? axis.getInt() : 1;
    auto type = inputs.empty() || !inputs[0]
                    ? RankedTensorType()
                    : dyn_cast<RankedTensorType>(inputs[0].getType());
    if (given != -1 && (!type || given != type.getRank() - 1))
      return emitError(loc) << "expected " << opType << " of opset " << opset
                            << " to be over the last axis, but got axis "
                            << given << "; export with opset 13 or newer";
    parameters.set("axis", builder.getI64IntegerAttr(-1));
  }
  return success();
}

Value Importer::createIntegers(Location loc, ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())},
                                    builder.getI64Type());
  return ConstantOp::create(builder, loc, DenseElementsAttr::get(type, values));
}
