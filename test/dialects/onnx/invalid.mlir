// One function of the dialect's constraints each: what is refused, and how.
// RUN: pmpd-opt %s --split-input-file --verify-diagnostics

// dims_c1
// expected-error@+1 {{expected an expression of names, integers, +, -, *, floordiv, ceildiv and mod, but got "a +"}}
func.func private @dims_c1(tensor<?xf32, #onnx.dims<"a +">>)
// -----
// dims_c1_zero
// expected-error@+1 {{but got "a floordiv 0"}}
func.func private @dims_c1_zero(tensor<?xf32, #onnx.dims<"a floordiv 0">>)
// -----
// dims_c2
// expected-error@+1 {{expected 2 dimensions in the encoding, but got 1}}
func.func private @dims_c2(tensor<?x?xf32, #onnx.dims<"a">>)
// -----
// dims_c3
// expected-error@+1 {{expected the dimension "4" to be that of the shape, 8}}
func.func private @dims_c3(tensor<8xf32, #onnx.dims<"4">>)
// -----
// dims_c3_static
// expected-error@+1 {{expected the dimension "2 + 2" to be that of the shape, ?}}
func.func private @dims_c3_static(tensor<?xf32, #onnx.dims<"2 + 2">>)
// -----
func.func @node_c1(%x: tensor<f32>) {
  // expected-error@+1 {{expected an operator, but op_type is empty}}
  %0 = onnx.node ""(%x) : (tensor<f32>) -> tensor<f32>
  return
}
// -----
func.func @node_c2(%x: tensor<f32>) {
  // expected-error@+1 {{expected at least one result}}
  onnx.node "Neg"(%x) : (tensor<f32>) -> ()
  return
}
// -----
func.func @node_c3(%x: tensor<f32>) {
  %none = onnx.absent : none
  // expected-error@+1 {{expected MatMul node 'product' to have 2 inputs, but number 1 is left out}}
  %0 = onnx.node "MatMul"(%x, %none) name "product" : (tensor<f32>, none) -> tensor<f32>
  return
}
// -----
func.func @constant_c1() {
  // expected-error@+1 {{expected at most 1024 elements, but got 1025; use onnx.initializer}}
  %0 = onnx.constant dense<0> : tensor<1025xi64>
  return
}
// -----
func.func @initializer_c1() {
  // expected-error@+1 {{expected a file, but its name is empty}}
  %0 = onnx.initializer "w" at "", 0 : tensor<4xf32>
  return
}
// -----
func.func @initializer_c2() {
  // expected-error@+1 {{expected an offset of at least 0, but got -1}}
  %0 = onnx.initializer "w" at "m.onnx", -1 : tensor<4xf32>
  return
}
// -----
// expected-error@+1 {{expected onnx.opset to be an integer of a module, but got "17"}}
module attributes {onnx.opset = "17"} {}
// -----
// expected-error@+1 {{expected onnx.file to be a string of a module, but got 1 : i64}}
module attributes {onnx.file = 1 : i64} {}
// -----
// expected-error@+1 {{expected no attribute named "onnx.other"}}
module attributes {onnx.other = 1 : i64} {}
// -----
// expected-error@+1 {{expected onnx.name to be a string, but got "onnx.name" = 1 : i64}}
func.func private @name(tensor<f32> {onnx.name = 1 : i64})
