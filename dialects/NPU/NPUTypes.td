// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NPU_TYPES_TD
#define NPU_TYPES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/EnumAttr.td"

def NPU_Dialect : Dialect {
  let name = "npu";
  let cppNamespace = "::pmpd::npu";
  let summary = "programs of the PNPU-1 accelerator";
  let description = [{
    An `npu.program` is what one region of a model becomes on the accelerator
    that `include/pmpd/npu.h` describes. Its ops are that machine's
    instructions, one each; only `npu.loop` has a region. What an instruction
    touches is named by values: buffers of the scratchpad (`npu.alloc`),
    registers (`npu.reg`) and semaphores (`npu.sem`). They get their numbers
    late, as attributes of the op that makes them.

    The passes take a program through these forms:

    1. one `npu.linear` or `npu.attention` per layer op and whole-value
       instructions for the rest, layers rolled into a loop (outline),
    2. fused elementwise instructions (fuse),
    3. loops over tiles that stream through rings (tile), rings with as many
       slots as there is room for (schedule),
    4. addresses and register numbers (allocate),
    5. semaphores (sync), checked (verify),
    6. 32 bytes per instruction in a container file (emit).
  }];
  let dependentDialects = ["::pmpd::PMPDDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = "void registerTypesAndAttributes();";
}

class NPU_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::pmpd::npu";
  let genSpecializedAttr = 0;
}
class NPU_EnumAttr<EnumAttrInfo info, string mnemonic>
    : EnumAttr<NPU_Dialect, info, mnemonic>;

def NPU_Space : NPU_Enum<"Space", "memory a buffer is in", [
  I32EnumAttrCase<"Scratchpad", 0, "scratchpad">]>;

// All enums are numbered as in include/pmpd/npu.h.
def NPU_Unit : NPU_Enum<"Unit", "unit that executes an instruction", [
  I32EnumAttrCase<"Sequencer", 0, "seq">,
  I32EnumAttrCase<"WeightDMA", 1, "qw">,
  I32EnumAttrCase<"KVDMA", 2, "qk">,
  I32EnumAttrCase<"ActivationDMA", 3, "qa">,
  I32EnumAttrCase<"StoreDMA", 4, "qs">,
  I32EnumAttrCase<"BitPlane", 5, "bpu">,
  I32EnumAttrCase<"Matrix", 6, "mxu">,
  I32EnumAttrCase<"Vector", 7, "vpu">]>;
def NPU_UnitAttr : NPU_EnumAttr<NPU_Unit, "unit">;

// Numbered as the base registers of include/pmpd/npu.h.
def NPU_Base : NPU_Enum<"Base", "memory outside that a transfer addresses", [
  I32EnumAttrCase<"Weights", 1, "weights">,
  I32EnumAttrCase<"KV", 2, "kv">,
  I32EnumAttrCase<"Tokens", 3, "tokens">,
  I32EnumAttrCase<"Logits", 4, "logits">,
  I32EnumAttrCase<"Constants", 5, "constants">]>;
def NPU_BaseAttr : NPU_EnumAttr<NPU_Base, "base">;

// Numbered as the registers that the host sets.
def NPU_Role : NPU_Enum<"Role", "what the host puts into a register", [
  I32EnumAttrCase<"Tokens", 3, "tokens">,
  I32EnumAttrCase<"Position", 6, "position">,
  I32EnumAttrCase<"Rows", 7, "rows">,
  I32EnumAttrCase<"LogitRows", 8, "logit_rows">]>;
def NPU_RoleAttr : NPU_EnumAttr<NPU_Role, "role">;

