// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_PASSES_TD
#define PMPD_PASSES_TD

include "mlir/Pass/PassBase.td"

def Raise : Pass<"pmpd-raise", "::mlir::ModuleOp"> {
  let summary = "raise an imported ONNX graph to a decoder model";
  let description = [{
    Replaces the graph of a decoder in the onnx dialect by a `pmpd.model` with
    one `pmpd.body`. Follows what each value means (a projection, rotated heads,
    scores, ...) from the inputs to the logits rather than matching subgraphs;
    masks and rotary tables are recognised by their values. All nodes that
    cannot be raised are reported together.

    Example: `test/passes/raise.mlir`.
  }];
  let options = [
    Option<"name", "name", "std::string", "", "name of the model">,
    Option<"ctx", "ctx", "int64_t", "0",
           "most tokens in the KV cache; 0 for what the model allows, up to 4096">
  ];
  let dependentDialects = ["::pmpd::PMPDDialect"];
}

def FormPhases : Pass<"pmpd-form-phases", "::mlir::ModuleOp"> {
  let summary = "clone the decoder into a prefill and a decode phase";
  let description = [{
    Replaces each `pmpd.body` by a `pmpd.prefill` and a `pmpd.decode` with the
    same ops and no bits yet. A model without a body is left as it is.

    Example: `test/passes/form-phases.mlir`.
  }];
}

def AllocatePrecision : Pass<"pmpd-allocate-precision", "::mlir::ModuleOp"> {
  let summary = "annotate phases and layers with the bits they are compiled for";
  let description = [{
    Sets `bits` of every `pmpd.prefill` and `pmpd.decode`, in descending order,
    and `pin` of every `pmpd.linear` whose weight's name a rule matches; the
    last matching rule holds. Sets the element of the KV cache. Nested bits (2 to 4) and unquantized ones (16, 32)
    cannot be mixed.

    Example: `test/passes/allocate-precision.mlir`.
  }];
  let options = [
    ListOption<"prefillBits", "prefill", "int32_t", "bits of the prefill phase">,
    ListOption<"decodeBits", "decode", "int32_t", "bits of the decode phase">,
    ListOption<"rules", "rules", "std::string",
               "REGEX=BITS: fix the bits of the weights whose whole name matches">,
    Option<"kv", "kv", "std::string", "",
           "element of the KV cache: f16 or f32; as it is by default">
  ];
}

def AttachScheduler : Pass<"pmpd-attach-scheduler", "::mlir::ModuleOp"> {
  let summary = "add the classifiers of a learned scheduler to the model";
  let description = [{
    Imports an ONNX network and makes of it one `pmpd.classifier` and one
    function, still in the onnx dialect, for each pair of adjacent bits of
    decode. The network has the inputs `keys` and `values`, f32 [1, kv_heads, L,
    head_dim] with L left open, and for a pair such as 4 and 3 the output
    `logits_4_3`, f32 [1, classes]. Its weights become weights of the model. Run
    after `pmpd-allocate-precision`, and `pmpd-lower-onnx-to-linalg` next.

    Example: `test/passes/attach-scheduler.mlir`.
  }];
  let options = [Option<"file", "file", "std::string", "", "the ONNX network">];
  let dependentDialects = [
    "::pmpd::PMPDDialect", "::pmpd::onnx::ONNXDialect",
    "::mlir::bufferization::BufferizationDialect", "::mlir::func::FuncDialect",
    "::mlir::memref::MemRefDialect"
  ];
}

