// RUN: pmpd-opt %s --pmpd-fuse-launches | FileCheck %s

gpu.module @kernels {
  llvm.mlir.global internal @a_shared0() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<64 x i8>
  llvm.mlir.global internal @b_shared0() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<128 x i8>
  gpu.func @a(%in: !llvm.ptr<1>, %out: !llvm.ptr<1>, %call: !llvm.ptr<1>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %block = gpu.block_id x
    %i = arith.index_castui %block : index to i32
    %s = llvm.mlir.addressof @a_shared0 : !llvm.ptr<3>
    llvm.store %i, %s : i32, !llvm.ptr<3>
    %x = llvm.load %in : !llvm.ptr<1> -> i32
    llvm.store %x, %out : i32, !llvm.ptr<1>
    gpu.return
  }
  gpu.func @b(%in: !llvm.ptr<1>, %out: !llvm.ptr<1>, %call: !llvm.ptr<1>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %s = llvm.mlir.addressof @b_shared0 : !llvm.ptr<3>
    %x = llvm.load %call : !llvm.ptr<1> -> i32
    llvm.store %x, %s : i32, !llvm.ptr<3>
    llvm.store %x, %out : i32, !llvm.ptr<1>
    gpu.return
  }
  gpu.func @wide(%in: !llvm.ptr<1>, %call: !llvm.ptr<1>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    gpu.return
  }
  gpu.func @many(%0: !llvm.ptr<1>, %1: !llvm.ptr<1>, %2: !llvm.ptr<1>, %3: !llvm.ptr<1>, %4: !llvm.ptr<1>, %5: !llvm.ptr<1>, %6: !llvm.ptr<1>, %7: !llvm.ptr<1>, %8: !llvm.ptr<1>, %call: !llvm.ptr<1>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    gpu.return
  }
}

// What only runs as a part is gone.
// CHECK-LABEL: gpu.module @kernels
// CHECK-NOT: gpu.func @a(
// CHECK: gpu.func @b(

// The bodies one after another, each with its pointers and all with the call,
// in one shared memory.
// CHECK-LABEL: gpu.func @a__b__a(
// CHECK-SAME:    %[[A0:[a-z0-9]*]]: !llvm.ptr<1>, %[[A1:[a-z0-9]*]]: !llvm.ptr<1>, %[[B0:[a-z0-9]*]]: !llvm.ptr<1>, %[[B1:[a-z0-9]*]]: !llvm.ptr<1>, %[[C0:[a-z0-9]*]]: !llvm.ptr<1>, %[[C1:[a-z0-9]*]]: !llvm.ptr<1>, %[[CALL:[a-z0-9]*]]: !llvm.ptr<1>) kernel
// CHECK-SAME:    known_block_size = array<i32: 64, 1, 1>
// CHECK:         gpu.block_id
// CHECK:         llvm.mlir.addressof @b_shared0
// CHECK:         %[[X:.*]] = llvm.load %[[A0]]
// CHECK-NEXT:    llvm.store %[[X]], %[[A1]]
// CHECK-NEXT:    gpu.barrier
// CHECK-NEXT:    llvm.mlir.addressof @b_shared0
// CHECK-NEXT:    %[[Y:.*]] = llvm.load %[[CALL]]
// CHECK:         llvm.store %[[Y]], %[[B1]]
// CHECK-NEXT:    gpu.barrier
// CHECK:         llvm.load %[[C0]]
// CHECK:         gpu.return

