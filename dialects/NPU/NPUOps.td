// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NPU_OPS_TD
#define NPU_OPS_TD

include "dialects/NPU/NPUInterfaces.td"
include "dialects/NPU/NPUTypes.td"
include "dialects/PMPD/PMPDTypes.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"

class NPU_Op<string mnemonic, list<Trait> traits = []>
    : Op<NPU_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Structure and resources
//===----------------------------------------------------------------------===//

def NPU_ProgramOp : NPU_Op<"program", [Symbol, IsolatedFromAbove, NoTerminator,
    SingleBlock, NoRegionArguments]> {
  let summary = "what the accelerator runs for one region of a model";
  let description = [{
    The instructions of `phase` with weights read at `wbits`, for at most
    `max_rows` tokens a call. `scratchpad` is the highest byte used plus one,
    once buffers have addresses.

    Constraints:
    - C1: `wbits` is 2, 3 or 4.
    - C2: `max_rows` is positive, and 1 for `decode`.
    - C3: no two semaphores have the same number.

    Example:
    ```mlir
    npu.program @decode_b2 decode wbits = 2, max_rows = 1 {
      npu.halt
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, PMPD_PhaseAttr:$phase,
                       I32Attr:$wbits, I64Attr:$max_rows,
                       OptionalAttr<I64Attr>:$scratchpad);
  let regions = (region SizedRegion<1>:$bodyRegion);
  let assemblyFormat = [{
    $sym_name $phase `wbits` `=` $wbits `,` `max_rows` `=` $max_rows
    (`,` `scratchpad` `=` $scratchpad^)? attr-dict-with-keyword $bodyRegion
  }];
  let hasVerifier = 1;
}

def NPU_AllocOp : NPU_Op<"alloc"> {
  let summary = "a buffer of the scratchpad";
  let description = [{
    With `slots` the buffer is a ring: so many slots of equal size that a
    producer fills and a consumer empties in turn. `slots` = 0 leaves the number
    to `npu-schedule`; the type then has the bytes of one slot. `per_row` are the
    bytes for every row of the program's `max_rows`; the type has those of all.

    Constraints:
    - C1: `at`, where it is once it is allocated, is a multiple of the
      alignment.
    - C2: `slots`, if there are any, divide the bytes.
    - C3: `per_row`, if it is there, is from 1 to the bytes.

    Example:
    ```mlir
    %x = npu.alloc : !npu.buf<scratchpad, 4096, 64>
    %r = npu.alloc slots 4 : !npu.buf<scratchpad, 32768, 64>
    ```
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$slots,
                       OptionalAttr<I64Attr>:$per_row,
                       OptionalAttr<I64Attr>:$at);
  let results = (outs NPU_Buf:$result);
  let assemblyFormat = [{
    (`slots` $slots^)? (`per_row` $per_row^)? (`at` $at^)? attr-dict
    `:` type($result)
  }];
  let hasVerifier = 1;
}

def NPU_RegOp : NPU_Op<"reg"> {
  let summary = "a register of the sequencer";
  let description = [{
    With a role, the host writes it before the program begins and its number is
    that of `include/pmpd/npu.h`; others get one from `npu-allocate`.

    Constraints:
    - C1: `at` is a register that the machine has, and not the zero register.
    - C2: one with a role is at the role's number.

    Example: `%r = npu.reg role position`
  }];
  let arguments = (ins OptionalAttr<NPU_RoleAttr>:$role, OptionalAttr<I32Attr>:$at);
  let results = (outs NPU_Reg:$result);
  let assemblyFormat = "(`role` $role^)? (`at` $at^)? attr-dict";
  let hasVerifier = 1;
}

def NPU_SemOp : NPU_Op<"sem"> {
  let summary = "a counting semaphore";
  let description = [{
    Constraints:
    - C1: `at` is a semaphore that the machine has.

    Example: `%s = npu.sem at 3`
  }];
  let arguments = (ins OptionalAttr<I32Attr>:$at);
  let results = (outs NPU_Sem:$result);
  let assemblyFormat = "(`at` $at^)? attr-dict";
  let hasVerifier = 1;
}

def NPU_LoopOp : NPU_Op<"loop", [NoTerminator, SingleBlock,
                                 NoRegionArguments]> {
  let summary = "repeat instructions";
  let description = [{
    Runs its body `count` times, or as often as the register says when the loop
    begins; not at all for 0.

    Constraints:
    - C1: either a register or a positive `count`.
    - C2: loops nest as deep as the machine has levels, at most.
    - C3: the body is not empty.

    Example:
    ```mlir
    npu.loop count 32 {
      npu.salu add %r = x %r imm 64
    }
    ```
  }];
  let arguments = (ins Optional<NPU_Reg>:$times, OptionalAttr<I64Attr>:$count);
  let regions = (region SizedRegion<1>:$bodyRegion);
  let assemblyFormat = 
      "($times^)? (`count` $count^)? attr-dict-with-keyword $bodyRegion";
  let hasVerifier = 1;
  let builders = [
    OpBuilder<(ins "int64_t":$count)>, OpBuilder<(ins "::mlir::Value":$times)>];
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

// What every instruction may have: registers that are added to the addresses
// of what streams in and of what goes out, a register with the number of rows,
// semaphores to wait for (at most 2) and to post (at most 2).
class NPU_Instruction<string mnemonic, dag specific, string format,
                      string types = "", list<Trait> traits = []>
    : NPU_Op<mnemonic, !listconcat([AttrSizedOperandSegments,
        DeclareOpInterfaceMethods<NPU_InstructionOpInterface>], traits)> {
  let arguments = !con(specific, (ins
      Optional<NPU_Reg>:$in_offset, Optional<NPU_Reg>:$out_offset,
      Optional<NPU_Reg>:$rows_from, Variadic<NPU_Sem>:$waits,
      Variadic<NPU_Sem>:$posts));
  let assemblyFormat = format # [{
    (`in` $in_offset^)? (`out` $out_offset^)? (`rows` $rows_from^)?
    (`wait` $waits^)? (`post` $posts^)? attr-dict }] # types;
  let hasVerifier = 1;
}

defvar common = [{

    Common constraints:
    - C1: at most two semaphores to wait for and two to post.
    - C2: counts are positive and fit their fields.
}];

def NPU_NopOp : NPU_Instruction<"nop", (ins NPU_UnitAttr:$unit), "$unit"> {
  let summary = "wait and post in the queue of a unit";
  let description = !strconcat([{
    Does nothing else.}], common, [{
    Example: `npu.nop bpu wait %a post %b`
  }]);
}

def NPU_HaltOp : NPU_Instruction<"halt", (ins), ""> {
  let summary = "end the program when all units are done";
  let description = !strconcat([{
    The last instruction of a program.}], common);
}

def NPU_EvtOp : NPU_Instruction<"evt", (ins I32Attr:$id), "$id"> {
  let summary = "record an event and the cycle in the trace";
  let description = !strconcat([{
    Marks a layer or another part.}], common);
}

def NPU_FenceOp : NPU_Instruction<"fence", (ins I32Attr:$units), "$units"> {
  let summary = "stop the sequencer until units are idle";
  let description = !strconcat([{
    `units` has bit u set for unit u.}], common);
}

def NPU_SaluOp : NPU_Instruction<"salu",
    (ins NPU_SaluFnAttr:$fn, NPU_Reg:$rd, Optional<NPU_Reg>:$ra,
         Optional<NPU_Reg>:$rb, DefaultValuedAttr<I64Attr, "0">:$imm),
    "$fn $rd `=` (`x` $ra^)? (`y` $rb^)? (`imm` $imm^)? "> {
  let summary = "compute a register";
  let description = !strconcat([{
    ```
    rd = fn(x, y + imm)             mov: y + imm      ld32: word at x + y + imm
    ```
    modulo 2^64, where a register that is left out reads 0; min and max are
    signed, ceildiv and rem unsigned.
  }], common, [{
    - C3: mov has no `x`.
    - C4: ceildiv and rem by a constant are not by 0.

    Example: `npu.salu add %off = x %off imm 4096`
  }]);
}

class NPU_Transfer<string mnemonic, string format>
    : NPU_Instruction<mnemonic,
    (ins NPU_Buf:$local, NPU_BaseAttr:$base, Optional<NPU_Reg>:$remote_offset,
         I64Attr:$imm, DefaultValuedAttr<I64Attr, "1">:$count, I64Attr:$bytes,
         DefaultValuedAttr<I64Attr, "0">:$remote_stride,
         DefaultValuedAttr<I64Attr, "0">:$local_stride,
         DefaultValuedAttr<I64Attr, "0">:$local_imm, UnitAttr:$length_from_rows,
         NPU_UnitAttr:$unit),
    format, "`:` type($local)">;

defvar transfer = !strconcat(common, [{
    - C3: what is transferred fits the buffer.
    - C4: `imm` and `remote_stride` are multiples of 64.
    - C5: the unit is a DMA queue.
}]);

def NPU_LdOp : NPU_Transfer<"ld",
    "$unit $local `from` $base (`at` $remote_offset^)? `imm` $imm "> {
  let summary = "load rows of bytes into the scratchpad";
  let description = !strconcat([{
    ```
    local[local_imm + i * local_stride ..][0 .. bytes) =
        base[offset + imm + i * remote_stride ..][0 .. bytes)     i < count
    ```
    A stride of 0 outside repeats one row. The row register replaces `count`, or
    `bytes` with `length_from_rows`.
  }], transfer);
}

def NPU_StOp : NPU_Transfer<"st",
    "$unit $local `to` $base (`at` $remote_offset^)? `imm` $imm "> {
  let summary = "store rows of bytes from the scratchpad";
  let description = !strconcat([{
    The converse of `npu.ld`.}], transfer);
}

def NPU_QactOp : NPU_Instruction<"qact",
    (ins NPU_Buf:$x, NPU_Buf:$q, NPU_Buf:$sx, I64Attr:$cols, I64Attr:$group,
         I32Attr:$abits),
    "$x `->` $q `,` $sx ", "`:` type($x) `->` type($q) `,` type($sx)"> {
  let summary = "quantize rows of activations per group";
  let description = !strconcat([{
    Writes integers of `abits` to `q` [rows, cols], and to `sx` the scales
    [rows, cols / group] and behind them, on a line of their own, the sums of
    the integers.
  }], common, [{
    - C3: `abits` is 8 or 16; `group` is a power of two of at least 32 and
      divides `cols`.
  }]);
}

class NPU_Product<string mnemonic>
    : NPU_Instruction<mnemonic,
    (ins NPU_Buf:$w, NPU_Buf:$x, NPU_Buf:$sx, NPU_Buf:$dst,
         I64Attr:$n, I64Attr:$k, I32Attr:$wbits, I32Attr:$abits, I64Attr:$group,
         I64Attr:$first_col, I64Attr:$cols, I64Attr:$out_cols, UnitAttr:$acc),
    "$w `,` $x `,` $sx `->` $dst ",
    "`:` type($w) `,` type($x) `,` type($sx) `->` type($dst)">;

defvar product = !strconcat(common, [{
    - C3: `group` is a power of two of at least 32 and divides `k`.
    - C4: `wbits` is 2 to 4, `abits` 8 or 16.
    - C5: `first_col` is a multiple of `group`.
}]);

def NPU_BpmvOp : NPU_Product<"bpmv"> {
  let summary = "multiply a tile of bit planes by one activation row";
  let description = !strconcat([{
    `w` holds the planes of `n` rows and `k` columns and then their scales and
    minimums; the columns are those of `x` from `first_col` on. Adds to `dst`
    with `acc`, in one chain of additions over ascending groups.
  }], product);
}

def NPU_MmqOp : NPU_Product<"mmq"> {
  let summary = "multiply a tile of bit planes by activation rows";
  let description = !strconcat([{
    As `npu.bpmv` for every row, of `cols` columns in and `out_cols` out.
  }], product);
}

def NPU_MmhOp : NPU_Instruction<"mmh",
    (ins NPU_Buf:$w, NPU_Buf:$x, NPU_Buf:$dst, I64Attr:$n, I64Attr:$k,
         DefaultValuedAttr<I64Attr, "0">:$x_stride,
         DefaultValuedAttr<I64Attr, "0">:$out_stride),
    "$w `,` $x `->` $dst ", "`:` type($w) `,` type($x) `->` type($dst)"> {
  let summary = "multiply a tile of fp16 weights by fp16 activation rows";
  let description = !strconcat([{
    Exact products in one chain of fp32 additions.}], common);
}

defvar heads = [{
    - C3: `head_dim` is a multiple of 8, up to 2040, and `heads` up to 255.
}];

def NPU_AttOp : NPU_Instruction<"att",
    (ins NPU_Buf:$q, NPU_Buf:$kv, NPU_Buf:$state, NPU_Buf:$dst, NPU_Reg:$seen,
         F32Attr:$scale, I64Attr:$heads, I64Attr:$head_dim, I64Attr:$queries,
         UnitAttr:$first, UnitAttr:$last),
    "$q `,` $kv `,` $state `->` $dst `seen` $seen ",
    "`:` type($q) `,` type($kv) `,` type($state) `->` type($dst)"> {
  let summary = "add a tile of the KV cache to an online softmax";
  let description = !strconcat([{
    For the `queries` query heads that share a KV head, of `heads` in a row. Row
    m sees the first `seen` + m tokens of the tile, of 64 at most. `first`
    begins the softmax, `last` divides by its sum.
  }], common, heads);
}

def NPU_NormOp : NPU_Instruction<"norm",
    (ins NPU_NormKindAttr:$kind, NPU_Buf:$x, NPU_Buf:$weight,
         Optional<NPU_Buf>:$bias, NPU_Buf:$dst, I64Attr:$cols, F32Attr:$eps),
    "$kind $x `,` $weight (`,` $bias^)? `->` $dst ",
    "`:` type($x) `,` type($weight) (`,` type($bias)^)? `->` type($dst)"> {
  let summary = "normalize rows";
  let description = !strconcat([{
    By root mean square, or mean and variance.}], common, [{
    - C3: a layer normalization has a bias, the other none.
  }]);
}

def NPU_RopeOp : NPU_Instruction<"rope",
    (ins NPU_Buf:$x, NPU_Buf:$table, NPU_RotaryStyleAttr:$style,
         I64Attr:$heads, I64Attr:$head_dim, I64Attr:$frequencies),
    "$style $x `,` $table ", "`:` type($x) `,` type($table)"> {
  let summary = "rotate heads in place";
  let description =
      !strconcat([{
    Row i by row i of `table`, cosines and then sines.}], common, heads);
}

def NPU_EltOp : NPU_Instruction<"elt",
    (ins NPU_EltFnAttr:$fn, NPU_Buf:$a, Optional<NPU_Buf>:$b, NPU_Buf:$dst,
         I64Attr:$cols, DefaultValuedAttr<F32Attr, "1.0f">:$scale),
    "$fn $a (`,` $b^)? `->` $dst ",
    "`:` type($a) (`,` type($b)^)? `->` type($dst)"> {
  let summary = "combine elements";
  let description = !strconcat([{
    Of `cols` elements per row, rows without a gap.}], common, [{
    - C3: functions of two operands have `b`, the others have none.
  }]);
}

def NPU_RedOp : NPU_Instruction<"red",
    (ins NPU_Buf:$x, NPU_Buf:$dst, NPU_Reg:$rd, I64Attr:$cols),
    "$x `->` $dst `,` $rd ", "`:` type($x) `->` type($dst)"> {
  let summary = "index of the largest element, the lowest if several are";
  let description = !strconcat([{
    Into a register and, as int32, to `dst`.}], common);
}

def NPU_KvqOp : NPU_Instruction<"kvq",
    (ins NPU_Buf:$x, NPU_Buf:$dst, I64Attr:$heads, I64Attr:$head_dim),
    "$x `->` $dst ", "`:` type($x) `->` type($dst)"> {
  let summary = "convert keys or values to the element of the KV cache";
  let description = !strconcat([{
    Rows of heads, fp32 to fp16, in the same order.}], common);
}

//===----------------------------------------------------------------------===//
// Before tiling and synchronisation
//===----------------------------------------------------------------------===//

def NPU_LinearOp : NPU_Op<"linear", [AttrSizedOperandSegments]> {
  let summary = "a whole matrix product, before it is tiled";
  let description = [{
    The weight is [rows, cols] at byte `imm` of the weight file, plus a
    register, as `include/pmpd/npu_layout.h` has it: `bits` planes, then one
    table of scales and minimums for each of `prefixes`. Without `dst` the results are the logits and
    go out tile by tile.

    Constraints:
    - C1: the weight's cols are a multiple of `group`.
    - C2: `wbits` is one of `prefixes`.

    Example: `test/passes/npu-tile.mlir`.
  }];
  let arguments = (ins NPU_Buf:$q, NPU_Buf:$sx, Optional<NPU_Buf>:$dst,
      Optional<NPU_Reg>:$remote_offset, Optional<NPU_Reg>:$rows_from,
      I64Attr:$imm, I64Attr:$rows, I64Attr:$cols, I64Attr:$group,
      I32Attr:$bits, DenseI32ArrayAttr:$prefixes, I32Attr:$wbits,
      I32Attr:$abits, UnitAttr:$acc);
  let assemblyFormat = [{
    $q `,` $sx (`->` $dst^)? `from` (`at` $remote_offset^)? `imm` $imm
    (`rows` $rows_from^)? attr-dict `:` type($q) `,` type($sx) (`->` type($dst)^)?
  }];
  let hasVerifier = 1;
}

def NPU_AttentionOp : NPU_Op<"attention"> {
  let summary = "attention over the KV cache of a layer, before it is tiled";
  let description = [{
    Of every row and head over the cached positions up to the row's own.
    `remote_offset` is where the layer begins in the KV cache, which holds
    `tokens` at most.

    Example: `test/passes/npu-tile.mlir`.
  }];
  let arguments = (ins NPU_Buf:$q, NPU_Buf:$dst, NPU_Reg:$position, NPU_Reg:$remote_offset,
      Optional<NPU_Reg>:$rows_from, F32Attr:$scale, I64Attr:$heads,
      I64Attr:$kv_heads, I64Attr:$head_dim, I64Attr:$tokens);
  let assemblyFormat = [{
    $q `->` $dst `position` $position `at` $remote_offset (`rows` $rows_from^)?
    attr-dict `:` type($q) `->` type($dst)
  }];
}

def NPU_TokenOp : NPU_Op<"token"> {
  let summary = "a step of the producer or consumer of a ring";
  let description = [{
    `acquire` waits for a free slot, `publish` hands it over when the
    instructions of the unit before it are done, `consume` waits for one,
    `release` gives it back. `npu-sync` makes semaphores of them.

    Example: `npu.token acquire %ring qw : !npu.buf<scratchpad, 65536, 64>`
  }];
  let arguments = (ins NPU_CreditAttr:$step, NPU_Buf:$ring, NPU_UnitAttr:$unit);
  let assemblyFormat = "$step $ring $unit attr-dict `:` type($ring)";
}

#endif // NPU_OPS_TD
