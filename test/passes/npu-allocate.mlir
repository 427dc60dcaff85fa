// Buffers that live at once lie apart, others share bytes.
// RUN: pmpd-opt %s --npu-allocate="scratchpad=2048" --split-input-file --verify-diagnostics | FileCheck %s
// The programs of a whole model, and no two accesses collide.
// RUN: %python %S/llama_regions.py | pmpd-opt --npu-outline --npu-tile --npu-schedule --npu-allocate | %python %S/check_allocation.py | FileCheck %s --check-prefix=MODEL
// MODEL: 4 programs, {{[1-9][0-9]*}} buffers, 0 overlap
!a = !npu.buf<scratchpad, 256, 64>
!b = !npu.buf<scratchpad, 512, 64>

// CHECK-LABEL: npu.program @reuse decode wbits = 4, max_rows = 1, scratchpad = 768
// CHECK:         npu.alloc at 512 : <scratchpad, 256, 64>
// The largest one comes first.
// CHECK-NEXT:    npu.alloc at 0 : <scratchpad, 512, 64>
// The first one is dead.
// CHECK-NEXT:    npu.alloc at 512 : <scratchpad, 256, 64>
// CHECK-NEXT:    npu.reg role position at 6
// CHECK-NEXT:    npu.reg at 10
// CHECK-NEXT:    npu.reg at 11
npu.program @reuse decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !a
  %b = npu.alloc : !b
  %c = npu.alloc : !a
  %p = npu.reg role position
  %r = npu.reg
  %s = npu.reg
  npu.salu mov %r = y %p
  npu.salu mov %s = y %r
  npu.elt relu %a -> %b {cols = 64 : i64} : !a -> !b
  npu.elt relu %b -> %c {cols = 64 : i64} : !b -> !a
  npu.halt
}
// -----
!a = !npu.buf<scratchpad, 256, 64>
// What a loop reads again lives throughout it, and so do rings.
// CHECK-LABEL: npu.program @loops
// CHECK:         npu.alloc slots 2 at 0
// CHECK-NEXT:    npu.alloc at 256
// CHECK-NEXT:    npu.loop
// CHECK-NEXT:      npu.alloc at 512
npu.program @loops decode wbits = 4, max_rows = 1 {
  %w = npu.alloc slots 2 : !a
  %x = npu.alloc : !a
  npu.loop count 2 {
    %t = npu.alloc : !a
    npu.elt relu %x -> %t {cols = 64 : i64} : !a -> !a
    npu.elt relu %t -> %x {cols = 64 : i64} : !a -> !a
  }
  npu.ld qw %w from weights imm 0 {bytes = 64 : i64} : !a
  npu.halt
}
// -----
!a = !npu.buf<scratchpad, 1536, 64>
// expected-error@+1 {{expected at most 2048 bytes of scratchpad, but full needs 3072}}
npu.program @full decode wbits = 4, max_rows = 1 {
  %a = npu.alloc : !a
  %b = npu.alloc : !a
  npu.elt relu %a -> %b {cols = 64 : i64} : !a -> !a
  npu.halt
}
