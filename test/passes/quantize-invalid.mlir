// A model that cannot be quantized, for one reason after the other. @a is a
// layer of 96 columns, @b one of 40.
// RUN: rm -rf %t && mkdir %t && sed 's|DIR|%t|g' %s > %t/in.mlir
// RUN: sed 's|40x|64x|g; s|x40|x64|g' %t/in.mlir > %t/fits.mlir
// RUN: %python -c "import struct,sys; sys.stdout.buffer.write(struct.pack('<12160f', *[float('nan') if i==100 else 1 for i in range(12160)]))" > %t/nan.bin
// RUN: head -c 100 %t/nan.bin > %t/short.bin

// RUN: not pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/out.pmpdw group=64" 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: error: weight @a: expected a group that divides its 96 columns, but got 64; groups that do: 32, 96
// GROUP: error: weight @b: expected a group that divides its 40 columns, but got 64; no group fits, as 40 is no multiple of 32

// RUN: not pmpd-opt %t/fits.mlir --pmpd-quantize="store=%t/out.pmpdw group=48" 2>&1 | FileCheck %s --check-prefix=MULTIPLE
// MULTIPLE: error: expected a group that is a multiple of 32, but got 48

// RUN: not pmpd-opt %t/fits.mlir --pmpd-quantize="store=%t/out.pmpdw group=32" 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: error: weight @a: cannot read '{{.*}}w.bin': No such file or directory

// RUN: cp %t/short.bin %t/w.bin
// RUN: not pmpd-opt %t/fits.mlir --pmpd-quantize="store=%t/out.pmpdw group=32" 2>&1 | FileCheck %s --check-prefix=SHORT
// SHORT: error: weight @a: expected 24576 bytes from offset 0 of '{{.*}}w.bin', but it ends at 100; copy the file again

// RUN: cp %t/nan.bin %t/w.bin
// RUN: not pmpd-opt %t/fits.mlir --pmpd-quantize="store=%t/out.pmpdw group=32" 2>&1 | FileCheck %s --check-prefix=FINITE
// FINITE: error: weight @a: expected weights from -65504 to 65504, but row 1, column 4 is nan

// RUN: not pmpd-opt %t/fits.mlir --pmpd-quantize="group=32" 2>&1 | FileCheck %s --check-prefix=STORE
// STORE: error: expected a file to write to; set store

// RUN: not pmpd-opt %t/fits.mlir --pmpd-quantize="store=%t/missing/out.pmpdw group=32" 2>&1 | FileCheck %s --check-prefix=FOLDER
// FOLDER: error: {{.*}}missing

// RUN: not pmpd-opt %t/fits.mlir --pmpd-quantize="store=%t/out.pmpdw group=32 quantizer=best" 2>&1 | FileCheck %s --check-prefix=QUANTIZER
// QUANTIZER: error: expected quantizer rtn, diag{{.*}}, but got 'best'

// RUN: not pmpd-opt %t/fits.mlir --pmpd-quantize="store=%t/out.pmpdw group=32 statistics=%t/nan.bin" 2>&1 | FileCheck %s --check-prefix=STATISTICS
// STATISTICS: error: {{.*}}nan.bin: expected a weight file

// RUN: sed 's|prefill bits .4.|prefill|' %t/fits.mlir | not pmpd-opt --pmpd-quantize="store=%t/out.pmpdw group=32" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: 'pmpd.prefill' op expected bits; run --pmpd-allocate-precision first

// RUN: sed 's|prefill bits .4.|body|' %t/fits.mlir | not pmpd-opt --pmpd-quantize="store=%t/out.pmpdw group=32" 2>&1 | FileCheck %s --check-prefix=PHASES
// PHASES: error: 'pmpd.body' op expected phases; run --pmpd-form-phases first

// RUN: sed 's|bits .4.|bits [32]|' %t/fits.mlir | not pmpd-opt --pmpd-quantize="store=%t/out.pmpdw group=32" 2>&1 | FileCheck %s --check-prefix=MIXED
// MIXED: error: weight @a: expected either nested bits (2 to 4) or unquantized ones (16, 32) in all layers that share it, but got 3 and 32

// RUN: echo 'module {}' | not pmpd-opt --pmpd-quantize 2>&1 | FileCheck %s --check-prefix=MODEL
// MODEL: error: expected one pmpd.model, but got 0

// Nothing is left behind.
// RUN: not ls %t/out.pmpdw
// RUN: ls -A %t | FileCheck %s --check-prefix=LEFT
// LEFT-NOT: out.pmpdw

pmpd.model @m vocab = 64, hidden = 96, layers = 1, heads = 1, kv_heads = 1, head_dim = 96, context = 8, kv = f32 {
  pmpd.weight @embed : tensor<64x96xf32>
  pmpd.weight @a : tensor<40x96xf32> from #pmpd.source<"DIR/w.bin", offset = 0, type = tensor<40x96xf32>, transposed = false, row = 0>
  pmpd.weight @b : tensor<64x40xf32> from #pmpd.source<"DIR/w.bin", offset = 0, type = tensor<64x40xf32>, transposed = false, row = 0>
  pmpd.prefill bits [4] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x96xf32>
    %u = pmpd.linear %h, @a pin 3 : tensor<?x96xf32> -> tensor<?x40xf32>
    %v = pmpd.linear %h, @a : tensor<?x96xf32> -> tensor<?x40xf32>
    %w = pmpd.add %u, %v : tensor<?x40xf32>
    %l = pmpd.linear %w, @b : tensor<?x40xf32> -> tensor<?x64xf32>
    pmpd.yield %l : tensor<?x64xf32>
  }
}
