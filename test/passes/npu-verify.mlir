// Deadlocks, races and accesses out of bounds are found before a program runs.
// RUN: pmpd-opt %s --npu-verify="scratchpad=1024" --split-input-file --verify-diagnostics
!b = !npu.buf<scratchpad, 256, 64>

npu.program @ordered decode wbits = 4, max_rows = 1 {
  %s = npu.sem at 0
  %a = npu.alloc at 0 : !b
  npu.ld qa %a from weights imm 0 post %s {bytes = 256 : i64} : !b
  npu.elt relu %a -> %a wait %s {cols = 64 : i64} : !b -> !b
  npu.halt
}
// -----
!b = !npu.buf<scratchpad, 256, 64>
// missing_token
npu.program @missing_token decode wbits = 4, max_rows = 1 {
  %a = npu.alloc at 0 : !b
  // expected-note@+1 {{this one: }}
  npu.ld qa %a from weights imm 0 {bytes = 256 : i64} : !b
  // expected-error@+1 {{touches bytes 0 to 256 of the scratchpad, but nothing orders it after an instruction of unit qa that does so too}}
  npu.elt relu %a -> %a {cols = 64 : i64} : !b -> !b
  npu.halt
}
// -----
!b = !npu.buf<scratchpad, 256, 64>
// A write after a read, in the second round of a loop only.
npu.program @next_round decode wbits = 4, max_rows = 1 {
  %s = npu.sem at 0
  %a = npu.alloc at 0 : !b
  %c = npu.alloc at 256 : !b
  npu.loop count 2 {
    // expected-error@+1 {{touches bytes 0 to 256 of the scratchpad, but nothing orders it after an instruction of unit vpu}}
    npu.ld qa %a from weights imm 0 post %s {bytes = 256 : i64} : !b
    // expected-note@+1 {{this one: }}
    npu.elt relu %a -> %c wait %s {cols = 64 : i64} : !b -> !b
  }
  npu.halt
}
// -----
// deadlock
npu.program @never_posted decode wbits = 4, max_rows = 1 {
  %s = npu.sem at 3
  // expected-error@+1 {{waits for a token of semaphore 3 that no earlier instruction posts: a deadlock}}
  npu.nop vpu wait %s
  npu.halt
}
// -----
// A token for one round of two.
npu.program @too_few decode wbits = 4, max_rows = 1 {
  %s = npu.sem at 3
  npu.nop seq post %s
  npu.loop count 2 {
    // expected-error@+1 {{waits for a token of semaphore 3 that no earlier instruction posts: a deadlock}}
    npu.nop vpu wait %s
  }
  npu.halt
}
// -----
npu.program @two_waiters decode wbits = 4, max_rows = 1 {
  %s = npu.sem at 0
  npu.nop seq post %s, %s
  npu.nop vpu wait %s
  // expected-error@+1 {{waits for semaphore 0 on unit bpu, but unit vpu does so too; use one semaphore per waiting unit}}
  npu.nop bpu wait %s
  npu.halt
}
// -----
npu.program @any_order decode wbits = 4, max_rows = 1 {
  %s = npu.sem at 0
  npu.nop vpu post %s
  // expected-error@+1 {{posts semaphore 0 at the same time as another unit may}}
  npu.nop bpu post %s
  npu.nop mxu wait %s
  npu.nop mxu wait %s
  npu.halt
}
// -----
!b = !npu.buf<scratchpad, 256, 64>
npu.program @beyond_the_buffer decode wbits = 4, max_rows = 1 {
  %r = npu.reg at 10
  %a = npu.alloc at 0 : !b
  npu.salu mov %r = imm 64
  // expected-error@+1 {{touches bytes 64 to 320 of a buffer of 256 in a scratchpad of 1024}}
  npu.ld qa %a from weights imm 0 in %r {bytes = 256 : i64} : !b
  npu.halt
}
// -----
!b = !npu.buf<scratchpad, 256, 64>
npu.program @beyond_the_scratchpad decode wbits = 4, max_rows = 1 {
  %a = npu.alloc at 832 : !b
  // expected-error@+1 {{touches bytes 0 to 256 of a buffer of 256 in a scratchpad of 1024}}
  npu.ld qa %a from weights imm 0 {bytes = 256 : i64} : !b
  npu.halt
}
// -----
!b = !npu.buf<scratchpad, 256, 64>
// The rows of the longest call count.
npu.program @rows prefill wbits = 4, max_rows = 4 {
  %r = npu.reg role rows at 7
  %a = npu.alloc at 0 : !b
  // expected-error@+1 {{touches bytes 0 to 512 of a buffer of 256}}
  npu.elt relu %a -> %a rows %r {cols = 32 : i64} : !b -> !b
  npu.halt
}
