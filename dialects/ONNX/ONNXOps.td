// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef ONNX_OPS_TD
#define ONNX_OPS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def ONNX_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::pmpd::onnx";
  let summary = "an ONNX graph as it is in the file, with symbolic shapes";
  let description = [{
    One generic op stands for every ONNX operator, so importing never fails for
    want of a definition. A graph is a `func.func`; its arguments and results
    carry their ONNX names as `onnx.name`. Weights are named by their place in a
    file and never enter the IR.

    The module has these attributes:
    - `onnx.opset`: the version of the default domain.
    - `onnx.file`: the model's file.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::func::FuncDialect"];
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

def ONNX_Dims : AttrDef<ONNX_Dialect, "Dims",
    [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "dims";
  let summary = "the dimensions of a tensor as expressions over symbols";
  let description = [{
    An expression is built of names, integers, `+`, `-`, `*`, `floordiv`,
    `ceildiv`, `mod` and parentheses. Names stand for non-negative integers.

    Constraints:
    - C1: every expression can be read.
    - C2: as the encoding of a tensor, there is one expression per dimension.
    - C3: an expression is an integer exactly if the dimension is static, and
      then it is equal to it.

    Example:
    ```mlir
    tensor<?x?x256xf16, #onnx.dims<"batch", "sequence", "256">>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"::mlir::StringAttr">:$exprs);
  let assemblyFormat = "`<` $exprs `>`";
  let genVerifyDecl = 1;
}

class ONNX_Op<string mnemonic, list<Trait> traits = []>
    : Op<ONNX_Dialect, mnemonic, traits>;

def ONNX_Value : AnyTypeOf<[AnyTensor, NoneType]>;

def ONNX_NodeOp : ONNX_Op<"node", [Pure]> {
  let summary = "a node of an ONNX graph";
  let description = [{
    Does what the operator `op_type` of `domain` (empty: the default one) does.
    `node_name` is the name the node has in the file; the part before the last
    `/` is its scope. An input that is left out is an `onnx.absent`.

    Constraints:
    - C1: `op_type` is not empty.
    - C2: there is at least one result.
    - C3: the inputs that an operator of the default domain, or one of ONNX
      Runtime that raising knows, needs are there.

    Example:
    ```mlir
    %0 = onnx.node "MatMul"(%a, %b) name "/lm_head/MatMul" : (tensor<?x8xf32>, tensor<8x4xf32>) -> tensor<?x4xf32>
    %1 = onnx.node "Softmax"(%0) name "/Softmax" {axis = -1 : i64} : (tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins StrAttr:$op_type,
                       DefaultValuedAttr<StrAttr, "\"\"">:$domain,
                       DefaultValuedAttr<StrAttr, "\"\"">:$node_name,
                       DefaultValuedAttr<DictionaryAttr, "{}">:$parameters,
                       Variadic<ONNX_Value>:$inputs);
  let results = (outs Variadic<AnyTensor>:$outputs);
  let assemblyFormat = [{
    $op_type `(` $inputs `)` (`domain` $domain^)? (`name` $node_name^)?
    ($parameters^)? attr-dict `:` functional-type($inputs, $outputs)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The operator attribute `name`, or null.
    ::mlir::Attribute getParameter(::llvm::StringRef name) {
      return getParameters().get(name);
    }
    /// Whether this is one of ONNX Runtime's own operators, of its domain or
    /// SimplifiedLayerNormalization, which files have in the default one.
    bool isFused();
    /// The integer attribute `name`, or `fallback`.
    int64_t getInt(::llvm::StringRef name, int64_t fallback);
    /// The float attribute `name`, or `fallback`.
    double getFloat(::llvm::StringRef name, double fallback);
    /// The string attribute `name`, or `fallback`.
    ::llvm::StringRef getString(::llvm::StringRef name,
                                ::llvm::StringRef fallback);
    /// The list of integers `name`; none if there is no such attribute.
    std::optional<::llvm::SmallVector<int64_t>> getInts(::llvm::StringRef name);
    /// Input `index`, or null if it is absent.
    ::mlir::Value getInput(unsigned index);
    /// The node's name up to its last '/'; empty if there is none.
    ::llvm::StringRef getScope();
  }];
}

def ONNX_ConstantOp : ONNX_Op<"constant", [Pure,
    AllTypesMatch<["value", "result"]>]> {
  let summary = "a small constant";
  let description = [{
    Constraints:
    - C1: there are at most 1024 elements.

    Example:
    ```mlir
    %0 = onnx.constant dense<[0, -1]> : tensor<2xi64>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    static constexpr int64_t maxElements = 1024;
  }];
}

def ONNX_InitializerOp : ONNX_Op<"initializer", [Pure]> {
  let summary = "a tensor in a file";
  let description = [{
    The elements are stored row-major and little endian from byte `offset` of
    `file`. `tensor_name` is the name of the initializer.

    Constraints:
    - C1: `file` is not empty.
    - C2: `offset` is not negative.

    Example:
    ```mlir
    %0 = onnx.initializer "wte.weight" at "model.onnx", 4096 : tensor<96x64xf32>
    ```
  }];
  let arguments = (ins StrAttr:$tensor_name, StrAttr:$file, I64Attr:$offset);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = [{
    $tensor_name `at` $file `,` $offset attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
}

def ONNX_AbsentOp : ONNX_Op<"absent", [Pure]> {
  let summary = "an optional input that is left out";
  let description = "Example: `%0 = onnx.absent : none`";
  let results = (outs NoneType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

#endif // ONNX_OPS_TD
