// What calibration measures changes the codes; statistics of another model do
// not fit.
// RUN: rm -rf %t && mkdir %t && sed 's|DIR|%t|g' %s > %t/in.mlir
// RUN: %python -c "import struct,sys; sys.stdout.buffer.write(struct.pack('<1088f', *[i*i*37 % 101/101 - 0.5 for i in range(1088)]))" > %t/w.bin
// RUN: echo '{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "decoder": {"type": "ByteLevel"}}' > %t/tokenizer.json
// RUN: printf abba > %t/text.txt
// RUN: pmpd-opt %t/in.mlir --pmpd-calibrate="text=%t/text.txt tokenizer=%t/tokenizer.json output=%t/squares.pmpdw" -o /dev/null
// RUN: pmpd-opt %t/in.mlir --pmpd-calibrate="text=%t/text.txt tokenizer=%t/tokenizer.json output=%t/statistics.pmpdw products" -o /dev/null
// RUN: pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/alike.pmpdw group=32" -o /dev/null
// RUN: pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/weighted.pmpdw group=32 statistics=%t/statistics.pmpdw" -o /dev/null
// RUN: not cmp -s %t/alike.pmpdw %t/weighted.pmpdw

// Products hold the squares; the reverse does not.
// RUN: pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/diag.pmpdw group=32 quantizer=diag statistics=%t/statistics.pmpdw" -o /dev/null
// RUN: pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/diag-squares.pmpdw group=32 quantizer=diag statistics=%t/squares.pmpdw" -o /dev/null
// RUN: cmp %t/diag.pmpdw %t/diag-squares.pmpdw
// RUN: not pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/out.pmpdw group=32 statistics=%t/squares.pmpdw" 2>&1 | FileCheck %s --check-prefix=SQUARES
// SQUARES: error: weight @up: expected the products of its inputs in '{{.*}}squares.pmpdw', but got their squares alone; calibrate for quantizer nldlq

// RUN: sed 's|@up|@other|g' %t/in.mlir > %t/other.mlir
// RUN: not pmpd-opt %t/other.mlir --pmpd-quantize="store=%t/out.pmpdw group=32 statistics=%t/statistics.pmpdw" 2>&1 | FileCheck %s
// CHECK: error: weight @other: expected statistics of its 32 inputs in '{{.*}}statistics.pmpdw'; calibrate on this model
// RUN: not ls %t/out.pmpdw

pmpd.model @m vocab = 2, hidden = 32, layers = 1, heads = 1, kv_heads = 1, head_dim = 32, context = 4, kv = f32 {
  pmpd.weight @embed : tensor<2x32xf32> from #pmpd.source<"DIR/w.bin", offset = 0, type = tensor<2x32xf32>, transposed = false, row = 0>
  pmpd.weight @up : tensor<32x32xf32> from #pmpd.source<"DIR/w.bin", offset = 256, type = tensor<32x32xf32>, transposed = false, row = 0>
  pmpd.prefill bits [3] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x32xf32>
    %u = pmpd.linear %h, @up : tensor<?x32xf32> -> tensor<?x32xf32>
    %l = pmpd.linear %u, @embed : tensor<?x32xf32> -> tensor<?x2xf32>
    pmpd.yield %l : tensor<?x2xf32>
  }
}
