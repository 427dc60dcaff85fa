// RUN: pmpd-opt %s --pmpd-lower-onnx-to-linalg --canonicalize | FileCheck %s
// What is computed is compared with ONNX Runtime in test/e2e/learned-numbers.test.

!rows = tensor<1x?x4xf32, #onnx.dims<"1", "n", "4">>

// CHECK-DAG: #[[$ID:.+]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[$LAST:.+]] = affine_map<(d0, d1, d2) -> (d2)>
// CHECK-DAG: #[[$LEFT:.+]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[$RIGHT:.+]] = affine_map<(d0, d1, d2, d3) -> (d3, d2)>
// CHECK-LABEL: func.func @broadcasts(
// CHECK-SAME:    %[[X:.*]]: tensor<1x?x4xf32>, %[[BIAS:.*]]: tensor<4xf32>) -> tensor<1x?x4xf32>
// CHECK:         %[[N:.*]] = tensor.dim %[[X]], %c1
// CHECK:         %[[E:.*]] = tensor.empty(%[[N]]) : tensor<1x?x4xf32>
// CHECK:         linalg.generic {indexing_maps = [#[[$ID]], #[[$LAST]], #[[$ID]]]
// CHECK-SAME:      ins(%[[X]], %[[BIAS]]
// CHECK:           arith.addf
// CHECK-NOT:     onnx.
func.func @broadcasts(%x: !rows, %bias: tensor<4xf32>) -> !rows {
  %0 = onnx.node "Add"(%x, %bias) name "add" : (!rows, tensor<4xf32>) -> !rows
  return %0 : !rows
}

// The mean divides by the number of rows, which is only known at run time.
// CHECK-LABEL: func.func @mean(
// CHECK-SAME:    %[[X:.*]]: tensor<1x?x4xf32>) -> tensor<1x4xf32>
// CHECK-DAG:     %[[N:.*]] = tensor.dim %[[X]], %c1
// CHECK:         iterator_types = ["parallel", "reduction", "parallel"]
// CHECK:           arith.addf
// CHECK:         %[[I:.*]] = arith.index_cast %[[N]]
// CHECK:         %[[F:.*]] = arith.sitofp %[[I]]
// CHECK:           arith.divf %{{.*}}, %[[F]]
func.func @mean(%x: !rows) -> tensor<1x4xf32> {
  %axis = onnx.constant dense<-2> : tensor<1xi64>
  %0 = onnx.node "ReduceMean"(%x, %axis) name "mean" {keepdims = 0 : i64} : (!rows, tensor<1xi64>) -> tensor<1x4xf32>
  return %0 : tensor<1x4xf32>
}

// The largest is subtracted before exp, so that no input overflows.
// CHECK-LABEL: func.func @softmax(
// CHECK:         arith.maximumf
// CHECK:         arith.subf
// CHECK:         math.exp
// CHECK:         arith.addf
// CHECK:         arith.divf
func.func @softmax(%x: !rows) -> !rows {
  %0 = onnx.node "Softmax"(%x) name "softmax" {axis = 1 : i64} : (!rows) -> !rows
  return %0 : !rows
}

// CHECK-LABEL: func.func @matmul(
// CHECK:         linalg.generic {indexing_maps = [#[[$LEFT]], #[[$RIGHT]]
// CHECK-SAME:      iterator_types = ["parallel", "parallel", "parallel", "reduction"]
func.func @matmul(%x: !rows, %w: tensor<4x8xf32>) -> tensor<1x?x8xf32, #onnx.dims<"1", "n", "8">> {
  %0 = onnx.node "MatMul"(%x, %w) name "matmul" : (!rows, tensor<4x8xf32>) -> tensor<1x?x8xf32, #onnx.dims<"1", "n", "8">>
  return %0 : tensor<1x?x8xf32, #onnx.dims<"1", "n", "8">>
}

// Sizes of a reshape come from symbolic dimensions, not from its second input.
// CHECK-LABEL: func.func @reshape(
// CHECK-SAME:    %[[X:.*]]: tensor<1x?x4xf32>, %{{.*}}: tensor<2xi64>)
// CHECK:         %[[N:.*]] = tensor.dim %[[X]], %c1
// CHECK:         %[[H:.*]] = arith.muli %[[N]], %c2
// CHECK:         tensor.expand_shape %{{.*}} output_shape [%[[H]], 2]
func.func @reshape(%x: !rows, %shape: tensor<2xi64>) -> tensor<?x2xf32, #onnx.dims<"n*2", "2">> {
  %0 = onnx.node "Reshape"(%x, %shape) name "reshape" : (!rows, tensor<2xi64>) -> tensor<?x2xf32, #onnx.dims<"n*2", "2">>
  return %0 : tensor<?x2xf32, #onnx.dims<"n*2", "2">>
}

// Nodes that no result needs may be of any kind.
// CHECK-LABEL: func.func @unneeded(
// CHECK-NEXT:    return %{{.*}} : tensor<4xf32>
func.func @unneeded(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = onnx.node "Unheard"(%x) name "aside" : (tensor<4xf32>) -> tensor<*xf32>
  %1 = onnx.node "Identity"(%x) name "identity" : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// Tensors of a function on buffers enter and leave by casts.
// CHECK-LABEL: func.func @on_buffers(
// CHECK:         bufferization.to_tensor
// CHECK-NEXT:    tensor.empty
// CHECK-NEXT:    linalg.generic
// CHECK:         bufferization.materialize_in_destination
func.func @on_buffers(%in: memref<4xf32>, %out: memref<4xf32>) {
  %0 = bufferization.to_tensor %in restrict : memref<4xf32> to tensor<4xf32>
  %1 = builtin.unrealized_conversion_cast %0 : tensor<4xf32> to tensor<4xf32>
  %2 = onnx.node "Relu"(%1) name "relu" : (tensor<4xf32>) -> tensor<4xf32>
  %3 = builtin.unrealized_conversion_cast %2 : tensor<4xf32> to tensor<4xf32>
  bufferization.materialize_in_destination %3 in restrict writable %out : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}
