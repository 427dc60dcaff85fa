// Rings get as many slots as fit, at most as many as are wanted.
// RUN: pmpd-opt %s --npu-schedule="scratchpad=8192 max-slots=4" --split-input-file --verify-diagnostics | FileCheck %s
!w = !npu.buf<scratchpad, 1024, 64>

// CHECK-LABEL: npu.program @most_slots
// CHECK:         %[[RING:.*]] = npu.alloc slots 4 : <scratchpad, 4096, 64>
// CHECK-NEXT:    %[[SLOT:.*]] = npu.reg
// CHECK-NEXT:    npu.salu mov %[[SLOT]] =
// CHECK:         npu.ld qw %[[RING]] from weights imm 0 in %[[SLOT]]
// CHECK-NEXT:    npu.token publish
// CHECK-NEXT:    npu.token release
// CHECK-NEXT:    npu.salu add %[[SLOT]] = x %[[SLOT]] imm 1024
// CHECK-NEXT:    npu.salu rem %[[SLOT]] = x %[[SLOT]] imm 4096
npu.program @most_slots decode wbits = 4, max_rows = 1 {
  %w = npu.alloc slots 0 : !w
  npu.token acquire %w qw : !w
  npu.ld qw %w from weights imm 0 {bytes = 64 : i64} : !w
  npu.token publish %w qw : !w
  npu.token release %w bpu : !w
  npu.halt
}
// -----
!w = !npu.buf<scratchpad, 1024, 64>
!x = !npu.buf<scratchpad, 6144, 64>
// Beside 6144 other bytes there is room for two slots.
// CHECK-LABEL: npu.program @what_is_left
// CHECK:         npu.alloc slots 2 : <scratchpad, 2048, 64>
npu.program @what_is_left decode wbits = 4, max_rows = 1 {
  %w = npu.alloc slots 0 : !w
  %x = npu.alloc : !x
  npu.elt relu %x -> %x {cols = 64 : i64} : !x -> !x
  npu.ld qw %w from weights imm 0 {bytes = 64 : i64} : !w
  npu.halt
}
// -----
!w = !npu.buf<scratchpad, 1024, 64>
!x = !npu.buf<scratchpad, 8192, 64>
// Fewer tokens a call where not even two fit.
// CHECK-LABEL: npu.program @fewer_rows prefill wbits = 4, max_rows = 4 {
// CHECK:         npu.alloc slots 4 : <scratchpad, 4096, 64>
// CHECK:         npu.alloc per_row 1024 : <scratchpad, 4096, 64>
npu.program @fewer_rows prefill wbits = 4, max_rows = 8 {
  %w = npu.alloc slots 0 : !w
  %x = npu.alloc per_row 1024 : !x
  npu.elt relu %x -> %x {cols = 64 : i64} : !x -> !x
  npu.ld qw %w from weights imm 0 {bytes = 64 : i64} : !w
  npu.halt
}
// -----
!w = !npu.buf<scratchpad, 1024, 64>
!x = !npu.buf<scratchpad, 8192, 64>
// expected-error@+1 {{expected at most 8192 bytes of scratchpad, but too_large needs 10240 for one token}}
npu.program @too_large decode wbits = 4, max_rows = 1 {
  %w = npu.alloc slots 0 : !w
  %x = npu.alloc : !x
  npu.elt relu %x -> %x {cols = 64 : i64} : !x -> !x
  npu.ld qw %w from weights imm 0 {bytes = 64 : i64} : !w
  npu.halt
}
