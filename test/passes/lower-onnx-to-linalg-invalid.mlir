// RUN: pmpd-opt %s --pmpd-lower-onnx-to-linalg --split-input-file --verify-diagnostics

// Every node that stands in the way is named, and none that is only behind one.
func.func @all_at_once(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{cannot lower node 'a' (Unheard): the operator has no lowering}}
  %0 = onnx.node "Unheard"(%x) name "a" : (tensor<4xf32>) -> tensor<*xf32>
  %1 = onnx.node "Relu"(%0) name "behind" : (tensor<*xf32>) -> tensor<*xf32>
  %three = onnx.constant dense<3.0> : tensor<1xf32>
  // expected-error@+1 {{cannot lower node 'b' (Pow): expected a constant exponent of 2 or 0.5}}
  %2 = onnx.node "Pow"(%x, %three) name "b" : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %3 = onnx.node "Add"(%1, %2) name "sum" : (tensor<*xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// -----

func.func @domain(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{cannot lower node 'relu' (Relu): the operator has no lowering}}
  %0 = onnx.node "Relu"(%x) domain "com.example" name "relu" : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @element(%x: tensor<4xf16>) -> tensor<4xf32> {
  // expected-error@+1 {{cannot lower node 'cast' (Cast): expected input 0 to be a tensor of f32 of known rank; export the network in float32}}
  %0 = onnx.node "Cast"(%x) name "cast" {to = 1 : i64} : (tensor<4xf16>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @result_element(%x: tensor<4xf32>) -> tensor<4xf16> {
  // expected-error@+1 {{cannot lower node 'cast' (Cast): expected a result of f32; export the network in float32}}
  %0 = onnx.node "Cast"(%x) name "cast" {to = 10 : i64} : (tensor<4xf32>) -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// -----

func.func @rank(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{cannot lower node 'relu' (Relu): expected a result of known rank}}
  %0 = onnx.node "Relu"(%x) name "relu" : (tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @shape(%x: tensor<4xf32>) -> tensor<?xf32, #onnx.dims<"m">> {
  // expected-error@+1 {{cannot lower node 'relu' (Relu): expected a shape that follows from those of the inputs}}
  %0 = onnx.node "Relu"(%x) name "relu" : (tensor<4xf32>) -> tensor<?xf32, #onnx.dims<"m">>
  return %0 : tensor<?xf32, #onnx.dims<"m">>
}

// -----

func.func @broadcast(%x: tensor<4xf32>, %y: tensor<3xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{cannot lower node 'add' (Add): expected shapes that broadcast to that of the result, but got [4] and [3]}}
  %0 = onnx.node "Add"(%x, %y) name "add" : (tensor<4xf32>, tensor<3xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @axes(%x: tensor<4xf32>, %axes: tensor<1xi64>) -> tensor<1xf32> {
  // expected-error@+1 {{cannot lower node 'sum' (ReduceSum): expected constant axes of the input}}
  %0 = onnx.node "ReduceSum"(%x, %axes) name "sum" : (tensor<4xf32>, tensor<1xi64>) -> tensor<1xf32>
  return %0 : tensor<1xf32>
}

// -----

func.func @axis(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{cannot lower node 'softmax' (Softmax): expected an axis of the input}}
  %0 = onnx.node "Softmax"(%x) name "softmax" {axis = 7 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @order(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // expected-error@+1 {{cannot lower node 'transpose' (Transpose): expected perm to order the axes of the input}}
  %0 = onnx.node "Transpose"(%x) name "transpose" {perm = array<i64: 0, 0>} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

func.func @size(%x: tensor<4xf32>, %shape: tensor<1xi64>) -> tensor<5xf32> {
  // expected-error@+1 {{cannot lower node 'reshape' (Reshape): expected as many elements as in the input [4]}}
  %0 = onnx.node "Reshape"(%x, %shape) name "reshape" : (tensor<4xf32>, tensor<1xi64>) -> tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

func.func @matrices(%x: tensor<2x4xf32>, %y: tensor<3x2xf32>) -> tensor<2x2xf32> {
  // expected-error@+1 {{cannot lower node 'matmul' (MatMul): expected matrices that fit}}
  %0 = onnx.node "MatMul"(%x, %y) name "matmul" : (tensor<2x4xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

func.func @training(%x: tensor<4xf32>) -> tensor<4xf32> {
  %half = onnx.constant dense<0.5> : tensor<1xf32>
  %true = onnx.constant dense<true> : tensor<1xi1>
  // expected-error@+1 {{cannot lower node 'dropout' (Dropout): expected a network for inference; export it with training off}}
  %0 = onnx.node "Dropout"(%x, %half, %true) name "dropout" : (tensor<4xf32>, tensor<1xf32>, tensor<1xi1>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @weight(%x: tensor<4xf32>) -> tensor<4xf32> {
  %w = onnx.initializer "w" at "weights", 0 : tensor<4xf32>
  // expected-error@+1 {{cannot lower node 'add' (Add): expected weight 'w' to be an argument; run --pmpd-attach-scheduler}}
  %0 = onnx.node "Add"(%x, %w) name "add" : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// What a file says of its outputs is not believed.
func.func @claim(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // expected-error@+1 {{cannot lower node 'transpose' (Transpose): expected a result of [4, 3], but it is [3, 4]}}
  %0 = onnx.node "Transpose"(%x) name "transpose" : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}
