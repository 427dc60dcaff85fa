// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_OPS_TD
#define PMPD_OPS_TD

include "dialects/PMPD/PMPDModelOps.td"

//===----------------------------------------------------------------------===//
// Decoder ops. Rows are the tokens of a chunk.
//===----------------------------------------------------------------------===//

class PMPD_DecoderOp<string mnemonic, list<Trait> traits = []>
    : PMPD_Op<mnemonic, traits>;
class PMPD_WeightUser<string mnemonic, list<Trait> traits = []>
    : PMPD_DecoderOp<mnemonic, !listconcat(traits,
        [DeclareOpInterfaceMethods<SymbolUserOpInterface>])>;

def PMPD_EmbedOp : PMPD_WeightUser<"embed", [Pure]> {
  let summary = "look tokens up in an embedding table";
  let description = [{
    ```
    result[t, k] = scale * table[tokens[t], k]
    ```
    Constraints:
    - C1: `table` is a dense weight of rank 2.
    - C2: the result is `tensor<?xKxf32>` with K the table's columns.

    Example:
    ```mlir
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    ```
  }];
  let arguments = (ins PMPD_Tokens:$tokens, FlatSymbolRefAttr:$table,
                       DefaultValuedAttr<F64Attr, "1.0">:$scale);
  let results = (outs PMPD_Features:$result);
  let assemblyFormat = [{
    $tokens `,` $table (`scale` $scale^)? attr-dict
    `:` type($tokens) `->` type($result)
  }];
}

def PMPD_AddPositionOp : PMPD_WeightUser<"add_position", [Pure,
    AllTypesMatch<["input", "result"]>]> {
  let summary = "add learned position embeddings";
  let description = [{
    ```
    result[t, k] = input[t, k] + table[position + t + offset, k]
    ```
    Constraints:
    - C1: `table` is a dense weight of rank 2 with the input's columns.
    - C2: `offset` + the model's `context` is at most the table's rows.

    Example:
    ```mlir
    %p = pmpd.add_position %h, @wpe offset 0 : tensor<?x128xf32>
    ```
  }];
  let arguments = (ins PMPD_Features:$input, FlatSymbolRefAttr:$table,
                       I64Attr:$offset);
  let results = (outs PMPD_Features:$result);
  let assemblyFormat =
      "$input `,` $table `offset` $offset attr-dict `:` type($result)";
}

def PMPD_RmsNormOp : PMPD_WeightUser<"rms_norm", [Pure,
    AllTypesMatch<["input", "result"]>]> {
  let summary = "root mean square normalization of rows or of their heads";
  let description = [{
    For every vector x of d adjacent columns of a row, d the elements of
    `weight`: all columns, or those of a head where queries or keys are
    normalized by heads.
    ```
    x[k] -> x[k] / sqrt(mean(x^2) + eps) * weight[k]
    ```
    Constraints:
    - C1: `weight` is a dense vector whose elements divide the input's columns.
    - C2: `eps` is positive.

    Example:
    ```mlir
    %n = pmpd.rms_norm %h, @norm eps 1.0e-5 : tensor<?x128xf32>
    ```
  }];
  let arguments = (ins PMPD_Features:$input, FlatSymbolRefAttr:$weight,
                       F64Attr:$eps);
  let results = (outs PMPD_Features:$result);
  let assemblyFormat =
      "$input `,` $weight `eps` $eps attr-dict `:` type($result)";
}

def PMPD_LayerNormOp : PMPD_WeightUser<"layer_norm", [Pure,
    AllTypesMatch<["input", "result"]>]> {
  let summary = "layer normalization of every row";
  let description = [{
    ```
    c = input[t, :] - mean(input[t, :])
    result[t, k] = c[k] / sqrt(mean(c^2) + eps) * weight[k] + bias[k]
    ```
    Constraints:
    - C1: `weight` and `bias` are dense vectors of the input's columns.
    - C2: `eps` is positive.

    Example:
    ```mlir
    %n = pmpd.layer_norm %h, @w, @b eps 1.0e-5 : tensor<?x128xf32>
    ```
  }];
  let arguments = (ins PMPD_Features:$input, FlatSymbolRefAttr:$weight,
                       FlatSymbolRefAttr:$bias, F64Attr:$eps);
  let results = (outs PMPD_Features:$result);
  let assemblyFormat = [{
    $input `,` $weight `,` $bias `eps` $eps attr-dict `:` type($result)
  }];
}

