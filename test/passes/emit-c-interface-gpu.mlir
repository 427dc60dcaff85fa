// Launches of a GPU: the host only computes addresses and counts.
// RUN: pmpd-opt %s --pmpd-emit-gpu-images="gpu=sm_80 ptxas=none" --pmpd-emit-c-interface="name=m triple=x86_64-linux-gnu" | FileCheck %s

// The name, the threads of a block and the pointers before the call.
// CHECK-LABEL: llvm.mlir.global internal constant @scale_kernel
// CHECK-DAG:     llvm.mlir.constant(96 : i32)
// CHECK-DAG:     llvm.mlir.constant(2 : i32)
// CHECK:         llvm.return

// CHECK-LABEL: llvm.func internal @prefill_b2(%arg0: !llvm.ptr)
// A task for every 8 rows begun, 3 times.
// CHECK:         %[[LAUNCHAT:.*]] = llvm.getelementptr %arg0[80]
// CHECK:         %[[LAUNCH:.*]] = llvm.load %[[LAUNCHAT]] : !llvm.ptr -> !llvm.ptr
// CHECK:         %[[DEVICEAT:.*]] = llvm.getelementptr %arg0[88]
// CHECK:         %[[DEVICE:.*]] = llvm.load %[[DEVICEAT]] : !llvm.ptr -> !llvm.ptr
// CHECK:         %[[KERNEL:.*]] = llvm.mlir.addressof @scale_kernel
// CHECK:         %[[TILES:.*]] = llvm.udiv
// CHECK:         %[[BLOCKS:.*]] = llvm.mul %{{.*}}, %[[TILES]]
// CHECK:         llvm.call %[[LAUNCH]](%[[DEVICE]], %[[KERNEL]], %{{.*}}, %[[BLOCKS]])
// CHECK:         llvm.return

// What no region launches is in the table if it has this mark.
// CHECK-LABEL: llvm.mlir.global internal constant @pmpd_gpu_kernels
// CHECK:         llvm.mlir.addressof @scale_kernel
// CHECK:         llvm.mlir.addressof @best_kernel
// CHECK-LABEL: llvm.mlir.global internal constant @pmpd_gpu_images
// CHECK:         llvm.mlir.constant(80 : i32)
// CHECK-LABEL: llvm.mlir.global internal constant @pmpd_model
// CHECK:         llvm.mlir.addressof @pmpd_gpu_images
// CHECK-NEXT:    llvm.mlir.addressof @best_kernel
// CHECK-NEXT:    llvm.mlir.constant(4096 : i64)
// CHECK-NOT:   gpu.module
module attributes {gpu.container_module} {
  gpu.module @pmpd_kernels {
    llvm.func @scale(%in: !llvm.ptr<1>, %out: !llvm.ptr<1>, %call: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel, nvvm.maxntid = array<i32: 96, 1, 1>} {
      llvm.return
    }
    llvm.func @best(%logits: !llvm.ptr<1>, %sampling: !llvm.ptr<1>, %scratch: !llvm.ptr<1>, %token: !llvm.ptr<1>, %call: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel, nvvm.maxntid = array<i32: 1024, 1, 1>, pmpd.sample_scratch = 4096 : i64} {
      llvm.return
    }
  }
  pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 digest = "000102030405060708090a0b0c0d0e0f" {
    pmpd.region @prefill_b2 prefill bits = 2, max_rows = 64, scratch = 64, weight_bytes = 100 {
    ^bb0(%tokens: tensor<?xi32>):
      pmpd.launch @pmpd_kernels::@scale [#pmpd.address<scratch, 64>, #pmpd.address<logits, 0>] tasks 3 per 8 all
      pmpd.yield
    }
    pmpd.region_table [@prefill_b2]
  }
}
