// Products and attention become loops over tiles that stream through rings.
// RUN: pmpd-opt %s --npu-tile="tile-bytes=16384" | FileCheck %s
// RUN: not pmpd-opt %s --npu-tile="tile-bytes=0" 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: expected tile-bytes of at least 1, but got 0
!q = !npu.buf<scratchpad, 512, 64>
!s = !npu.buf<scratchpad, 64, 64>
!y = !npu.buf<scratchpad, 4096, 64>

// 1024 x 256 at 4 bits with groups of 128: a block of 64 rows has 4 * 2048
// bytes of planes and 512 of metadata, so that 2 blocks of it are a tile of at
// most 16384 bytes of planes. Planes are 32768 bytes apart, tables 8192.
// CHECK-LABEL: npu.program @whole_rows
// CHECK:         %[[RING:.*]] = npu.alloc slots 0 : <scratchpad, 17408, 64>
// CHECK:         npu.salu mov %[[P:.*]] =
// CHECK:         npu.salu mov %[[M:.*]] =
// CHECK:         npu.salu mov %[[O:.*]] =
// CHECK:         npu.loop count 8 {
// CHECK-NEXT:      npu.token acquire %[[RING]] qw
// At 2 bits two planes are read, and the first table.
// CHECK-NEXT:      npu.ld qw %[[RING]] from weights at %[[P]] imm 4096 {bytes = 4096 : i64, count = 2 : i64, local_stride = 4096 : i64, remote_stride = 32768 : i64}
// CHECK-NEXT:      npu.ld qw %[[RING]] from weights at %[[M]] imm 135168 {bytes = 1024 : i64, local_imm = 8192 : i64, local_stride = 1024 : i64}
// CHECK-NEXT:      npu.token publish %[[RING]] qw
// CHECK-NEXT:      npu.token consume %[[RING]] bpu
// CHECK-NEXT:      npu.bpmv %[[RING]], {{.*}} out %[[O]] {{.*}}k = 256 : i64, n = 128 : i64{{.*}}wbits = 2
// CHECK-NEXT:      npu.token release %[[RING]] bpu
// CHECK-NEXT:      npu.salu add %[[P]] = x %[[P]] imm 4096
// CHECK-NEXT:      npu.salu add %[[M]] = x %[[M]] imm 1024
// CHECK-NEXT:      npu.salu add %[[O]] = x %[[O]] imm 512
// CHECK-NEXT:    }
npu.program @whole_rows decode wbits = 2, max_rows = 1 {
  %q = npu.alloc : !q
  %s = npu.alloc : !s
  %y = npu.alloc : !y
  npu.linear %q, %s -> %y from imm 4096 {rows = 1024 : i64, cols = 256 : i64, group = 128 : i64, bits = 4 : i32, prefixes = array<i32: 2, 3, 4>, wbits = 2 : i32, abits = 16 : i32} : !q, !s -> !y
  npu.halt
}

// Rows of 2048 columns do not fit: a block in four steps, of which the later ones
// add to the first. In prefill the matrix unit takes all rows.
// CHECK-LABEL: npu.program @columns
// CHECK:         npu.loop count 2 {
// CHECK:           npu.mmq {{.*}}first_col = 0 : i64, {{.*}}k = 512
// CHECK-NOT:       acc
// CHECK:           npu.mmq {{.*}} rows %{{[0-9]+}} {abits = 16 : i32, acc, cols = 2048 : i64, first_col = 512 : i64, {{.*}}k = 512
npu.program @columns prefill wbits = 4, max_rows = 1 {
  %q = npu.alloc : !y
  %s = npu.alloc : !y
  %y = npu.alloc : !y
  %rows = npu.reg role rows
  npu.linear %q, %s -> %y from imm 4096 rows %rows {rows = 128 : i64, cols = 2048 : i64, group = 128 : i64, bits = 4 : i32, prefixes = array<i32: 4>, wbits = 4 : i32, abits = 16 : i32} : !y, !y -> !y
  npu.halt
}

// Logits have no buffer of their own and may end within a block.
// CHECK-LABEL: npu.program @logits
// CHECK:         npu.bpmv {{.*}}n = 64 : i64
// CHECK-NEXT:    npu.token release
// CHECK-NEXT:    npu.st qs %{{.*}} to logits at %[[O:.*]] imm 0 {bytes = 256 : i64
// CHECK:         npu.bpmv {{.*}}n = 36 : i64
// CHECK-NEXT:    npu.token release
// CHECK-NEXT:    npu.st qs %{{.*}} to logits at %{{.*}} imm 0 {bytes = 144 : i64
npu.program @logits decode wbits = 4, max_rows = 1 {
  %q = npu.alloc : !q
  %s = npu.alloc : !s
  npu.linear %q, %s from imm 4096 {rows = 100 : i64, cols = 256 : i64, group = 128 : i64, bits = 4 : i32, prefixes = array<i32: 4>, wbits = 4 : i32, abits = 16 : i32} : !q, !s
  npu.halt
}

// Two heads share each of two KV heads; tiles of 64 tokens, the last one short.
// CHECK-LABEL: npu.program @attention
// CHECK:         %[[KV:.*]] = npu.alloc slots 0 : <scratchpad, 8192, 64>
// CHECK:         npu.salu add %[[HELD:.*]] = x %[[POS:.*]] imm 1
// CHECK-NEXT:    npu.salu ceildiv %[[TILES:.*]] = x %[[HELD]] imm 64
// CHECK:         npu.loop count 2 {
// CHECK:           npu.att {{.*}}first
// CHECK:           npu.loop %[[TILES]] {
// CHECK-NEXT:        npu.salu min %[[LEFT:.*]] = x %{{.*}} imm 64
// CHECK-NEXT:        npu.salu mul %[[LEFT]] = x %[[LEFT]] imm 64
// CHECK-NEXT:        npu.token acquire %[[KV]] qk
// CHECK-NEXT:        npu.ld qk %[[KV]] from kv at %{{.*}} imm 0 rows %[[LEFT]] {bytes = 4096 : i64, count = 2 : i64, length_from_rows, local_stride = 4096 : i64, remote_stride = 16384 : i64}
// CHECK:             npu.att {{.*}}head_dim = 32 : i64, heads = 4 : i64, queries = 2 : i64
// CHECK:           }
// CHECK:           npu.att {{.*}}last
npu.program @attention decode wbits = 4, max_rows = 1 {
  %q = npu.alloc : !q
  %y = npu.alloc : !q
  %p = npu.reg role position
  %l = npu.reg
  npu.attention %q -> %y position %p at %l {scale = 0.5 : f32, heads = 4 : i64, kv_heads = 2 : i64, head_dim = 32 : i64, tokens = 128 : i64} : !q -> !q
  npu.halt
}
