// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is read from files, and how files that cannot be read are refused.
#include "lib/Import/ONNX/ModelFile.h"
#include "test/lib/import/ImportTest.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

#include <numeric>
#include <random>

using namespace pmpd;
using namespace pmpd::onnx;

namespace {

/// A model of every kind of tensor and of nodes that compute shapes.
class Model {
public:
  Model() {
    model.set_ir_version(8);
    auto *opset = model.add_opset_import();
    opset->set_version(17);
    graph().set_name("test");
    addInput("x", {"batch", "sequence", "4"});
    addOutput("y");
  }

  proto::GraphProto &graph() { return *model.mutable_graph(); }

  void addInput(const std::string &name, std::vector<std::string> dims) {
    proto::ValueInfoProto *input = graph().add_input();
    input->set_name(name);
    auto *type = input->mutable_type()->mutable_tensor_type();
    type->set_elem_type(proto::TensorProto::FLOAT);
    for (const std::string &dim : dims) {
      auto *added = type->mutable_shape()->add_dim();
      if (isdigit(dim[0]))
        added->set_dim_value(std::stoll(dim));
      else
        added->set_dim_param(dim);
    }
  }

  void addOutput(const std::string &name) {
    graph().add_output()->set_name(name);
  }

  proto::TensorProto &addTensor(const std::string &name, int32_t type,
                                std::vector<int64_t> dims) {
    proto::TensorProto *tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (int64_t dim : dims)
      tensor->add_dims(dim);
    return *tensor;
  }

  void addFloats(const std::string &name, std::vector<int64_t> dims,
                 const std::vector<float> &values) {
    addTensor(name, proto::TensorProto::FLOAT, dims)
        .set_raw_data(values.data(), values.size() * sizeof(float));
  }

  void addIntegers(const std::string &name,
                   const std::vector<int64_t> &values) {
    auto &tensor = addTensor(name, proto::TensorProto::INT64,
                             {static_cast<int64_t>(values.size())});
    for (int64_t value : values)
      tensor.add_int64_data(value);
  }

  /// The tensor is in `location`, or where the entries say.
  proto::TensorProto &addExternal(const std::string &name,
                                  const std::string &location) {
    auto &tensor = addTensor(name, proto::TensorProto::FLOAT, {2, 2});
    tensor.set_data_location(proto::TensorProto::EXTERNAL);
    addEntry(tensor, "location", location);
    return tensor;
  }

  static void addEntry(proto::TensorProto &tensor, const std::string &key,
                       const std::string &value) {
    auto *entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }

  proto::NodeProto &addNode(const std::string &opType,
                            std::vector<std::string> inputs,
                            std::vector<std::string> outputs) {
    proto::NodeProto *node = graph().add_node();
    node->set_op_type(opType);
    node->set_name("/scope/" + outputs[0]);
    for (const std::string &input : inputs)
      node->add_input(input);
    for (const std::string &output : outputs)
      node->add_output(output);
    return *node;
  }

  static void setInt(proto::NodeProto &node, const std::string &name,
                     int64_t value) {
    auto *attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(proto::AttributeProto::INT);
    attribute->set_i(value);
  }

  std::string serialize() const { return model.SerializeAsString(); }

