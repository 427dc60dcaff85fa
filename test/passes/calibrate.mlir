// The embedding of a is all 1, that of b all 3. The text abb has a mean square
// of 19/3, in windows of the context's two tokens; a layer of twos follows.
// RUN: rm -rf %t && mkdir %t && sed 's|DIR|%t|g' %s > %t/in.mlir
// RUN: %python -c "import struct,sys; sys.stdout.buffer.write(struct.pack('<68f', *[1]*2, *[3]*2, *[2]*64))" > %t/w.bin
// RUN: echo '{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "decoder": {"type": "ByteLevel"}}' > %t/tokenizer.json
// RUN: printf abb > %t/text.txt
// RUN: pmpd-opt %t/in.mlir --pmpd-calibrate="text=%t/text.txt tokenizer=%t/tokenizer.json output=%t/statistics.pmpdw" | FileCheck %s
// RUN: od -An -v -tf4 -w8 -j4096 -N8 %t/statistics.pmpdw | FileCheck %s --check-prefix=FIRST
// RUN: od -An -v -tf4 -w8 -j8192 -N8 %t/statistics.pmpdw | FileCheck %s --check-prefix=SECOND
// FIRST: 6.33333{{.*}} 6.33333
// SECOND: 101.333{{.*}} 101.333

// Rows of products: b's embedding gives every input the same.
// RUN: pmpd-opt %t/in.mlir --pmpd-calibrate="text=%t/text.txt tokenizer=%t/tokenizer.json output=%t/products.pmpdw products" -o /dev/null
// RUN: od -An -v -tf4 -w16 -j4096 -N16 %t/products.pmpdw | FileCheck %s --check-prefix=PRODUCTS
// PRODUCTS: 6.33333{{.*}} 6.33333{{.*}} 6.33333{{.*}} 6.33333

// The first two tokens alone.
// RUN: pmpd-opt %t/in.mlir --pmpd-calibrate="text=%t/text.txt tokenizer=%t/tokenizer.json output=%t/two.pmpdw tokens=2" -o /dev/null
// RUN: od -An -v -tf4 -w8 -j4096 -N8 %t/two.pmpdw | FileCheck %s --check-prefix=TWO
// TWO: 5 5

// RUN: not pmpd-opt %t/in.mlir --pmpd-calibrate="text=%t/text.txt tokenizer=%t/tokenizer.json" 2>&1 | FileCheck %s --check-prefix=OPTION
// OPTION: error: expected a file for option output

// RUN: not pmpd-opt %t/in.mlir --pmpd-calibrate="text=%t/none.txt tokenizer=%t/tokenizer.json output=%t/out.pmpdw" 2>&1 | FileCheck %s --check-prefix=TEXT
// TEXT: error: cannot read '{{.*}}none.txt': No such file or directory

// RUN: not pmpd-opt %t/in.mlir --pmpd-calibrate="text=%t/text.txt tokenizer=%t/none.json output=%t/out.pmpdw" 2>&1 | FileCheck %s --check-prefix=TOKENIZER
// TOKENIZER: error: {{.*}}none.json

// RUN: printf a > %t/one.txt
// RUN: not pmpd-opt %t/in.mlir --pmpd-calibrate="text=%t/one.txt tokenizer=%t/tokenizer.json output=%t/out.pmpdw" 2>&1 | FileCheck %s --check-prefix=ONE
// ONE: error: expected a text of at least 2 tokens, but '{{.*}}one.txt' has 1

// RUN: sed 's|"b": 1|"b": 1, "c": 2|' %t/tokenizer.json > %t/other.json
// RUN: not pmpd-opt %t/in.mlir --pmpd-calibrate="text=%t/text.txt tokenizer=%t/other.json output=%t/out.pmpdw" 2>&1 | FileCheck %s --check-prefix=VOCABULARY
// VOCABULARY: error: expected a tokenizer of at most 2 tokens, but '{{.*}}other.json' has 3; use the model's own

// RUN: %python -c "import struct,sys; sys.stdout.buffer.write(struct.pack('<68f', *[1]*3, float('inf'), *[2]*64))" > %t/w.bin
// RUN: not pmpd-opt %t/in.mlir --pmpd-calibrate="text=%t/text.txt tokenizer=%t/tokenizer.json output=%t/out.pmpdw" 2>&1 | FileCheck %s --check-prefix=FINITE
// FINITE: error: expected finite inputs of the layer of weight @up, but got others; the weights may be corrupt

// RUN: sed 's|prefill|body|' %t/in.mlir | not pmpd-opt --pmpd-calibrate="text=%t/text.txt tokenizer=%t/tokenizer.json output=%t/out.pmpdw" 2>&1 | FileCheck %s --check-prefix=PHASES
// PHASES: error: expected one pmpd.prefill, but got 0; run --pmpd-form-phases first

// RUN: ls -A %t | FileCheck %s --check-prefix=LEFT
// LEFT-NOT: out.pmpdw

// CHECK: pmpd.prefill
pmpd.model @m vocab = 2, hidden = 2, layers = 1, heads = 1, kv_heads = 1, head_dim = 2, context = 2, kv = f32 {
  pmpd.weight @embed : tensor<2x2xf32> from #pmpd.source<"DIR/w.bin", offset = 0, type = tensor<2x2xf32>, transposed = false, row = 0>
  pmpd.weight @up : tensor<32x2xf32> from #pmpd.source<"DIR/w.bin", offset = 16, type = tensor<32x2xf32>, transposed = false, row = 0>
  pmpd.weight @down : tensor<2x32xf32> from #pmpd.source<"DIR/w.bin", offset = 16, type = tensor<2x32xf32>, transposed = false, row = 0>
  pmpd.prefill {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x2xf32>
    %u = pmpd.linear %h, @up : tensor<?x2xf32> -> tensor<?x32xf32>
    %l = pmpd.linear %u, @down : tensor<?x32xf32> -> tensor<?x2xf32>
    pmpd.yield %l : tensor<?x2xf32>
  }
}
