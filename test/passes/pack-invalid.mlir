// RUN: rm -rf %t && mkdir %t && sed 's|DIR|%t|g' %s > %t/in.mlir

// RUN: not pmpd-opt %t/in.mlir --pmpd-pack 2>&1 | FileCheck %s --check-prefix=OUTPUT
// OUTPUT: error: expected a file to write to; set output

// RUN: not pmpd-opt %t/in.mlir --pmpd-pack="output=%t/out.pmpdw layout=t" 2>&1 | FileCheck %s --check-prefix=LAYOUT
// LAYOUT: error: expected layout s, plain, npu or gpu, but got 't'

// RUN: not pmpd-opt %t/in.mlir --pmpd-pack="output=%t/missing/out.pmpdw" 2>&1 | FileCheck %s --check-prefix=FOLDER
// FOLDER: error: {{.*}}missing

// RUN: not pmpd-opt %t/in.mlir --pmpd-pack="output=%t/out.pmpdw" 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: error: weight @embed: cannot read '{{.*}}w.bin': No such file or directory

// RUN: head -c 500 /dev/zero > %t/w.bin
// RUN: not pmpd-opt %t/in.mlir --pmpd-pack="output=%t/out.pmpdw" 2>&1 | FileCheck %s --check-prefix=SHORT
// SHORT: error: weight @embed: expected 512 bytes from offset 0 of '{{.*}}w.bin', but it ends at 500; copy the file again

// A number that f16 cannot hold must not become an infinity.
// RUN: %python -c "import struct,sys; sys.stdout.buffer.write(struct.pack('<128f', *[1e5 if i==70 else 1 for i in range(128)]))" > %t/w.bin
// RUN: not pmpd-opt %t/in.mlir --pmpd-pack="output=%t/out.pmpdw" 2>&1 | FileCheck %s --check-prefix=RANGE
// RANGE: error: weight @embed: expected values from -6.550400e+04 to 6.550400e+04, but row 2, column 6 is 1.000000e+05

// RUN: ls -A %t | FileCheck %s --check-prefix=LEFT
// LEFT-NOT: out.pmpdw

pmpd.model @m vocab = 4, hidden = 32, layers = 1, heads = 1, kv_heads = 1, head_dim = 32, context = 8, kv = f32 {
  pmpd.weight @embed : tensor<4x32xf16> from #pmpd.source<"DIR/w.bin", offset = 0, type = tensor<4x32xf32>, transposed = false, row = 0>
  pmpd.prefill bits [16] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x32xf32>
    %l = pmpd.linear %h, @embed : tensor<?x32xf32> -> tensor<?x4xf32>
    pmpd.yield %l : tensor<?x4xf32>
  }
}
