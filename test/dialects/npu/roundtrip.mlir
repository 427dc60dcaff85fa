// Every op and type in its printed form.
// RUN: pmpd-opt %s | pmpd-opt | FileCheck %s

// CHECK-LABEL: npu.program @decode_b2 decode wbits = 2, max_rows = 1, scratchpad = 8192 {
npu.program @decode_b2 decode wbits = 2, max_rows = 1, scratchpad = 8192 {
  // CHECK: %[[W:.*]] = npu.alloc slots 2 at 0 : <scratchpad, 4096, 64>
  %w = npu.alloc slots 2 at 0 : !npu.buf<scratchpad, 4096, 64>
  // CHECK: %[[X:.*]] = npu.alloc per_row 512 : <scratchpad, 512, 64>
  %x = npu.alloc per_row 512 : !npu.buf<scratchpad, 512, 64>
  %s = npu.alloc at 4096 : !npu.buf<scratchpad, 64, 64>
  %o = npu.alloc : !npu.buf<scratchpad, 1024, 64>
  // CHECK: %[[P:.*]] = npu.reg role position at 6
  %p = npu.reg role position at 6
  // CHECK: %[[R:.*]] = npu.reg at 10
  %r = npu.reg at 10
  // CHECK: %[[A:.*]] = npu.sem at 0
  %a = npu.sem at 0
  // CHECK: %[[B:.*]] = npu.sem
  %b = npu.sem
  // CHECK: npu.salu mov %[[R]] = imm 64
  npu.salu mov %r = imm 64
  // CHECK: npu.salu add %[[R]] = x %[[R]] y %[[P]] imm -1
  npu.salu add %r = x %r y %p imm -1
  // CHECK: npu.nop bpu wait %[[A]] post %[[B]], %[[B]]
  npu.nop bpu wait %a post %b, %b
  // CHECK: npu.fence 254
  npu.fence 254
  // CHECK: npu.evt 7
  npu.evt 7
  // CHECK: npu.loop count 2 {
  npu.loop count 2 {
    // CHECK: npu.loop %[[R]] {
    npu.loop %r {
      // CHECK: npu.ld qw %[[W]] from weights at %[[R]] imm 4096 in %[[R]] post %[[A]] {bytes = 1024 : i64, count = 2 : i64, local_stride = 1024 : i64, remote_stride = 2048 : i64}
      npu.ld qw %w from weights at %r imm 4096 in %r post %a {bytes = 1024 : i64, count = 2 : i64, local_stride = 1024 : i64, remote_stride = 2048 : i64} : !npu.buf<scratchpad, 4096, 64>
    }
    // CHECK: npu.st qs %[[O:.*]] to logits imm 0 rows %[[R]] {bytes = 64 : i64, length_from_rows}
    npu.st qs %o to logits imm 0 rows %r {bytes = 64 : i64, length_from_rows} : !npu.buf<scratchpad, 1024, 64>
  }
  // CHECK: npu.qact %[[O]] -> %[[X]], %{{.*}} {abits = 16 : i32, cols = 256 : i64, group = 128 : i64}
  npu.qact %o -> %x, %s {abits = 16 : i32, cols = 256 : i64, group = 128 : i64} : !npu.buf<scratchpad, 1024, 64> -> !npu.buf<scratchpad, 512, 64>, !npu.buf<scratchpad, 64, 64>
  // CHECK: npu.bpmv %[[W]], %[[X]], %{{.*}} -> %[[O]] in %[[R]] wait %[[A]]
  npu.bpmv %w, %x, %s -> %o in %r wait %a {n = 64 : i64, k = 128 : i64, wbits = 2 : i32, abits = 16 : i32, group = 128 : i64, first_col = 0 : i64, cols = 256 : i64, out_cols = 64 : i64} : !npu.buf<scratchpad, 4096, 64>, !npu.buf<scratchpad, 512, 64>, !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 1024, 64>
  // CHECK: npu.mmq {{.*}} rows %[[R]] {{.*}}acc
  npu.mmq %w, %x, %s -> %o rows %r {acc, n = 64 : i64, k = 128 : i64, wbits = 2 : i32, abits = 16 : i32, group = 128 : i64, first_col = 128 : i64, cols = 256 : i64, out_cols = 64 : i64} : !npu.buf<scratchpad, 4096, 64>, !npu.buf<scratchpad, 512, 64>, !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 1024, 64>
  // CHECK: npu.mmh
  npu.mmh %w, %x -> %o {n = 64 : i64, k = 16 : i64} : !npu.buf<scratchpad, 4096, 64>, !npu.buf<scratchpad, 512, 64> -> !npu.buf<scratchpad, 1024, 64>
  // CHECK: npu.att {{.*}} seen %[[R]] {first,
  npu.att %x, %w, %s -> %o seen %r {first, scale = 0.5 : f32, heads = 4 : i64, head_dim = 32 : i64, queries = 2 : i64} : !npu.buf<scratchpad, 512, 64>, !npu.buf<scratchpad, 4096, 64>, !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 1024, 64>
  // CHECK: npu.norm rms
  npu.norm rms %x, %o -> %o {cols = 128 : i64, eps = 1.0e-5 : f32} : !npu.buf<scratchpad, 512, 64>, !npu.buf<scratchpad, 1024, 64> -> !npu.buf<scratchpad, 1024, 64>
  // CHECK: npu.norm layer %[[X]], %[[O]], %[[O]] ->
  npu.norm layer %x, %o, %o -> %o {cols = 128 : i64, eps = 1.0e-5 : f32} : !npu.buf<scratchpad, 512, 64>, !npu.buf<scratchpad, 1024, 64>, !npu.buf<scratchpad, 1024, 64> -> !npu.buf<scratchpad, 1024, 64>
  // CHECK: npu.rope half
  npu.rope half %x, %s {heads = 4 : i64, head_dim = 32 : i64, frequencies = 8 : i64} : !npu.buf<scratchpad, 512, 64>, !npu.buf<scratchpad, 64, 64>
  // CHECK: npu.elt silu_mul %[[X]], %[[O]] -> %[[O]]
  npu.elt silu_mul %x, %o -> %o {cols = 128 : i64} : !npu.buf<scratchpad, 512, 64>, !npu.buf<scratchpad, 1024, 64> -> !npu.buf<scratchpad, 1024, 64>
  // CHECK: npu.red
  npu.red %x -> %s, %r {cols = 128 : i64} : !npu.buf<scratchpad, 512, 64> -> !npu.buf<scratchpad, 64, 64>
  // CHECK: npu.kvq
  npu.kvq %x -> %o {heads = 4 : i64, head_dim = 32 : i64} : !npu.buf<scratchpad, 512, 64> -> !npu.buf<scratchpad, 1024, 64>
  // CHECK: npu.linear %[[X]], %{{.*}} -> %[[O]] from at %[[R]] imm 4096 rows %[[R]]
  npu.linear %x, %s -> %o from at %r imm 4096 rows %r {rows = 64 : i64, cols = 128 : i64, group = 128 : i64, bits = 4 : i32, prefixes = array<i32: 2, 3, 4>, wbits = 2 : i32, abits = 16 : i32} : !npu.buf<scratchpad, 512, 64>, !npu.buf<scratchpad, 64, 64> -> !npu.buf<scratchpad, 1024, 64>
  // CHECK: npu.attention %[[X]] -> %[[O]] position %[[P]] at %[[R]]
  npu.attention %x -> %o position %p at %r {scale = 0.5 : f32, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 32 : i64, tokens = 128 : i64} : !npu.buf<scratchpad, 512, 64> -> !npu.buf<scratchpad, 1024, 64>
  // CHECK: npu.token acquire %[[W]] qw
  npu.token acquire %w qw : !npu.buf<scratchpad, 4096, 64>
  // CHECK: npu.halt
  npu.halt
}
