// RUN: pmpd-opt %s --pmpd-place-buffers --canonicalize --split-input-file --verify-diagnostics | FileCheck %s

// 9 floats take 64 bytes; 16 by 4 at the most, 256; 16 by 16 more than half,
// 576.
// CHECK-LABEL: func.func @places(
// CHECK-SAME:    %[[N:.*]]: index, %[[OUT:.*]]: memref<9xf32>, %[[SCRATCH:.*]]: memref<896xi8>)
// CHECK:         %[[A:.*]] = memref.view %[[SCRATCH]][%c0][] : memref<896xi8> to memref<9xf32>
// CHECK:         %[[B:.*]] = memref.view %[[SCRATCH]][%c64][%[[N]]] : memref<896xi8> to memref<?x4xf32>
// CHECK:         %[[C:.*]] = memref.view %[[SCRATCH]][%c320][%{{.*}}] : memref<896xi8> to memref<?xf32>
// CHECK-NOT:     memref.alloc
// CHECK:         linalg.copy ins(%[[A]] {{.*}} outs(%[[OUT]]
func.func @places(%n: index, %out: memref<9xf32>) attributes {pmpd.bound = 16 : i64} {
  %zero = arith.constant 0.0 : f32
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %a = memref.alloc() : memref<9xf32>
  linalg.fill ins(%zero : f32) outs(%a : memref<9xf32>)
  %b = memref.alloc(%n) : memref<?x4xf32>
  linalg.fill ins(%zero : f32) outs(%b : memref<?x4xf32>)
  %square = arith.muli %n, %n : index
  %half = arith.ceildivsi %square, %c2 : index
  %more = arith.addi %half, %c8 : index
  %c = memref.alloc(%more) : memref<?xf32>
  linalg.fill ins(%zero : f32) outs(%c : memref<?xf32>)
  memref.copy %a, %out : memref<9xf32> to memref<9xf32>
  return
}

// -----

// Of other functions nothing is known.
// CHECK-LABEL: func.func @unbounded()
// CHECK:         memref.alloc
func.func @unbounded() -> memref<4xf32> {
  %a = memref.alloc() : memref<4xf32>
  return %a : memref<4xf32>
}

// -----

func.func @size(%n: index, %in: memref<1xindex>) attributes {pmpd.bound = 16 : i64} {
  %c0 = arith.constant 0 : index
  %m = memref.load %in[%c0] : memref<1xindex>
  // expected-error@+1 {{expected a size that grows with the arguments of the function}}
  %a = memref.alloc(%m) : memref<?xf32>
  return
}

// -----

func.func @difference(%n: index) attributes {pmpd.bound = 16 : i64} {
  %c1 = arith.constant 1 : index
  %m = arith.subi %c1, %n : index
  // expected-error@+1 {{expected a size that grows with the arguments of the function}}
  %a = memref.alloc(%m) : memref<?xf32>
  return
}

// -----

func.func @overflow(%n: index) attributes {pmpd.bound = 1048576 : i64} {
  // expected-error@+1 {{expected a buffer of at most 1099511627776 bytes, but got one of 'memref<?x?x?x?xf32>' for a context of 1048576}}
  %a = memref.alloc(%n, %n, %n, %n) : memref<?x?x?x?xf32>
  return
}

// -----

func.func @loop(%n: index) attributes {pmpd.bound = 16 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    // expected-error@+1 {{expected buffers outside of loops and without a layout, but got 'memref<4xf32>'}}
    %a = memref.alloc() : memref<4xf32>
  }
  return
}