def NPU_SaluFn : NPU_Enum<"SaluFn", "operation of the sequencer", [
  I32EnumAttrCase<"Mov", 0, "mov">, I32EnumAttrCase<"Add", 1, "add">,
  I32EnumAttrCase<"Sub", 2, "sub">, I32EnumAttrCase<"Mul", 3, "mul">,
  I32EnumAttrCase<"Min", 4, "min">, I32EnumAttrCase<"Max", 5, "max">,
  I32EnumAttrCase<"CeilDiv", 6, "ceildiv">, I32EnumAttrCase<"Shl", 7, "shl">,
  I32EnumAttrCase<"Shr", 8, "shr">, I32EnumAttrCase<"And", 9, "and">,
  I32EnumAttrCase<"Rem", 10, "rem">, I32EnumAttrCase<"Ld32", 11, "ld32">]>;
def NPU_SaluFnAttr : NPU_EnumAttr<NPU_SaluFn, "salu_fn">;

def NPU_EltFn : NPU_Enum<"EltFn", "elementwise operation", [
  I32EnumAttrCase<"Copy", 0, "copy">, I32EnumAttrCase<"Add", 1, "add">,
  I32EnumAttrCase<"Sub", 2, "sub">, I32EnumAttrCase<"Mul", 3, "mul">,
  I32EnumAttrCase<"Silu", 4, "silu">,
  I32EnumAttrCase<"SiluMul", 5, "silu_mul">,
  I32EnumAttrCase<"GeluTanh", 6, "gelu_tanh">,
  I32EnumAttrCase<"GeluErf", 7, "gelu_erf">, I32EnumAttrCase<"Relu", 8, "relu">,
  I32EnumAttrCase<"Scale", 9, "scale">, I32EnumAttrCase<"Cvt16", 10, "cvt16">,
  I32EnumAttrCase<"Cvt32", 11, "cvt32">]>;
def NPU_EltFnAttr : NPU_EnumAttr<NPU_EltFn, "elt_fn">;

def NPU_NormKind : NPU_Enum<"NormKind", "normalization", [
  I32EnumAttrCase<"RMS", 0, "rms">, I32EnumAttrCase<"Layer", 1, "layer">]>;
def NPU_NormKindAttr : NPU_EnumAttr<NPU_NormKind, "norm_kind">;

def NPU_RotaryStyle : NPU_Enum<"RotaryStyle", "which elements rotate together", [
  I32EnumAttrCase<"Half", 0, "half">,
  I32EnumAttrCase<"Interleaved", 1, "interleaved">]>;
def NPU_RotaryStyleAttr : NPU_EnumAttr<NPU_RotaryStyle, "rotary_style">;

def NPU_Credit : NPU_Enum<"Credit", "step of a ring's producer or consumer", [
  I32EnumAttrCase<"Acquire", 0, "acquire">,
  I32EnumAttrCase<"Publish", 1, "publish">,
  I32EnumAttrCase<"Consume", 2, "consume">,
  I32EnumAttrCase<"Release", 3, "release">]>;
def NPU_CreditAttr : NPU_EnumAttr<NPU_Credit, "credit">;

class NPU_Type<string name, string typeMnemonic>
    : TypeDef<NPU_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def NPU_Buf : NPU_Type<"Buf", "buf"> {
  let summary = "bytes of the scratchpad";
  let description = [{
    Constraints:
    - C1: `bytes` is positive.
    - C2: `align` is a power of two.

    Example: `!npu.buf<scratchpad, 4096, 64>`
  }];
  let parameters = (ins EnumParameter<NPU_Space>:$space, "int64_t":$bytes,
                        "int64_t":$align);
  let assemblyFormat = "`<` $space `,` $bytes `,` $align `>`";
  let genVerifyDecl = 1;
}

def NPU_Sem : NPU_Type<"Sem", "sem">, BuildableType<"$_builder.getType<::pmpd::npu::SemType>()"> {
  let summary = "a counting semaphore";
  let description = "Zero when a program begins. Example: `!npu.sem`";
}
def NPU_Reg : NPU_Type<"Reg", "reg">, BuildableType<"$_builder.getType<::pmpd::npu::RegType>()"> {
  let summary = "a 64-bit register of the sequencer";
  let description = [{
    A place, not a value: `npu.salu` writes what later ops read. Example:
    `!npu.reg`
  }];
}

#endif // NPU_TYPES_TD
