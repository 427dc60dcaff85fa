// Units take turns by tokens; producers of rings only wait for a free slot.
// RUN: pmpd-opt %s --npu-sync --split-input-file | FileCheck %s
!b = !npu.buf<scratchpad, 256, 64>

// A token goes from unit to unit, none within one.
// CHECK-LABEL: npu.program @turns
// CHECK:         npu.ld qa %{{.*}} post %[[V:[0-9]+]] {
// CHECK-NEXT:    npu.elt relu %{{.*}} wait %[[V]] {
// CHECK-NEXT:    npu.elt relu %{{.*}} post %[[S:[0-9]+]] {
// CHECK-NEXT:    npu.st qs %{{.*}} wait %[[S]] {
// CHECK-NEXT:    npu.halt
npu.program @turns decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !b
  npu.ld qa %a from weights imm 0 {bytes = 64 : i64} : !b
  npu.elt relu %a -> %a {cols = 16 : i64} : !b -> !b
  npu.elt relu %a -> %a {cols = 16 : i64} : !b -> !b
  npu.st qs %a to logits imm 0 {bytes = 64 : i64} : !b
  npu.halt
}
// -----
!b = !npu.buf<scratchpad, 256, 64>
!w = !npu.buf<scratchpad, 512, 64>
// A loop begins and ends with the same unit's turn.
// CHECK-LABEL: npu.program @loop
// CHECK:         npu.loop count 3 {
// CHECK-NEXT:      npu.elt relu {{.*}} post %[[S:[0-9]+]] {
// CHECK-NEXT:      npu.st qs %{{.*}} wait %[[S]] post %[[V:[0-9]+]] {
// CHECK-NEXT:      npu.nop vpu wait %[[V]]
// CHECK-NEXT:    }
npu.program @loop decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !b
  npu.loop count 3 {
    npu.elt relu %a -> %a {cols = 16 : i64} : !b -> !b
    npu.st qs %a to logits imm 0 {bytes = 64 : i64} : !b
  }
  npu.halt
}
// -----
!b = !npu.buf<scratchpad, 256, 64>
!w = !npu.buf<scratchpad, 768, 64>
// Three free slots to begin with. The load waits for one, and the product that
// gives it back for the load; the load takes no part in the turns.
// CHECK-LABEL: npu.program @ring
// CHECK:         npu.nop seq post %[[FREE:[0-9]+]], %[[FREE]]
// CHECK-NEXT:    npu.nop seq post %[[FREE]]
// CHECK:         npu.elt relu
// CHECK-NEXT:    npu.ld qw %{{.*}} wait %[[FREE]] post %[[FULL:[0-9]+]] {
// CHECK-NEXT:    npu.elt relu {{.*}} post %[[TURN:[0-9]+]] {
// CHECK-NEXT:    npu.bpmv {{.*}} wait %[[TURN]], %[[FULL]] post %[[FREE]]
npu.program @ring decode wbits = 4, max_rows = 1 {
  %w = npu.alloc slots 3 : !w
  %a = npu.alloc : !b
  npu.elt relu %a -> %a {cols = 16 : i64} : !b -> !b
  npu.token acquire %w qw : !w
  npu.ld qw %w from weights imm 0 {bytes = 64 : i64} : !w
  npu.token publish %w qw : !w
  npu.elt relu %a -> %a {cols = 16 : i64} : !b -> !b
  npu.token consume %w bpu : !w
  npu.bpmv %w, %a, %a -> %a {n = 64 : i64, k = 32 : i64, wbits = 2 : i32, abits = 16 : i32, group = 32 : i64, first_col = 0 : i64, cols = 32 : i64, out_cols = 64 : i64} : !w, !b, !b -> !b
  npu.token release %w bpu : !w
  npu.halt
}
