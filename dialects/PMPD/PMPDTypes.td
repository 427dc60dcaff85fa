// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TYPES_TD
#define PMPD_TYPES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/TensorEncoding.td"

def PMPD_Dialect : Dialect {
  let name = "pmpd";
  let cppNamespace = "::pmpd";
  let summary = "decoder language models with phases and nested precisions";
  let description = [{
    A `pmpd.model` holds the weights, the KV cache's description and the phases
    of a decoder. A weight is a name with a type and a place in a file; its
    bytes never enter the IR. A nested weight is stored once and readable at
    several bit-widths; a phase says which of them it is compiled for.

    The passes take a model through these forms:

    1. one `pmpd.body` (raised from ONNX),
    2. `pmpd.prefill` and `pmpd.decode` with their bits (form phases, allocate),
    3. nested weights (quantize),
    4. one `pmpd.region` per phase and bit-width and a `pmpd.region_table`
       (specialize),
    5. places in the weight file (pack) and in scratch memory (plan memory),
    6. `pmpd.launch` of generated kernels (lower).
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = "void registerTypesAndAttributes();";
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

class PMPD_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::pmpd";
  let genSpecializedAttr = 0;
}
class PMPD_EnumAttr<EnumAttrInfo info, string mnemonic>
    : EnumAttr<PMPD_Dialect, info, mnemonic>;

def PMPD_Scheme : PMPD_Enum<"Scheme", "how a code becomes a value", [
  I32EnumAttrCase<"Affine", 0, "affine">,
  I32EnumAttrCase<"Codebook", 1, "codebook">]>;
def PMPD_Layout : PMPD_Enum<"Layout", "bytes of a packed weight", [
  I32EnumAttrCase<"Unpacked", 0, "unpacked">,
  I32EnumAttrCase<"Plain", 1, "plain">,
  I32EnumAttrCase<"S", 2, "s">,
  I32EnumAttrCase<"NPU", 3, "npu">,
  I32EnumAttrCase<"GPU", 4, "gpu">]>;
def PMPD_Phase : PMPD_Enum<"Phase", "phase of generation", [
  I32EnumAttrCase<"Prefill", 0, "prefill">,
  I32EnumAttrCase<"Decode", 1, "decode">]>;
def PMPD_PhaseAttr : PMPD_EnumAttr<PMPD_Phase, "phase">;
def PMPD_RopeStyle : PMPD_Enum<"RopeStyle", "which elements rotate together", [
  I32EnumAttrCase<"Half", 0, "half">,
  I32EnumAttrCase<"Interleaved", 1, "interleaved">]>;
def PMPD_RopeStyleAttr : PMPD_EnumAttr<PMPD_RopeStyle, "rope_style">;
def PMPD_Activation : PMPD_Enum<"ActivationKind", "elementwise function", [
  I32EnumAttrCase<"Silu", 0, "silu">,
  I32EnumAttrCase<"GeluTanh", 1, "gelu_tanh">,
  I32EnumAttrCase<"GeluErf", 2, "gelu_erf">,
  I32EnumAttrCase<"Relu", 3, "relu">]>;
def PMPD_ActivationAttr : PMPD_EnumAttr<PMPD_Activation, "activation_kind">;
def PMPD_Space : PMPD_Enum<"Space", "memory a region addresses", [
  I32EnumAttrCase<"Weights", 0, "weights">,
  I32EnumAttrCase<"Scratch", 1, "scratch">,
  I32EnumAttrCase<"KV", 2, "kv">,
  I32EnumAttrCase<"Tokens", 3, "tokens">,
  I32EnumAttrCase<"Logits", 4, "logits">]>;
def PMPD_Rows : PMPD_Enum<"Rows", "which rows of a chunk an op sees", [
  I32EnumAttrCase<"All", 0, "all">,
  I32EnumAttrCase<"Logits", 1, "logits">]>;
def PMPD_RowsAttr : PMPD_EnumAttr<PMPD_Rows, "rows">;

class PMPD_Type<string name, string typeMnemonic>
    : TypeDef<PMPD_Dialect, name> {
  let mnemonic = typeMnemonic;
}
class PMPD_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<PMPD_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def PMPD_Nested : PMPD_Type<"Nested", "nested"> {
  let summary = "a weight stored once and readable at several bit-widths";
  let description = [{
    `rows` x `cols` elements of `bits` bits, most significant plane first, with
    one table of parameters for each readable prefix:

    ```
    affine:   value_b[n, k] = scale_b[n, k / group] * (code[n, k] >> (bits - b))
                              + min_b[n, k / group]
    codebook: value_b[n, k] = table_b[n][code[n, k] >> (bits - b)]
    ```

    Constraints:
    - C1: `rows` and `cols` are positive.
    - C2: `bits` is 2, 3 or 4.
    - C3: `prefixes` ascend, lie in [2, bits] and end with `bits`.
    - C4: for `affine`, `group` is a positive multiple of 32 that divides
      `cols`; for `codebook` it is 0.

    Example:
    ```mlir
    !pmpd.nested<256x768, bits = 4, prefixes = [2, 3, 4], affine, group = 128, unpacked>
    ```
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$cols, "unsigned":$bits,
                        ArrayRefParameter<"unsigned">:$prefixes,
                        EnumParameter<PMPD_Scheme>:$scheme,
                        "int64_t":$group,
                        EnumParameter<PMPD_Layout>:$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    NestedType withLayout(Layout layout) const;
    /// Position of `bits` in the prefixes, or -1.
    int getPrefixIndex(unsigned bits) const;
  }];
}

def PMPD_QuantizedRows : PMPD_Type<"QuantizedRows", "rows"> {
  let summary = "activation rows quantized to integers per group";
  let description = [{
    Rows of `cols` elements as signed `bits`-bit integers with, per row and
    group, the scale and the sum that an affine weight's offset multiplies:

    ```
    scale[t, g] = max |x[t, k]| / limit     k in group g; limit 127 or 32639
    q[t, k]     = round_to_even(x[t, k] / scale[t, g])
    sum[t, g]   = scale[t, g] * sum of q[t, k]
    ```

    Constraints:
    - C1: `bits` is 8 or 16.
    - C2: `group` is a positive multiple of 32 that divides `cols`.

    Example: `!pmpd.rows<768, bits = 8, group = 128>`
  }];
  let parameters = (ins "int64_t":$cols, "unsigned":$bits, "int64_t":$group);
  let assemblyFormat = "`<` $cols `,` `bits` `=` $bits `,` `group` `=` $group `>`";
  let genVerifyDecl = 1;
}

def PMPD_Blocks : PMPD_Attr<"Blocks", "blocks",
    [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "elements of a source that are stored as codes in blocks";
  let description = [{
    The encoding of the type of a `#pmpd.source`, a matrix. In place of its
    elements there are, row by row, blocks of `size` codes of `bits` bits, the
    last one filled up, the first code in the lowest bits of a byte. With a scale
    of the element type for every block, row-major from byte `scales` of
    `scales_file`,
    ```
    element[r, c] = (code[r, c] - zero[r, c / size]) * scale[r, c / size]
    ```
    Zeros are codes of as many bits, the rows beginning with a byte each, from
    byte `zeros` of `zeros_file`; all are 2^(bits - 1) if that file is empty.

    Constraints:
    - C1: `bits` is 2, 4 or 8, and `size` a positive multiple of 8.
    - C2: the type is a matrix.

    Example:
    ```mlir
    tensor<64x96xf16, #pmpd.blocks<4, size = 32, scales = "m.onnx", 3072, zeros = "", 0>>
    ```
  }];
  let parameters = (ins "unsigned":$bits, "int64_t":$size,
                        StringRefParameter<"path">:$scales_file,
                        "int64_t":$scales,
                        StringRefParameter<"path">:$zeros_file,
                        "int64_t":$zeros);
  let assemblyFormat = [{
    `<` $bits `,` `size` `=` $size `,` `scales` `=` $scales_file `,` $scales `,`
        `zeros` `=` $zeros_file `,` $zeros `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Blocks of a row of `cols` elements.
    int64_t getBlocks(int64_t cols) const {
      return (cols + getSize() - 1) / getSize();
    }
    /// Bytes of the codes of a row.
    int64_t getCodeBytes(int64_t cols) const {
      return getBlocks(cols) * getSize() * getBits() / 8;
    }
    /// Bytes of the zeros of a row.
    int64_t getZeroBytes(int64_t cols) const {
      return (getBlocks(cols) * getBits() + 7) / 8;
    }
  }];
}

def PMPD_Source : PMPD_Attr<"Source", "source"> {
  let summary = "where the values of a weight are read from";
  let description = [{
    Elements of `type`, row-major from byte `offset` of `file`, as they are or in
    the way of a `#pmpd.blocks` that is the encoding of the type. `transposed`
    says that the stored matrix is [cols, rows]; `row` is the first row to take,
    for a weight that is a slice of a fused one.

    Example:
    ```mlir
    #pmpd.source<"model.onnx", offset = 4096, type = tensor<256x768xf16>, transposed = true, row = 0>
    ```
  }];
  let parameters = (ins StringRefParameter<"path">:$file, "int64_t":$offset,
                        "::mlir::RankedTensorType":$type, "bool":$transposed,
                        "int64_t":$row);
  let assemblyFormat = [{
    `<` $file `,` `offset` `=` $offset `,` `type` `=` $type `,`
        `transposed` `=` $transposed `,` `row` `=` $row `>`
  }];
}

def PMPD_Address : PMPD_Attr<"Address", "address"> {
  let summary = "a place in one of the memories of a region";
  let description = [{
    ```
    start of space + offset + skip * (rows - logit rows)
    ```
    `skip`, the bytes of a row, is how the rows whose logits are asked for are
    found behind the others; 0 where all rows are meant.

    Example: `#pmpd.address<scratch, 1024, skip = 512>`
  }];
  let parameters = (ins EnumParameter<PMPD_Space>:$space, "int64_t":$offset,
                        DefaultValuedParameter<"int64_t", "0">:$skip);
  let assemblyFormat = "`<` $space `,` $offset (`,` `skip` `=` $skip^)? `>`";
}

#endif // PMPD_TYPES_TD