// Each body with its own blocks: block = tile * tasks + task.
// CHECK-LABEL: gpu.func @a__a(
// CHECK:         %[[BLOCK:.*]] = gpu.block_id x
// CHECK:         %[[TILE:.*]] = arith.divui %[[BLOCK]], %c7
// CHECK:         %[[TASK:.*]] = arith.remui %[[BLOCK]], %c7
// CHECK:         %[[FIRST:.*]] = arith.subi %[[TASK]], %c0
// CHECK:         %[[IS_FIRST:.*]] = arith.cmpi ult, %[[FIRST]], %c5
// CHECK:         scf.if %[[IS_FIRST]]
// CHECK:           %[[TILES:.*]] = arith.muli %[[TILE]], %c5
// CHECK:           %[[OWN:.*]] = arith.addi %[[TILES]], %[[FIRST]]
// CHECK:           arith.index_castui %[[OWN]]
// CHECK:         arith.subi %[[TASK]], %c5
// CHECK:         scf.if

pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 2, head_dim = 32, context = 64, kv = f16 {
  // CHECK-LABEL: pmpd.region @rows
  pmpd.region @rows prefill bits = 4, max_rows = 8, scratch = 4096 {
  ^bb0(%tokens: tensor<?xi32>):
    // CHECK-NEXT: ^bb0
    // CHECK-NEXT: pmpd.launch @kernels::@a__b__a [#pmpd.address<scratch, 0>, #pmpd.address<scratch, 64>, #pmpd.address<scratch, 64>, #pmpd.address<scratch, 128>, #pmpd.address<scratch, 128>, #pmpd.address<scratch, 0>] tasks 1 per 1 all{{$}}
    pmpd.launch @kernels::@a [#pmpd.address<scratch, 0>, #pmpd.address<scratch, 64>] tasks 1 per 1 all group 0
    pmpd.launch @kernels::@b [#pmpd.address<scratch, 64>, #pmpd.address<scratch, 128>] tasks 1 per 1 all group 0
    pmpd.launch @kernels::@a [#pmpd.address<scratch, 128>, #pmpd.address<scratch, 0>] tasks 1 per 1 all group 0
    // Of another group, alone, for other rows, with other blocks, and with 18
    // pointers in all: each for itself.
    // CHECK-NEXT: pmpd.launch @kernels::@b
    // CHECK-NEXT: pmpd.launch @kernels::@b
    // CHECK-NEXT: pmpd.launch @kernels::@b {{.*}} logits
    // CHECK-NEXT: pmpd.launch @kernels::@wide
    // CHECK-NEXT: pmpd.launch @kernels::@many
    // CHECK-NEXT: pmpd.launch @kernels::@many
    // CHECK-NOT: pmpd.launch
    pmpd.launch @kernels::@b [#pmpd.address<scratch, 64>, #pmpd.address<scratch, 128>] tasks 1 per 1 all
    pmpd.launch @kernels::@b [#pmpd.address<scratch, 64>, #pmpd.address<scratch, 128>] tasks 1 per 1 all group 1
    pmpd.launch @kernels::@b [#pmpd.address<scratch, 64>, #pmpd.address<scratch, 128>] tasks 1 per 1 logits group 1
    pmpd.launch @kernels::@wide [#pmpd.address<scratch, 64>] tasks 1 per 1 logits group 1
    pmpd.launch @kernels::@many [#pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>] tasks 1 per 1 all group 2
    pmpd.launch @kernels::@many [#pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>, #pmpd.address<scratch, 0>] tasks 1 per 1 all group 2
    pmpd.yield
  }
  // CHECK-LABEL: pmpd.region @side_by_side
  pmpd.region @side_by_side prefill bits = 4, max_rows = 8, scratch = 4096 {
  ^bb0(%tokens: tensor<?xi32>):
    // The tasks are those of all.
    // CHECK: pmpd.launch @kernels::@a__a [{{.*}}] tasks 7 all{{$}}
    pmpd.launch @kernels::@a [#pmpd.address<scratch, 0>, #pmpd.address<scratch, 64>] tasks 5 all group 0
    pmpd.launch @kernels::@a [#pmpd.address<scratch, 0>, #pmpd.address<scratch, 128>] tasks 2 all group 0
    // CHECK-NEXT: }
    pmpd.yield
  }
}