  proto::ModelProto model;
};

/// Nodes as exporters use them to compute shapes.
Model makeShapes() {
  Model model;
  model.addFloats("w", {4, 6}, std::vector<float>(24, 0.5f));
  model.addIntegers("zero", {0});
  model.addIntegers("one", {1});
  model.addIntegers("heads", {2, 3});
  model.addIntegers("minus", {-1});
  model.addNode("MatMul", {"x", "w"}, {"product"});
  model.addNode("Shape", {"product"}, {"shape"});
  Model::setInt(model.addNode("Gather", {"shape", "zero"}, {"batch"}), "axis",
                0);
  model.addNode("Slice", {"shape", "one", "heads", "zero", "one"}, {"length"});
  Model::setInt(model.addNode("Concat", {"batch", "minus", "heads"}, {"to"}),
                "axis", 0);
  model.addNode("Reshape", {"product", "to"}, {"split"});
  model.addNode("Transpose", {"split"}, {"turned"});
  model.addNode("Equal", {"to", "minus"}, {"isMinus"});
  model.addNode("Where", {"isMinus", "one", "to"}, {"chosen"});
  model.addNode("Expand", {"one", "chosen"}, {"expanded"});
  model.addNode("ReduceMean", {"split"}, {"mean"});
  Model::setInt(model.addNode("Split", {"product"}, {"left", "right"}), "axis",
                2);
  Model::setInt(model.addNode("Cast", {"left"}, {"y"}), "to",
                proto::TensorProto::FLOAT16);
  return model;
}

using ImportFileTest = test::ImportTest;

TEST_F(ImportFileTest, FollowsShapesSymbolically) {
  mlir::OwningOpRef<mlir::ModuleOp> module =
      import(write("m.onnx", makeShapes().serialize()));
  ASSERT_TRUE(module) << messages;
  std::map<std::string, std::string> types;
  module->walk([&](NodeOp node) {
    llvm::raw_string_ostream(types[node.getNodeName().str()])
        << node.getResult(0).getType();
  });
  EXPECT_EQ(types["/scope/split"],
            "tensor<?x?x2x3xf32, #onnx.dims<\"batch\", \"sequence\", \"2\", "
            "\"3\">>");
  EXPECT_EQ(types["/scope/turned"],
            "tensor<3x2x?x?xf32, #onnx.dims<\"3\", \"2\", \"sequence\", "
            "\"batch\">>");
  EXPECT_EQ(types["/scope/expanded"],
            "tensor<?x1x2x3xi64, #onnx.dims<\"batch\", \"1\", \"2\", \"3\">>");
  EXPECT_EQ(types["/scope/y"],
            "tensor<?x?x3xf16, #onnx.dims<\"batch\", \"sequence\", \"3\">>");
}

TEST_F(ImportFileTest, SurvivesShapesThatDoNotFit) {
  Model model = makeShapes();
  model.addIntegers("five", {5});
  model.addNode("Reshape", {"heads", "five"}, {"wrong"});
  model.addNode("Add", {"wrong", "five"}, {"sum"});
  model.addNode("Where", {"wrong", "sum", "heads"}, {"other"});
  model.addNode("Gather", {"wrong", "five"}, {"beyond"});
  model.addNode("Expand", {"sum", "beyond"}, {"grown"});
  mlir::OwningOpRef<mlir::ModuleOp> module =
      import(write("m.onnx", model.serialize()));
  EXPECT_TRUE(module) << messages;
}

TEST_F(ImportFileTest, LeavesWeightsInTheFile) {
  Model model = makeShapes();
  std::vector<float> values(1 << 20);
  std::iota(values.begin(), values.end(), 0.0f);
  model.addFloats("big", {1 << 10, 1 << 10}, values);
  std::string path = write("m.onnx", model.serialize());
  mlir::OwningOpRef<mlir::ModuleOp> module = import(path);
  ASSERT_TRUE(module) << messages;
  int found = 0;
  module->walk([&](InitializerOp op) {
    if (op.getTensorName() != "big")
      return;
    ++found;
    EXPECT_EQ(op.getFile(), path);
    std::string bytes = read("m.onnx");
    float last;
    memcpy(&last, bytes.data() + op.getOffset() + 4 * (values.size() - 1), 4);
    EXPECT_EQ(last, values.back());
  });
  EXPECT_EQ(found, 1);

  // What is parsed does not hold the payload.
  llvm::Expected<std::string> outlined = outlinePayloads(read("m.onnx"));
  ASSERT_TRUE(bool(outlined));
  EXPECT_LT(outlined->size(), 4096u);
}

TEST_F(ImportFileTest, ReadsEveryElementType) {
  Model model;
  auto addRaw = [&](const std::string &name, int32_t type, std::string bytes) {
    model.addTensor(name, type, {}).set_raw_data(bytes);
  };
  using namespace std::string_literals;
  addRaw("f16", 10, "\x00\x3e"s);
  addRaw("bf16", 16, "\xc0\x3f"s);
  addRaw("f64", 11, "\x00\x00\x00\x00\x00\x00\xf8\x3f"s);
  addRaw("i32", 6, "\xfe\xff\xff\xff"s);
  addRaw("u8", 2, "\xfe"s);
  addRaw("i8", 3, "\xfe"s);
  addRaw("bool", 9, "\x01"s);
  model.addTensor("listed", 10, {2}).add_int32_data(0x3e00);
  model.graph().mutable_initializer()->rbegin()->add_int32_data(0xbe00);
  model.addTensor("single", 1, {}).add_float_data(1.5f);
  model.addNode("Identity", {"x"}, {"y"});
  mlir::OwningOpRef<mlir::ModuleOp> module =
      import(write("m.onnx", model.serialize()));
  ASSERT_TRUE(module) << messages;
  std::vector<std::string> constants;
  module->walk([&](ConstantOp op) {
    llvm::raw_string_ostream(constants.emplace_back()) << op.getValue();
  });
  EXPECT_EQ(constants,
            (std::vector<std::string>{
                "dense<1.500000e+00> : tensor<f16>",
                "dense<1.500000e+00> : tensor<bf16>",
                "dense<1.500000e+00> : tensor<f64>", "dense<-2> : tensor<i32>",
                "dense<254> : tensor<ui8>", "dense<-2> : tensor<i8>",
                "dense<true> : tensor<i1>",
                "dense<[1.500000e+00, -1.500000e+00]> : tensor<2xf16>",
                "dense<1.500000e+00> : tensor<f32>"}));
}

TEST_F(ImportFileTest, FindsExternalDataBesideTheModel) {
  Model model;
  Model::addEntry(model.addExternal("w", "sub/data.bin"), "offset", "8");
  model.addNode("Identity", {"x"}, {"y"});
  std::filesystem::create_directory(folder / "sub");
  write("sub/data.bin", std::string(24, '\0'));
  mlir::OwningOpRef<mlir::ModuleOp> module =
      import(write("m.onnx", model.serialize()));
  ASSERT_TRUE(module) << messages;
  auto op = *module->getOps<mlir::func::FuncOp>().begin();
  auto initializer = *op.front().getOps<InitializerOp>().begin();
  EXPECT_EQ(initializer.getFile(), pathOf("sub/data.bin"));
  EXPECT_EQ(initializer.getOffset(), 8);
}

TEST_F(ImportFileTest, RefusesExternalDataItMustNotOrCannotRead) {
  auto refuse = [&](const std::string &location, const std::string &part,
                    const std::string &offset = "0") {
    Model model;
    proto::TensorProto &tensor = model.addExternal("w", location);
    Model::addEntry(tensor, "offset", offset);
    Model::addEntry(tensor, "length", "16");
    model.addNode("Identity", {"x"}, {"y"});
    expectRefused(write("m.onnx", model.serialize()), part);
  };
  write("data.bin", std::string(16, '\0'));
  refuse("../data.bin", "inside the model's folder, but got '../data.bin'");
  refuse("a/../../data.bin", "inside the model's folder");
  refuse("/etc/passwd", "inside the model's folder, but got '/etc/passwd'");
  refuse("missing.bin", "missing.bin, but it cannot be read");
  refuse("data.bin", "it has 16; the file is truncated", "4");
  refuse("data.bin", "it has 16", "18446744073709551615");
  refuse("data.bin", "offset of external data to be a number", "-4");
}

TEST_F(ImportFileTest, RefusesWhatItDoesNotSupport) {
  auto refuse = [&](Model model, const std::string &part) {
    expectRefused(write("m.onnx", model.serialize()), part);
  };
  for (int64_t opset : {0, 10, 22}) {
    Model model = makeShapes();
    model.model.mutable_opset_import(0)->set_version(opset);
    refuse(model, "expected opset 11 to 21, but got " + std::to_string(opset));
  }
  Model strings = makeShapes();
  strings.addTensor("s", proto::TensorProto::STRING, {1});
  refuse(strings, "but got ONNX type 8");
  Model lengths = makeShapes();
  lengths.addFloats("short", {3, 3}, {1, 2});
  refuse(lengths, "expected 36 bytes for tensor 'short'");
  Model negative = makeShapes();
  negative.addFloats("negative", {-3}, {1, 2, 3});
  refuse(negative, "a shape of at most 2^40 elements");
  Model order = makeShapes();
  order.addNode("Add", {"later", "x"}, {"sum"});
  refuse(order, "expected input 'later' of Add to be computed before");
  Model twice = makeShapes();
  twice.addNode("Neg", {"x"}, {"y"});
  refuse(twice, "two values are 'y'");
  Model output = makeShapes();
  output.addOutput("z");
  refuse(output, "computes the output 'z'");
}

TEST_F(ImportFileTest, RefusesFilesThatAreNotModels) {
  expectRefused(pathOf("missing.onnx"), "cannot read");
  expectRefused(write("empty.onnx", ""), "there is no graph");
  expectRefused(write("text.onnx", "not a model, but text"), "not ONNX");
  std::string whole = makeShapes().serialize();
  for (size_t size = 0; size < whole.size(); ++size) {
    mlir::OwningOpRef<mlir::ModuleOp> module =
        import(write("cut.onnx", whole.substr(0, size)));
    EXPECT_EQ(!module, !messages.empty()) << "cut at " << size;
  }
}

TEST_F(ImportFileTest, SurvivesMutations) {
  Model model = makeShapes();
  model.addTensor("half", 10, {2}).set_raw_data("abcd");
  Model::addEntry(model.addExternal("e", "cut.onnx"), "length", "16");
  std::string whole = model.serialize();
  std::mt19937 random(1);
  auto draw = [&](size_t below) { return random() % below; };
  int imported = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string mutated = whole;
    for (size_t i = 0, e = 1 + draw(4); i < e; ++i) {
      size_t at = draw(mutated.size());
      switch (draw(5)) {
      case 0: // one bit
        mutated[at] ^= 1 << draw(8);
        break;
      case 1: // a number that is likely at some edge
        mutated[at] = "\x00\x01\x7f\x80\xff"[draw(5)];
        break;
      case 2:
        mutated.erase(at, 1 + draw(8));
        break;
      case 3:
        mutated.insert(at, mutated.substr(draw(mutated.size()), draw(16)));
        break;
      default:
        mutated.resize(std::max<size_t>(at, 1));
      }
      if (mutated.empty())
        break;
    }
    mlir::OwningOpRef<mlir::ModuleOp> module =
        import(write("cut.onnx", mutated));
    EXPECT_EQ(!module, !messages.empty()) << "round " << round;
    if (module) {
      ++imported;
      EXPECT_TRUE(mlir::succeeded(mlir::verify(*module))) << "round " << round;
    }
  }
  // Both outcomes are exercised.
  EXPECT_GT(imported, 100);
  EXPECT_LT(imported, 3900);
}

} // namespace
