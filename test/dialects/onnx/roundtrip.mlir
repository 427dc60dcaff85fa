// RUN: pmpd-opt %s | pmpd-opt | FileCheck %s

// CHECK: module attributes {onnx.file = "m.onnx", onnx.opset = 17 : i64}
module attributes {onnx.file = "m.onnx", onnx.opset = 17 : i64} {
  // CHECK-LABEL: func.func @graph(
  // CHECK-SAME: tensor<?x?x8xf16, #onnx.dims<"batch", "past + sequence", "8">> {onnx.name = "x"})
  func.func @graph(%x: tensor<?x?x8xf16, #onnx.dims<"batch", "past + sequence", "8">> {onnx.name = "x"})
      -> (tensor<*xf16> {onnx.name = "y"}) {
    // CHECK: onnx.constant dense<[0, -1]> : tensor<2xi64>
    %axes = onnx.constant dense<[0, -1]> : tensor<2xi64>
    // CHECK: onnx.initializer "w" at "m.onnx", 4096 : tensor<8x4xf16>
    %w = onnx.initializer "w" at "m.onnx", 4096 : tensor<8x4xf16>
    // CHECK: onnx.absent : none
    %none = onnx.absent : none
    // CHECK: onnx.node "MatMul"(%arg0, %{{.*}}) name "/scope/MatMul" : (tensor<?x?x8xf16, #onnx.dims<"batch", "past + sequence", "8">>, tensor<8x4xf16>) -> tensor<*xf16>
    %0 = onnx.node "MatMul"(%x, %w) name "/scope/MatMul" : (tensor<?x?x8xf16, #onnx.dims<"batch", "past + sequence", "8">>, tensor<8x4xf16>) -> tensor<*xf16>
    // CHECK: onnx.node "FastGelu"(%{{.*}}, %{{.*}}) domain "com.microsoft" {axis = -1 : i64}
    %1 = onnx.node "FastGelu"(%0, %none) domain "com.microsoft" {axis = -1 : i64} : (tensor<*xf16>, none) -> tensor<*xf16>
    return %1 : tensor<*xf16>
  }
}

// Every operator of an expression, printed as it was read.
// CHECK: tensor<?x?x?xf32, #onnx.dims<"(a + b) * 2 - 1", "a floordiv 2 + b ceildiv 3", "a mod 4">>
func.func private @expressions(tensor<?x?x?xf32, #onnx.dims<"(a + b) * 2 - 1", "a floordiv 2 + b ceildiv 3", "a mod 4">>)