def PMPD_QuantizeRowsOp : PMPD_DecoderOp<"quantize_rows", [Pure]> {
  let summary = "quantize activations to integers per group";
  let description = [{
    The arithmetic is that of the result's type.

    Constraints:
    - C1: the result has the input's columns.

    Example:
    ```mlir
    %q = pmpd.quantize_rows %n : tensor<?x128xf32> -> !pmpd.rows<128, bits = 8, group = 128>
    ```
  }];
  let arguments = (ins PMPD_Features:$input);
  let results = (outs PMPD_QuantizedRows:$result);
  let assemblyFormat =
      "$input attr-dict `:` type($input) `->` qualified(type($result))";
  let hasVerifier = 1;
}

def PMPD_LinearOp : PMPD_WeightUser<"linear", [Pure]> {
  let summary = "multiply rows by a weight, transposed, and add a bias";
  let description = [{
    ```
    result[t, n] = sum_k input[t, k] * weight_b[n, k] + bias[n]
    ```
    with b = `bits`, the prefix of a nested weight that is read. Before regions
    are specialized there is no `bits`; `pin` then fixes it for this layer
    whatever the phase's bits are.

    Constraints:
    - C1: `weight` is a weight of rank 2 with the input's columns.
    - C2: the result is `tensor<?xNxf32>` with N the weight's rows.
    - C3: `bias` is a dense vector of N.
    - C4: `bits` is a prefix of the nested weight; a dense weight has none.
    - C5: quantized rows need a nested weight of the same group.

    Example:
    ```mlir
    %q = pmpd.linear %n, @q_proj bits 3 : tensor<?x128xf32> -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins AnyTypeOf<[PMPD_Features, PMPD_QuantizedRows]>:$input,
                       FlatSymbolRefAttr:$weight,
                       OptionalAttr<FlatSymbolRefAttr>:$bias,
                       OptionalAttr<I32Attr>:$bits, OptionalAttr<I32Attr>:$pin);
  let results = (outs PMPD_Features:$result);
  let assemblyFormat = [{
    $input `,` $weight (`bias` $bias^)? (`bits` $bits^)? (`pin` $pin^)?
    attr-dict `:` type($input) `->` type($result)
  }];
}

def PMPD_RopeOp : PMPD_WeightUser<"rope", [Pure,
    AllTypesMatch<["input", "result"]>]> {
  let summary = "rotate query or key heads by their position";
  let description = [{
    With d = columns / heads, n frequencies, c and s the table's cosines and
    sines at position + t, for every head's vector x and i < n:
    ```
    half:        (x[i], x[i + n])       -> (x[i] c[i] - x[i+n] s[i], x[i+n] c[i] + x[i] s[i])
    interleaved: (x[2i], x[2i + 1])     -> the same
    ```
    Elements from 2n on are kept.

    Constraints:
    - C1: `table` names a `pmpd.rope_table`.
    - C2: `heads` divides the columns and each head has at least 2n elements.

    Example:
    ```mlir
    %r = pmpd.rope %q, @rope heads 4 : tensor<?x128xf32>
    ```
  }];
  let arguments = (ins PMPD_Features:$input, FlatSymbolRefAttr:$table,
                       I64Attr:$heads);
  let results = (outs PMPD_Features:$result);
  let assemblyFormat =
      "$input `,` $table `heads` $heads attr-dict `:` type($result)";
}

def PMPD_KVAppendOp : PMPD_WeightUser<"kv_append", [
    MemoryEffects<[MemWrite]>, AllTypesMatch<["keys", "values"]>]> {
  let summary = "append keys and values to the cache of a layer";
  let description = [{
    ```
    K[layer][h][position + t][i] = keys[t, h * head_dim + i]      V the same
    ```
    Constraints:
    - C1: the columns are the model's `kv_heads` * `head_dim`.
    - C2: `layer` is in [0, layers).

    Example:
    ```mlir
    pmpd.kv_append %k, %v layer 0 : tensor<?x64xf32>
    ```
  }];
  let arguments = (ins PMPD_Features:$keys, PMPD_Features:$values,
                       I64Attr:$layer);
  let assemblyFormat =
      "$keys `,` $values `layer` $layer attr-dict `:` type($keys)";
}

def PMPD_AttentionOp : PMPD_WeightUser<"attention", [
    MemoryEffects<[MemRead]>, AllTypesMatch<["query", "result"]>]> {
  let summary = "causal attention over the cache of a layer";
  let description = [{
    For row t and head h, over the cached positions j <= position + t, and
    j > position + t - window if there is a window:
    ```
    p_j = softmax_j(scale * query[t, h] . K[layer][h / (heads / kv_heads)][j])
    result[t, h] = sum_j p_j V[layer][h / (heads / kv_heads)][j]
    ```
    Constraints:
    - C1: the columns are the model's `heads` * `head_dim`.
    - C2: `layer` is in [0, layers).
    - C3: `window`, if given, is positive.

    Example:
    ```mlir
    %a = pmpd.attention %q layer 0 scale 0.125 : tensor<?x128xf32>
    ```
  }];
  let arguments = (ins PMPD_Features:$query, I64Attr:$layer, F64Attr:$scale,
                       OptionalAttr<I64Attr>:$window);
  let results = (outs PMPD_Features:$result);
  let assemblyFormat = [{
    $query `layer` $layer `scale` $scale (`window` $window^)? attr-dict
    `:` type($result)
  }];
}

def PMPD_ActivateOp : PMPD_DecoderOp<"activate", [Pure,
    SameOperandsAndResultType]> {
  let summary = "apply an elementwise function";
  let description = [{
    ```
    silu(x)      = x / (1 + exp(-x))
    gelu_erf(x)  = x/2 * (1 + erf(x / sqrt(2)))
    gelu_tanh(x) = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))
    relu(x)      = max(x, 0)
    ```
    Example:
    ```mlir
    %a = pmpd.activate silu %g : tensor<?x256xf32>
    ```
  }];
  let arguments = (ins PMPD_ActivationAttr:$kind, PMPD_Features:$input);
  let results = (outs PMPD_Features:$result);
  let assemblyFormat = "$kind $input attr-dict `:` type($result)";
}

class PMPD_BinaryOp<string mnemonic, string verb, string symbol>
    : PMPD_DecoderOp<mnemonic, [Pure, SameOperandsAndResultType]> {
  let summary = verb # " elementwise";
  let description = "`result[t, k] = lhs[t, k] " # symbol # " rhs[t, k]`";
  let arguments = (ins PMPD_Features:$lhs, PMPD_Features:$rhs);
  let results = (outs PMPD_Features:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}
def PMPD_AddOp : PMPD_BinaryOp<"add", "add", "+">;
def PMPD_MulOp : PMPD_BinaryOp<"mul", "multiply", "*">;

def PMPD_SelectLastOp : PMPD_DecoderOp<"select_last", [Pure,
    SameOperandsAndResultType]> {
  let summary = "keep the rows whose logits are asked for";
  let description = [{
    The last r rows of the chunk, r chosen by the caller of the region: none in
    all but the last chunk of a prompt, one before sampling, all for perplexity.

    Example:
    ```mlir
    %l = pmpd.select_last %h : tensor<?x128xf32>
    ```
  }];
  let arguments = (ins PMPD_Features:$input);
  let results = (outs PMPD_Features:$result);
  let assemblyFormat = "$input attr-dict `:` type($result)";
}

//===----------------------------------------------------------------------===//
// Lowered form
//===----------------------------------------------------------------------===//

def PMPD_LaunchOp : PMPD_Op<"launch", [HasParent<"RegionOp">,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "run the tasks of a kernel in parallel";
  let description = [{
    Calls `kernel`, which takes one pointer per address, the rows, the position
    and a range of tasks. There are `tasks` of them, for every `row_tile` rows
    begun if that is set. `rows` says whether the kernel sees all rows of the
    chunk or those whose logits are asked for.

    Neighbours of one `group` run as one launch: with a task per row, all of
    them row by row; with tasks that no rows count, side by side.

    Constraints:
    - C1: `kernel` names a function beside the model, or in a `gpu.module`
      beside it.
    - C2: the kernel has as many pointer or memref arguments as there are
      addresses, then four of type `index`, or i64 once it is lowered; in a
      `gpu.module`, then one more pointer.
    - C3: at most 16 addresses; `tasks` and `row_tile` are positive.

    Example:
    ```mlir
    pmpd.launch @rms_norm_128 [#pmpd.address<scratch, 0>, #pmpd.address<weights, 4096>, #pmpd.address<scratch, 512>] tasks 1 per 1 all
    ```
  }];
  let arguments = (ins SymbolRefAttr:$kernel,
                       TypedArrayAttrBase<PMPD_Address, "addresses">:$addresses,
                       I64Attr:$tasks, OptionalAttr<I64Attr>:$row_tile,
                       PMPD_RowsAttr:$rows, OptionalAttr<I64Attr>:$group);
  let assemblyFormat = [{
    $kernel $addresses `tasks` $tasks (`per` $row_tile^)? $rows
    (`group` $group^)? attr-dict
  }];
  let extraClassDeclaration = [{
    /// Of the function, without the module of a device.
    ::llvm::StringRef getKernelName() { return getKernel().getLeafReference(); }
    bool isOnDevice() { return !getKernel().getNestedReferences().empty(); }
  }];
}

#endif // PMPD_OPS_TD
