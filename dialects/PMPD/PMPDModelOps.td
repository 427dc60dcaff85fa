// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_MODEL_OPS_TD
#define PMPD_MODEL_OPS_TD

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

#endif // PMPD_MODEL_OPS_TD