def LowerOnnxToLinalg : Pass<"pmpd-lower-onnx-to-linalg", "::mlir::ModuleOp"> {
  let summary = "lower graphs of f32 onnx ops to linalg on tensors";
  let description = [{
    Every node that the results of a function need becomes `linalg.generic` and
    reshapes of tensors; dynamic sizes are computed from those of the arguments,
    as the symbolic dimensions say. Arguments of other memories enter the graph
    through `builtin.unrealized_conversion_cast`. All nodes that have no
    lowering are reported together, and nothing is changed then.

    Example: `test/passes/lower-onnx-to-linalg.mlir`.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"
  ];
}

def PlaceBuffers : Pass<"pmpd-place-buffers", "::mlir::func::FuncOp"> {
  let summary = "put the buffers of a function into memory of its caller";
  let description = [{
    In functions with the attribute `pmpd.bound`, replaces every `memref.alloc`
    by a view of a new last argument, `memref<Nxi8>`, large enough for the
    largest sizes: those at which every argument of type index is the bound.
    Copies become linalg. Other functions are left as they are.

    Example: `test/passes/place-buffers.mlir`.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect"
  ];
}

def Calibrate : Pass<"pmpd-calibrate", "::mlir::ModuleOp"> {
  let summary = "measure the inputs of linear layers on text";
  let description = [{
    Runs the prefill phase with unquantized weights on the tokens of a text,
    op by op with one weight in memory at a time, and writes for every input of
    a `pmpd.linear` the mean over tokens of input[k]^2, or with `products` of
    input[j] * input[k]. Layers that share an input share what is written, under
    the name of the first layer's weight; one input's is in memory at a time.

    The IR is not changed. Run after `pmpd-form-phases` and before
    `pmpd-quantize`.

    Example: `test/passes/calibrate.mlir`.
  }];
  let options = [
    Option<"text", "text", "std::string", "", "the text, UTF-8">,
    Option<"tokenizer", "tokenizer", "std::string", "", "its tokenizer.json">,
    Option<"output", "output", "std::string", "", "the statistics to write">,
    Option<"tokens", "tokens", "int64_t", "4096", "most tokens to run on">,
    Option<"products", "products", "bool", "false",
           "write the mean product of every two inputs, not squares alone">
  ];
  let dependentDialects = ["::pmpd::PMPDDialect"];
}

def Quantize : Pass<"pmpd-quantize", "::mlir::ModuleOp"> {
  let summary = "quantize the weights of linear layers to one nested code";
  let description = [{
    Turns every weight that a `pmpd.linear` reads into a `pmpd.nested` weight
    readable at all the bits of the phases and pins, its codes and parameters
    written to `store` in the plain layout. One tensor is in memory at a time.
    A weight that other ops read as well is copied first.

    With `text` the prefill phase runs on it unquantized and beside that at every
    precision, and a weight is quantized where its first layer comes, for the
    inputs that the layer has there; `statistics` are those of the unquantized
    model.

    With `simulate` the same is done, but the weight becomes a tensor of f32
    that holds its values at these bits, and the phases have no other bits: so
    quantizers can be measured whose codes no kernel reads.

    With unquantized bits the weight becomes a tensor of f16 or f32 and no store
    is written. Run after `pmpd-allocate-precision`.

    Examples: `test/passes/quantize.mlir`, `test/passes/quantize-text.mlir`.
  }];
  let options = [
    Option<"store", "store", "std::string", "", "the weight file to write">,
    Option<"quantizer", "quantizer", "std::string", "\"nldlq\"",
           "name of the quantizer">,
    Option<"group", "group", "int64_t", "128", "columns per scale and minimum">,
    Option<"statistics", "statistics", "std::string", "",
           "what pmpd-calibrate wrote; without it all inputs weigh the same">,
    Option<"text", "text", "std::string", "",
           "calibrate on this text while quantizing: the inputs of a layer are "
           "those behind the quantized layers before it">,
    Option<"tokenizer", "tokenizer", "std::string", "", "its tokenizer.json">,
    Option<"tokens", "tokens", "int64_t", "4096", "most tokens to run on">,
    Option<"simulate", "simulate", "int32_t", "0",
           "bits whose values are written as unquantized weights">,
    Option<"threads", "threads", "unsigned", "0", "threads, 0 for all">
  ];
  let dependentDialects = ["::pmpd::PMPDDialect"];
}

def Specialize : Pass<"pmpd-specialize", "::mlir::ModuleOp"> {
  let summary = "make one region of every phase and bit-width";
  let description = [{
    Replaces `pmpd.prefill` and `pmpd.decode` by a `pmpd.region` for each of
    their bits and a `pmpd.region_table` that lists them. In a region every
    `pmpd.linear` on a nested weight says the bits it reads: its pin, or the
    region's. In prefill, rows that no logits are asked for are dropped as
    early as `pmpd.select_last` says.

    Example: `test/passes/specialize.mlir`.
  }];
  let options = [
    Option<"prefillRows", "prefill-rows", "int64_t", "64",
           "most tokens per call of a prefill region">
  ];
}

def QuantizeRows : Pass<"pmpd-quantize-rows", "::mlir::ModuleOp"> {
  let summary = "quantize the inputs of linear layers on nested weights";
  let description = [{
    In every `pmpd.region`, a `pmpd.linear` on a nested weight reads
    `pmpd.quantize_rows` of its input, one for all the layers that share an
    input and a group. With `activations=f32` nothing is done.

    Example: `test/passes/quantize-rows.mlir`.
  }];
  let options = [
    Option<"activations", "activations", "std::string", "\"q8\"",
           "q8, q16 or f32">
  ];
}

def Pack : Pass<"pmpd-pack", "::mlir::ModuleOp"> {
  let summary = "write the weight file in the target's layout";
  let description = [{
    Writes every weight and rope table of the model to `output` and sets where
    they are (`at`) and the digest of the file. Nested weights get `layout`,
    vectors become f32. The file is complete or not there at all.

    Example: `test/passes/pack.mlir`.
  }];
  let options = [
    Option<"output", "output", "std::string", "", "the weight file to write">,
    Option<"layout", "layout", "std::string", "\"s\"",
           "of nested weights: s; npu; gpu; or plain, the readable reference">
  ];
}

def GroupLaunches : Pass<"pmpd-group-launches", "::mlir::ModuleOp"> {
  let summary = "let ops that need no barrier between them run as one launch";
  let description = [{
    Marks neighbours (`pmpd.group`) that one launch can run: ops whose rows
    depend on the same rows only, such as a residual addition, the
    normalization and the quantization behind it, which then happen row by row
    while the row is in the cache; and linear ops with the same input, such as
    query, key and value, which are gathered first. `pmpd-plan-memory` keeps
    what a group reads until its end; `pmpd-lower-to-cpu` hands the marks on to
    the launches.

    Example: `test/passes/group-launches.mlir`.
  }];
}

def PlanMemory : Pass<"pmpd-plan-memory", "::mlir::ModuleOp"> {
  let summary = "place the values of every region in scratch memory";
  let description = [{
    Gives each value of a `pmpd.region` an offset (`pmpd.scratch` on the op that
    makes it) such that values that live at the same time do not overlap, and
    the region its `scratch` size. Elementwise ops work in place where their
    input dies; the logits are not in scratch.

    Example: `test/passes/plan-memory.mlir`.
  }];
}

def LowerToCPU : Pass<"pmpd-lower-to-cpu", "::mlir::ModuleOp"> {
  let summary = "turn the ops of regions into launches of generated kernels";
  let description = [{
    Replaces every op of a `pmpd.region` by a `pmpd.launch`, and adds the
    kernels, in the vector dialect, beside the model. Ops of equal shape and
    bits share a kernel, over all layers and regions. Functions of classifiers
    get the same elementary functions, and a kernel that widens an f16 cache.
    Run after `pmpd-pack` and `pmpd-plan-memory`.

    Example: `test/passes/lower-to-cpu.mlir`.
  }];
  let options = [
    Option<"isa", "isa", "std::string", "\"portable\"",
           "portable, avx2, avxvnni, avx512vnni or amx">,
    Option<"nativeHalf", "native-half", "bool", "false",
           "the CPU converts between f16 and f32 in hardware">
  ];
  let dependentDialects = [
    "::mlir::amx::AMXDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"
  ];
}

def LowerToGPU : Pass<"pmpd-lower-to-gpu", "::mlir::ModuleOp"> {
  let summary = "turn the ops of regions into launches of GPU kernels";
  let description = [{
    Replaces every op of a `pmpd.region` by a `pmpd.launch`, and adds the
    kernels, as gpu.funcs, to a `gpu.module` beside the model. Ops of equal
    shape and bits share a kernel. One more kernel chooses a token from logits;
    no region launches it, and `pmpd.sample_scratch` is the number of bytes of
    scratch memory that it takes. Run after `pmpd-pack` with the layout gpu and
    `pmpd-plan-memory`. Functions of classifiers stay on the CPU, as
    `pmpd-lower-to-cpu` has them.

    Example: `test/passes/lower-to-gpu.mlir`.
  }];
  let dependentDialects = [
    "::mlir::amx::AMXDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::gpu::GPUDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"
  ];
}

def FuseLaunches : Pass<"pmpd-fuse-launches", "::mlir::ModuleOp"> {
  let summary = "make one GPU kernel of the launches of a group";
  let description = [{
    Replaces neighbouring launches of one `group` on a device by a launch of a
    kernel that has all their bodies: of kernels with a block per row one after
    another with a barrier between, of others side by side, each for its own
    blocks. Bodies use the same shared memory. Launches stay apart where blocks
    have different sizes or there would be more than 16 pointers. Kernels that
    are not launched any more are erased.

    Example: `test/passes/fuse-launches.mlir`.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::scf::SCFDialect"
  ];
}

def EmitGpuImages : Pass<"pmpd-emit-gpu-images", "::mlir::ModuleOp"> {
  let summary = "make PTX and machine code of the kernels of a gpu.module";
  let description = [{
    Sets `pmpd.images` of every `gpu.module`, whose kernels are in the LLVM and
    NVVM dialects: PTX for the oldest and the newest of the GPUs, and for each
    of them the machine code, if there is an assembler.

    Example: `test/passes/emit-gpu-images.mlir`.
  }];
  let options = [
    ListOption<"chips", "gpu", "std::string", "GPUs, such as sm_80 and sm_90">,
    Option<"assembler", "ptxas", "std::string", "",
           "path of ptxas, or none; by default the one of $CUDA_HOME, $PATH or "
           "/usr/local/cuda if there is one">
  ];
  let dependentDialects = ["::mlir::gpu::GPUDialect",
                           "::mlir::NVVM::NVVMDialect"];
}

def EmitCInterface : Pass<"pmpd-emit-c-interface", "::mlir::ModuleOp"> {
  let summary = "give regions, kernels and the model their C interface";
  let description = [{
    Turns launches into calls of the runtime's parallel-for, regions into
    functions on `pmpd_region_args`, and the model into the exported
    `NAME_pmpd_model` that returns its `pmpd_model_desc`, all as
    `include/pmpd/kernel.h` has them. Kernels must already be in the LLVM
    dialect. Those of a GPU are embedded as the images that
    `pmpd-emit-gpu-images` made.

    Example: `test/passes/emit-c-interface.mlir`.
  }];
  let options = [
    Option<"name", "name", "std::string", "",
           "prefix of the exported symbol; the model's name by default">,
    Option<"features", "features", "std::string", "",
           "CPU features that the generated code needs, comma-separated">,
    Option<"triple", "triple", "std::string", "", "target triple">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def NpuOutline : Pass<"npu-outline", "::mlir::ModuleOp"> {
  let summary = "make a program for the accelerator of every region";
  let description = [{
    Replaces each `pmpd.region` by an `npu.program` whose values are buffers of
    the scratchpad, and the region table by the programs' order. Layers that are
    alike, with weights at equal distances, become one `npu.loop`. Ops that have
    no instruction are refused by name. Run after `pmpd-quantize-rows` and
    `pmpd-pack` with the layout npu.

    Example: `test/passes/npu-outline.mlir`.
  }];
  let dependentDialects = ["::pmpd::npu::NPUDialect"];
}

def NpuFuse : Pass<"npu-fuse", "::mlir::ModuleOp"> {
  let summary = "fuse elementwise instructions, with each other and in place";
  let description = [{
    Makes one `npu.elt silu_mul` of a silu and the multiplication that alone
    reads it, and lets elementwise instructions write over what nobody reads
    again, so that a call may have more rows. Results are the same bit for bit.

    Example: `test/passes/npu-fuse.mlir`.
  }];
}

def NpuTile : Pass<"npu-tile", "::mlir::ModuleOp"> {
  let summary = "turn products and attention into loops over tiles";
  let description = [{
    Replaces `npu.linear` by loads of tiles into a ring and `npu.bpmv` or, in
    prefill, `npu.mmq`; and `npu.attention` by loops over the KV heads and over
    tiles of 64 tokens. A tile is cut for the weight's highest precision, so
    that the programs of all precisions differ in what they read and not in
    how. Loops serve every sequence length.

    Example: `test/passes/npu-tile.mlir`.
  }];
  let options = [
    Option<"tileBytes", "tile-bytes", "int64_t", "131072",
           "most bytes of the planes of a tile">
  ];
  let dependentDialects = ["::pmpd::npu::NPUDialect"];
}

def NpuSchedule : Pass<"npu-schedule", "::mlir::ModuleOp"> {
  let summary = "give rings as many slots as there is room for";
  let description = [{
    The slots are what lets the weights' queue run ahead of the products, across
    layers. Every use of a ring moves on to the next slot by a register. Where
    not even two slots fit, a call takes fewer tokens.

    Example: `test/passes/npu-schedule.mlir`.
  }];
  let options = [
    Option<"scratchpad", "scratchpad", "int64_t", "2359296",
           "bytes of the scratchpad">,
    Option<"maxSlots", "max-slots", "int64_t", "8", "most slots of a ring">
  ];
  let dependentDialects = ["::pmpd::npu::NPUDialect"];
}

def NpuAllocate : Pass<"npu-allocate", "::mlir::ModuleOp"> {
  let summary = "give buffers addresses and registers numbers";
  let description = [{
    Buffers that live at the same time do not overlap. What is used in a loop
    and made outside of it lives throughout the loop, and a ring throughout the
    program.

    Example: `test/passes/npu-allocate.mlir`.
  }];
  let options = [
    Option<"scratchpad", "scratchpad", "int64_t", "2359296",
           "bytes of the scratchpad">
  ];
}

def NpuSync : Pass<"npu-sync", "::mlir::ModuleOp"> {
  let summary = "order instructions by semaphores";
  let description = [{
    Instructions outside of rings run one after another, whatever their unit: a
    token goes from unit to unit. Producers of rings wait for a free slot only,
    so that they run ahead.

    Example: `test/passes/npu-sync.mlir`.
  }];
  let dependentDialects = ["::pmpd::npu::NPUDialect"];
}

def NpuVerify : Pass<"npu-verify", "::mlir::ModuleOp"> {
  let summary = "check bounds, tokens and the order of scratchpad accesses";
  let description = [{
    Runs every program instruction by instruction, for calls of several lengths,
    without computing values. Refuses a token that is waited for before any
    instruction posts it, which is a deadlock; accesses to the same bytes, one
    of them a write, that no token orders; and accesses outside of a buffer or
    of the scratchpad.

    Example: `test/passes/npu-verify.mlir`.
  }];
  let options = [
    Option<"scratchpad", "scratchpad", "int64_t", "2359296",
           "bytes of the scratchpad">
  ];
}

def NpuEmit : Pass<"npu-emit", "::mlir::ModuleOp"> {
  let summary = "write the program file";
  let description = [{
    Writes the programs of the model, in their order, as
    `include/pmpd/npu_program.h` has them. Run after `npu-sync`.

    Example: `test/passes/npu-emit.mlir`.
  }];
  let options = [
    Option<"output", "output", "std::string", "", "the program file to write">,
    Option<"config", "config", "std::string", "\"ref\"",
           "hardware: ref, edge or a JSON file">,
    Option<"report", "report", "bool", "false",
           "remark on the code and on the longest call of every program">
  ];
}

#endif // PMPD_PASSES_TD
