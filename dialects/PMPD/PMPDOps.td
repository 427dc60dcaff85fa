// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_OPS_TD
#define PMPD_OPS_TD

include "dialects/PMPD/PMPDTypes.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class PMPD_Op<string mnemonic, list<Trait> traits = []>
    : Op<PMPD_Dialect, mnemonic, traits>;

def PMPD_Tokens : TensorOf<[I32]>;
def PMPD_Features : RankedTensorOf<[F32]>;

//===----------------------------------------------------------------------===//
// Model and resources
//===----------------------------------------------------------------------===//

def PMPD_ModelOp : PMPD_Op<"model", [Symbol, SymbolTable, IsolatedFromAbove,
                                     NoTerminator, SingleBlock,
                                     NoRegionArguments]> {
  let summary = "a decoder model: weights, KV cache and phases";
  let description = [{
    Holds the symbol table of one model. The KV cache is a resource of the
    model, `[layers][K, V][kv_heads][context][head_dim]` of `kv_type`.

    Constraints:
    - C1: every dimension is positive.
    - C2: `heads` is a multiple of `kv_heads`.
    - C3: `kv_type` is f16 or f32.

    Example:
    ```mlir
    pmpd.model @tiny vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 2, head_dim = 32, context = 64, kv = f16 {
      pmpd.weight @embed : tensor<64x128xf16>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$vocab,
                       I64Attr:$hidden, I64Attr:$layers, I64Attr:$heads,
                       I64Attr:$kv_heads, I64Attr:$head_dim, I64Attr:$context,
                       TypeAttr:$kv_type,
                       OptionalAttr<StrAttr>:$weights_digest);
  let regions = (region SizedRegion<1>:$bodyRegion);
  let assemblyFormat = [{
    $sym_name `vocab` `=` $vocab `,` `hidden` `=` $hidden `,`
    `layers` `=` $layers `,` `heads` `=` $heads `,` `kv_heads` `=` $kv_heads `,`
    `head_dim` `=` $head_dim `,` `context` `=` $context `,` `kv` `=` $kv_type
    (`digest` `=` $weights_digest^)? attr-dict-with-keyword $bodyRegion
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Bytes of one K or V of one layer.
    int64_t getKVPlaneBytes();
    int64_t getKVBytes() { return 2 * getLayers() * getKVPlaneBytes(); }
  }];
}

def PMPD_WeightOp : PMPD_Op<"weight", [Symbol, HasParent<"ModelOp">]> {
  let summary = "a tensor in an external file";
  let description = [{
    Names a weight of shape [rows, cols], or [cols] for a vector. `source` is
    where its values come from; `at` is the byte in the weight file where the
    packed form is, once it is packed.

    Constraints:
    - C1: the type is a nested type or a tensor of f16 or f32 with a static
      shape of rank 1 or 2.
    - C2: the source's stored shape is that of the weight, transposed if the
      source says so, with `row` + rows within the stored rows. One in blocks is
      not transposed.
    - C3: `at` is a multiple of 64.

    Example:
    ```mlir
    pmpd.weight @q : tensor<128x128xf16> from #pmpd.source<"m.onnx", offset = 0, type = tensor<128x128xf16>, transposed = true, row = 0>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttr:$type,
                       OptionalAttr<PMPD_Source>:$source,
                       OptionalAttr<I64Attr>:$at);
  let assemblyFormat = [{
    $sym_name `:` $type (`from` qualified($source)^)? (`at` $at^)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getRows();
    int64_t getCols();
    /// The nested type, or null for a dense weight.
    ::pmpd::NestedType getNested();
  }];
}

def PMPD_RopeTableOp : PMPD_Op<"rope_table", [Symbol, HasParent<"ModelOp">]> {
  let summary = "cosines and sines of a rotary embedding";
  let description = [{
    The table `[context][2 * n]` of f32, n = size of `inv_freq`: n cosines, then
    n sines of `position * inv_freq[i]`, times `scale`.

    Constraints:
    - C1: `inv_freq` is not empty and finite.
    - C2: 2 * n is at most the model's `head_dim`.
    - C3: `at` is a multiple of 64.

    Example:
    ```mlir
    pmpd.rope_table @rope inv_freq = [1.0, 0.1], scale = 1.0, half
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, DenseF64ArrayAttr:$inv_freq,
                       F64Attr:$scale, PMPD_RopeStyleAttr:$style,
                       OptionalAttr<I64Attr>:$at);
  let assemblyFormat = [{
    $sym_name `inv_freq` `=` custom<Numbers>($inv_freq) `,` `scale` `=` $scale `,` $style
    (`at` $at^)? attr-dict
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

class PMPD_PhaseLikeOp<string mnemonic, list<Trait> traits = []>
    : PMPD_Op<mnemonic, !listconcat(traits, [HasParent<"ModelOp">,
        IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">])> {
  let regions = (region SizedRegion<1>:$bodyRegion);
  code commonClassDeclaration = [{
    ::mlir::BlockArgument getTokens() { return getBody()->getArgument(0); }
  }];
}

def PMPD_BodyOp : PMPD_PhaseLikeOp<"body"> {
  let summary = "the decoder before phases are formed";
  let description = [{
    From the tokens of a chunk, `tensor<?xi32>`, to logits. The position of the
    first token is implicit, like the KV cache.

    Constraints:
    - C1: the block has one argument, `tensor<?xi32>`.
    - C2: the yielded value is `tensor<?xVxf32>` with V the model's `vocab`.
  }];
  let assemblyFormat = "attr-dict-with-keyword $bodyRegion";
  let hasVerifier = 1;
  let extraClassDeclaration = commonClassDeclaration;
}

class PMPD_AnnotatedPhaseOp<string mnemonic> : PMPD_PhaseLikeOp<mnemonic> {
  let arguments = (ins DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$bits);
  let assemblyFormat = "(`bits` $bits^)? attr-dict-with-keyword $bodyRegion";
  let hasVerifier = 1;
  let extraClassDeclaration = commonClassDeclaration;
}

defvar phaseConstraints = [{

    Constraints:
    - C1: the block has one argument, `tensor<?xi32>`.
    - C2: the yielded value is `tensor<?xVxf32>` with V the model's `vocab`.
    - C3: `bits` has no duplicates; each is 2 to 4, or 16 or 32 (unquantized).
}];

def PMPD_PrefillOp : PMPD_AnnotatedPhaseOp<"prefill"> {
  let summary = "the phase that reads the prompt";
  let description = !strconcat([{
    Runs on chunks of many tokens. `bits` are the precisions to compile it for;
    empty before allocation.
  }], phaseConstraints);
}
def PMPD_DecodeOp : PMPD_AnnotatedPhaseOp<"decode"> {
  let summary = "the phase that writes token by token";
  let description = !strconcat([{
    Runs on one token. `bits` are the precisions to compile it for; empty before
    allocation.
  }], phaseConstraints);
}

def PMPD_RegionOp : PMPD_PhaseLikeOp<"region", [Symbol]> {
  let summary = "a phase at one precision";
  let description = [{
    What the runtime calls: at most `max_rows` tokens of `phase`, weights read
    at `bits`. `scratch` bytes of memory are planned for it; `weight_bytes` of
    the weight file are read by one call.

    Constraints:
    - C1: the block has one argument, `tensor<?xi32>`.
    - C2: the yielded value, if there is one, is `tensor<?xVxf32>` with V the
      model's `vocab`.
    - C3: `max_rows` is positive, and 1 for `decode`.
    - C4: every `pmpd.linear` in it that reads a nested weight says its bits.

    Example:
    ```mlir
    pmpd.region @decode_b2 decode bits = 2, max_rows = 1 {
    ^bb0(%tokens: tensor<?xi32>):
      ...
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, PMPD_PhaseAttr:$phase,
                       I32Attr:$bits, I64Attr:$max_rows,
                       OptionalAttr<I64Attr>:$scratch,
                       OptionalAttr<I64Attr>:$weight_bytes);
  let assemblyFormat = [{
    $sym_name $phase `bits` `=` $bits `,` `max_rows` `=` $max_rows
    (`,` `scratch` `=` $scratch^)? (`,` `weight_bytes` `=` $weight_bytes^)?
    attr-dict-with-keyword $bodyRegion
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = commonClassDeclaration;
}

def PMPD_RegionTableOp : PMPD_Op<"region_table", [HasParent<"ModelOp">,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the regions of a model in the order the runtime sees them";
  let description = [{
    Constraints:
    - C1: every entry names a `pmpd.region` of the model.
    - C2: no two entries have the same phase and bits.

    Example: `pmpd.region_table [@prefill_b4, @decode_b4, @decode_b2]`
  }];
  let arguments = (ins FlatSymbolRefArrayAttr:$regions);
  let assemblyFormat = "$regions attr-dict";
}

def PMPD_ClassifierOp : PMPD_Op<"classifier", [HasParent<"ModelOp">,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a network that chooses when decoding lowers its bits";
  let description = [{
    Evaluated after prefill on the last layer's K and V; its class says how long
    to decode at `from` bits before `to` bits. `function`, beside the model,
    takes keys and values f32 [1, kv_heads, context, head_dim], the number of
    tokens, the weights in their order, the logits f32 [1, classes] it writes
    and `scratch` bytes of memory. On a KV cache of f16, `widen` is the kernel
    that makes f32 of one K or V.

    Constraints:
    - C1: `from` is more than `to`.
    - C2: there are at least two classes.
    - C3: every weight is a dense `pmpd.weight` of the model.

    Example:
    ```mlir
    pmpd.classifier @classifier_4_3 from = 4, to = 3, classes = 4 weights [@q]
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$function, I32Attr:$from, I32Attr:$to,
                       I32Attr:$classes, FlatSymbolRefArrayAttr:$weights,
                       OptionalAttr<I64Attr>:$scratch,
                       OptionalAttr<FlatSymbolRefAttr>:$widen);
  let assemblyFormat = [{
    $function `from` `=` $from `,` `to` `=` $to `,` `classes` `=` $classes
    `weights` $weights (`scratch` `=` $scratch^)? (`widen` $widen^)? attr-dict
  }];
  let hasVerifier = 1;
}

def PMPD_YieldOp : PMPD_Op<"yield", [Terminator, Pure,
    ParentOneOf<["BodyOp", "PrefillOp", "DecodeOp", "RegionOp"]>]> {
  let summary = "end of a phase, with its logits";
  let arguments = (ins Optional<PMPD_Features>:$logits);
  let builders = [OpBuilder<(ins), [{ }]>];
  let assemblyFormat = "($logits^ `:` type($logits))? attr-dict";
}

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
