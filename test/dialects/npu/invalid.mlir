// One function of the dialect's constraints each: what is refused, and how.
// RUN: pmpd-opt %s --split-input-file --verify-diagnostics

// buf_c1
// expected-error@+1 {{expected a positive number of bytes, but got 0}}
module attributes {t = !npu.buf<scratchpad, 0, 64>} {}
// -----
// buf_c2
// expected-error@+1 {{expected a power of two to align to, but got 48}}
module attributes {t = !npu.buf<scratchpad, 64, 48>} {}
// -----
// program_c1
// expected-error@+1 {{expected wbits of 2 to 4, but got 5}}
npu.program @p decode wbits = 5, max_rows = 1 { npu.halt }
// -----
// program_c2
// expected-error@+1 {{expected max_rows of at least 1, and 1 for decode, but got 2}}
npu.program @p decode wbits = 4, max_rows = 2 { npu.halt }
// -----
// program_c3
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.sem at 1
  // expected-error@+1 {{expected a number that is not taken, but got 1}}
  %b = npu.sem at 1
}
// -----
// alloc_c1
npu.program @p decode wbits = 4, max_rows = 1 {
  // expected-error@+1 {{expected an address that is a multiple of 64, but got 32}}
  %a = npu.alloc at 32 : !npu.buf<scratchpad, 64, 64>
}
// -----
// alloc_c2
npu.program @p decode wbits = 4, max_rows = 1 {
  // expected-error@+1 {{expected slots that divide 64 bytes, but got 3}}
  %a = npu.alloc slots 3 : !npu.buf<scratchpad, 64, 64>
}
// -----
// alloc_c3
npu.program @p decode wbits = 4, max_rows = 1 {
  // expected-error@+1 {{expected 1 to 64 bytes per row, but got 128}}
  %a = npu.alloc per_row 128 : !npu.buf<scratchpad, 64, 64>
}
// -----
// reg_c1
npu.program @p decode wbits = 4, max_rows = 1 {
  // expected-error@+1 {{expected a register from 1 to 31, but got 32}}
  %r = npu.reg at 32
}
// -----
// reg_c2
npu.program @p decode wbits = 4, max_rows = 1 {
  // expected-error@+1 {{expected register 6 for its role, but got 7}}
  %r = npu.reg role position at 7
}
// -----
// sem_c1
npu.program @p decode wbits = 4, max_rows = 1 {
  // expected-error@+1 {{expected a semaphore from 0 to 63, but got 64}}
  %s = npu.sem at 64
}
// -----
// loop_c1
npu.program @p decode wbits = 4, max_rows = 1 {
  // expected-error@+1 {{expected either a register or a positive count}}
  npu.loop count 0 { npu.evt 0 }
}
// -----
// loop_c2
npu.program @p decode wbits = 4, max_rows = 1 {
  npu.loop count 2 { npu.loop count 2 { npu.loop count 2 { npu.loop count 2 {
    // expected-error@+1 {{expected at most 4 loops inside each other, but got 5}}
    npu.loop count 2 { npu.evt 0 }
  } } } }
}
// -----
// loop_c3
npu.program @p decode wbits = 4, max_rows = 1 {
  // expected-error@+1 {{expected a body that is not empty}}
  npu.loop count 2 { }
}
// -----
// instruction_c1
npu.program @p decode wbits = 4, max_rows = 1 {
  %s = npu.sem at 0
  // expected-error@+1 {{expected at most two semaphores to wait for and two to post, but got 3 and 0}}
  npu.nop bpu wait %s, %s, %s
}
// -----
// instruction_c2
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected cols from 1 to 65535, but got 0}}
  npu.norm rms %a, %a -> %a {cols = 0 : i64, eps = 1.0 : f32} : !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 64, 64>
}
// -----
// salu_c3
npu.program @p decode wbits = 4, max_rows = 1 {
  %r = npu.reg
  // expected-error@+1 {{expected no x for mov}}
  npu.salu mov %r = x %r
}
// -----
// salu_c4
npu.program @p decode wbits = 4, max_rows = 1 {
  %r = npu.reg
  // expected-error@+1 {{expected a divisor that is not 0}}
  npu.salu rem %r = x %r imm 0
}
// -----
// transfer_c3
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected a transfer within the 64 bytes of the buffer, but it ends at 128}}
  npu.ld qw %a from weights imm 0 {bytes = 64 : i64, count = 2 : i64, local_stride = 64 : i64} : !npu.buf<scratchpad, 64, 64>
}
// -----
// transfer_c4
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected imm and remote_stride to be multiples of 64, but got 32 and 0}}
  npu.ld qw %a from weights imm 32 {bytes = 64 : i64} : !npu.buf<scratchpad, 64, 64>
}
// -----
// transfer_c5
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected a DMA queue, but got vpu}}
  npu.st vpu %a to kv imm 0 {bytes = 64 : i64} : !npu.buf<scratchpad, 64, 64>
}
// -----
// qact_c3
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected 8 or 16 bits and a group of a power of two that divides the columns, but got 16 and 96}}
  npu.qact %a -> %a, %a {abits = 16 : i32, cols = 96 : i64, group = 96 : i64} : !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64>
}
// -----
// product_c3
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected columns in groups of a power of two, but got 100 in groups of 32}}
  npu.bpmv %a, %a, %a -> %a {n = 64 : i64, k = 100 : i64, wbits = 2 : i32, abits = 16 : i32, group = 32 : i64, first_col = 0 : i64, cols = 100 : i64, out_cols = 64 : i64} : !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 64, 64>
}
// -----
// product_c4
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected weights of 2 to 4 bits and activations of 8 or 16, but got 5 and 16}}
  npu.mmq %a, %a, %a -> %a {n = 64 : i64, k = 32 : i64, wbits = 5 : i32, abits = 16 : i32, group = 32 : i64, first_col = 0 : i64, cols = 32 : i64, out_cols = 64 : i64} : !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 64, 64>
}
// -----
// product_c5
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected columns from the start of a group, but got 16}}
  npu.bpmv %a, %a, %a -> %a {n = 64 : i64, k = 32 : i64, wbits = 4 : i32, abits = 16 : i32, group = 32 : i64, first_col = 16 : i64, cols = 64 : i64, out_cols = 64 : i64} : !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 64, 64>
}
// -----
// norm_c3
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected a bias for a layer normalization only}}
  npu.norm layer %a, %a -> %a {cols = 16 : i64, eps = 1.0 : f32} : !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 64, 64>
}
// -----
// elt_c3
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected a second operand for functions of two only}}
  npu.elt add %a -> %a {cols = 16 : i64} : !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 64, 64>
}
// -----
// heads_c2
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected heads from 1 to 255, but got 256}}
  npu.rope half %a, %a {heads = 256 : i64, head_dim = 32 : i64, frequencies = 8 : i64} : !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64>
}
// -----
// heads_c3
npu.program @p decode wbits = 4, max_rows = 1 {
  %r = npu.reg
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected a head_dim that is a multiple of 8, but got 20}}
  npu.att %a, %a, %a -> %a seen %r {scale = 0.5 : f32, heads = 4 : i64, head_dim = 20 : i64, queries = 2 : i64} : !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 64, 64>
}
// -----
// linear_c1
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected columns in groups of a power of two, but got 96 in groups of 96}}
  npu.linear %a, %a -> %a from imm 0 {rows = 64 : i64, cols = 96 : i64, group = 96 : i64, bits = 4 : i32, prefixes = array<i32: 4>, wbits = 4 : i32, abits = 16 : i32} : !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 64, 64>
}
// -----
// linear_c2
npu.program @p decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !npu.buf<scratchpad, 64, 64>
  // expected-error@+1 {{expected wbits that the weight can be read at, but got 2}}
  npu.linear %a, %a -> %a from imm 0 {rows = 64 : i64, cols = 64 : i64, group = 32 : i64, bits = 4 : i32, prefixes = array<i32: 3, 4>, wbits = 2 : i32, abits = 16 : i32} : !npu.buf<scratchpad, 64, 64>, !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 64, 64>
}
