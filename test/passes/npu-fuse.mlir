// A silu and the multiplication that alone reads it are one instruction.
// RUN: pmpd-opt %s --npu-fuse | FileCheck %s
!b = !npu.buf<scratchpad, 256, 64>

// CHECK-LABEL: npu.program @fuses
// CHECK:         %[[G:.*]] = npu.alloc
// CHECK-NEXT:    %[[U:.*]] = npu.alloc
// CHECK-NEXT:    %[[O:.*]] = npu.alloc
// CHECK-NEXT:    npu.elt silu_mul %[[G]], %[[U]] -> %[[O]] {cols = 64 : i64}
// CHECK-NEXT:    npu.halt
npu.program @fuses decode wbits = 4, max_rows = 1 {
  %g = npu.alloc : !b
  %u = npu.alloc : !b
  %t = npu.alloc : !b
  %o = npu.alloc : !b
  npu.elt silu %g -> %t {cols = 64 : i64} : !b -> !b
  npu.elt mul %t, %u -> %o {cols = 64 : i64} : !b, !b -> !b
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
