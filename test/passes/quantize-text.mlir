// Quantizing on a text: layers behind quantized ones make up for their errors;
// one weight serves two layers, one layer is pinned, one only decodes.
// RUN: rm -rf %t && mkdir %t && sed 's|DIR|%t|g' %s > %t/in.mlir
// RUN: %python -c "import struct,sys; sys.stdout.buffer.write(struct.pack('<4160f', *[i*i*37 % 101/101 - 0.5 for i in range(4160)]))" > %t/w.bin
// RUN: echo '{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "decoder": {"type": "ByteLevel"}}' > %t/tokenizer.json
// RUN: printf abbaababbb > %t/text.txt
// RUN: pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/text.pmpdw group=32 text=%t/text.txt tokenizer=%t/tokenizer.json" | FileCheck %s
// CHECK-DAG: pmpd.weight @up : !pmpd.nested<32x32, bits = 3, prefixes = [2, 3], affine, group = 32, unpacked>
// CHECK-DAG: pmpd.weight @pinned : !pmpd.nested<32x32, bits = 4, prefixes = [4], affine
// CHECK-DAG: pmpd.weight @late : !pmpd.nested<32x32, bits = 3, prefixes = [2, 3], affine

// Threads change nothing; the inputs behind unquantized layers are others.
// RUN: pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/one.pmpdw group=32 text=%t/text.txt tokenizer=%t/tokenizer.json threads=1" -o /dev/null
// RUN: cmp %t/text.pmpdw %t/one.pmpdw
// RUN: pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/alike.pmpdw group=32" -o /dev/null
// RUN: not cmp -s %t/text.pmpdw %t/alike.pmpdw

// RUN: pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/simulated.pmpdw group=32 simulate=2 quantizer=nldlq-codebook text=%t/text.txt tokenizer=%t/tokenizer.json" | FileCheck %s --check-prefix=SIMULATED
// SIMULATED: pmpd.weight @up : tensor<32x32xf32>
// SIMULATED: pmpd.prefill bits [2]
// RUN: not pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/out.pmpdw group=32 quantizer=nldlq-codebook" 2>&1 | FileCheck %s --check-prefix=CODEBOOK
// CODEBOOK: error: expected option simulate for quantizer nldlq-codebook, whose codes no kernel reads

// RUN: not pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/out.pmpdw group=32 text=%t/none.txt tokenizer=%t/tokenizer.json" 2>&1 | FileCheck %s --check-prefix=TEXT
// TEXT: error: cannot read '{{.*}}none.txt': No such file or directory
// RUN: not pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/out.pmpdw group=32 text=%t/text.txt" 2>&1 | FileCheck %s --check-prefix=TOKENIZER
// TOKENIZER: error: {{.*}}No such file or directory
// RUN: not pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/out.pmpdw group=32 text=%t/text.txt tokenizer=%t/tokenizer.json quantizer=gptq" 2>&1 | FileCheck %s --check-prefix=WIDTH
// WIDTH: error: weight @up: expected weights of one precision for quantizer gptq, but got 2; choose one, or quantizer nldlq
// RUN: not ls %t/out.pmpdw

pmpd.model @m vocab = 2, hidden = 32, layers = 1, heads = 1, kv_heads = 1, head_dim = 32, context = 4, kv = f32 {
  pmpd.weight @embed : tensor<2x32xf32> from #pmpd.source<"DIR/w.bin", offset = 0, type = tensor<2x32xf32>, transposed = false, row = 0>
  pmpd.weight @up : tensor<32x32xf32> from #pmpd.source<"DIR/w.bin", offset = 256, type = tensor<32x32xf32>, transposed = false, row = 0>
  pmpd.weight @pinned : tensor<32x32xf32> from #pmpd.source<"DIR/w.bin", offset = 4352, type = tensor<32x32xf32>, transposed = false, row = 0>
  pmpd.weight @late : tensor<32x32xf32> from #pmpd.source<"DIR/w.bin", offset = 8448, type = tensor<32x32xf32>, transposed = false, row = 0>
  pmpd.prefill bits [3] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x32xf32>
    %u = pmpd.linear %h, @up : tensor<?x32xf32> -> tensor<?x32xf32>
    %p = pmpd.linear %u, @pinned pin 4 : tensor<?x32xf32> -> tensor<?x32xf32>
    %v = pmpd.linear %p, @up : tensor<?x32xf32> -> tensor<?x32xf32>
    %l = pmpd.linear %v, @embed : tensor<?x32xf32> -> tensor<?x2xf32>
    pmpd.yield %l : tensor<?x2xf32>
  }
  pmpd.decode bits [2, 3] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x32xf32>
    %u = pmpd.linear %h, @up : tensor<?x32xf32> -> tensor<?x32xf32>
    %w = pmpd.linear %u, @late : tensor<?x32xf32> -> tensor<?x32xf32>
    %l = pmpd.linear %w, @embed : tensor<?x32xf32> -> tensor<?x2xf32>
    pmpd.yield %l : tensor<?x2xf32>
  }
}
