// A silu and the multiplication that alone reads it are one instruction, which
// writes over what is not read again.
// RUN: pmpd-opt %s --npu-fuse | FileCheck %s
!b = !npu.buf<scratchpad, 256, 64>

// CHECK-LABEL: npu.program @fuses
// CHECK:         %[[G:.*]] = npu.alloc
// CHECK-NEXT:    %[[U:.*]] = npu.alloc
// CHECK-NEXT:    npu.ld
// CHECK-NEXT:    npu.elt silu_mul %[[G]], %[[U]] -> %[[G]] {cols = 64 : i64}
// CHECK-NEXT:    npu.st qs %[[G]]
// CHECK-NEXT:    npu.halt
npu.program @fuses decode wbits = 4, max_rows = 1 {
  %g = npu.alloc : !b
  %u = npu.alloc : !b
  %t = npu.alloc : !b
  %o = npu.alloc : !b
  npu.ld qa %u from weights imm 0 {bytes = 256 : i64} : !b
  npu.elt silu %g -> %t {cols = 64 : i64} : !b -> !b
  npu.elt mul %t, %u -> %o {cols = 64 : i64} : !b, !b -> !b
  npu.st qs %o to logits imm 0 {bytes = 256 : i64} : !b
  npu.halt
}

// What another instruction reads stays.
// CHECK-LABEL: npu.program @read_twice
// CHECK:         npu.elt silu
// CHECK-NEXT:    npu.elt mul
// CHECK-NEXT:    npu.elt add
npu.program @read_twice decode wbits = 4, max_rows = 1 {
  %g = npu.alloc : !b
  %t = npu.alloc : !b
  %o = npu.alloc : !b
  npu.elt silu %g -> %t {cols = 64 : i64} : !b -> !b
  npu.elt mul %t, %g -> %o {cols = 64 : i64} : !b, !b -> !b
  npu.elt add %t, %o -> %o {cols = 64 : i64} : !b, !b -> !b
  npu.halt
}

// CHECK-LABEL: npu.program @squared
// CHECK:         npu.elt silu
// CHECK-NEXT:    npu.elt mul
npu.program @squared decode wbits = 4, max_rows = 1 {
  %g = npu.alloc : !b
  %t = npu.alloc : !b
  npu.elt silu %g -> %t {cols = 64 : i64} : !b -> !b
  npu.elt mul %t, %t -> %g {cols = 64 : i64} : !b, !b -> !b
  npu.halt
}

// What the next round of a loop reads stays, and so does what is read later.
// CHECK-LABEL: npu.program @read_again
// CHECK:         %[[X:.*]] = npu.alloc
// CHECK-NEXT:    npu.loop
// CHECK-NEXT:      %[[A:.*]] = npu.alloc
// CHECK-NEXT:      %[[B:.*]] = npu.alloc
// CHECK-NEXT:      npu.elt relu %[[X]] -> %[[A]]
// CHECK-NEXT:      npu.elt relu %[[A]] -> %[[B]]
// CHECK-NEXT:      npu.elt add %[[A]], %[[B]] -> %[[A]]
// CHECK-NEXT:      npu.elt add %[[X]], %[[A]] -> %[[X]]
npu.program @read_again decode wbits = 4, max_rows = 1 {
  %x = npu.alloc : !b
  npu.loop count 2 {
    %a = npu.alloc : !b
    %b = npu.alloc : !b
    %c = npu.alloc : !b
    npu.elt relu %x -> %a {cols = 64 : i64} : !b -> !b
    npu.elt relu %a -> %b {cols = 64 : i64} : !b -> !b
    npu.elt add %a, %b -> %c {cols = 64 : i64} : !b, !b -> !b
    npu.elt add %x, %c -> %x {cols = 64 : i64} : !b, !b -> !b
  }
  npu.halt
}
