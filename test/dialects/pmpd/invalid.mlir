// One function of the dialect's constraints each: what is refused, and how.
// RUN: pmpd-opt %s --split-input-file --verify-diagnostics

// nested_c1
// expected-error@+1 {{expected positive rows and cols, but got 0x128}}
module attributes {t = !pmpd.nested<0x128, bits = 4, prefixes = [4], affine, group = 128, s>} {}
// -----
// nested_c2
// expected-error@+1 {{expected 2, 3 or 4 bits, but got 5}}
module attributes {t = !pmpd.nested<16x128, bits = 5, prefixes = [5], affine, group = 128, s>} {}
// -----
// nested_c3
// expected-error@+1 {{expected prefixes that ascend from at least 2 to 4}}
module attributes {t = !pmpd.nested<16x128, bits = 4, prefixes = [4, 2], affine, group = 128, s>} {}
// -----
// nested_c4
// expected-error@+1 {{expected a group that is a multiple of 32 and divides 128 cols, but got 96}}
module attributes {t = !pmpd.nested<16x128, bits = 4, prefixes = [4], affine, group = 96, s>} {}
// -----
// nested_scheme
// expected-error@+1 {{expected affine or codebook, but got uniform}}
module attributes {t = !pmpd.nested<16x128, bits = 4, prefixes = [4], uniform, group = 32, s>} {}
// -----
// rows_c1
// expected-error@+1 {{expected 8 or 16 bits, but got 4}}
module attributes {t = !pmpd.rows<128, bits = 4, group = 128>} {}
// -----
// rows_c2
// expected-error@+1 {{expected a group that is a multiple of 32 and divides 100 cols, but got 32}}
module attributes {t = !pmpd.rows<100, bits = 8, group = 32>} {}
// -----
// model_c1
// expected-error@+1 {{expected positive layers, but got 0}}
pmpd.model @m vocab = 64, hidden = 128, layers = 0, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {}
// -----
// model_c2
// expected-error@+1 {{expected heads to be a multiple of 3 kv_heads, but got 4}}
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 3, head_dim = 32, context = 64, kv = f32 {}
// -----
// model_c3
// expected-error@+1 {{expected kv of f16 or f32, but got 'bf16'}}
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = bf16 {}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // weight_c1
  // expected-error@+1 {{expected a nested type or a static f16 or f32 tensor of rank 1 or 2, but got 'tensor<4x?xf16>'}}
  pmpd.weight @w : tensor<4x?xf16>
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // weight_c2
  // expected-error@+1 {{expected a source that holds 64x128 from row 96}}
  pmpd.weight @w : tensor<64x128xf16> from #pmpd.source<"m.onnx", offset = 0, type = tensor<128x128xf16>, transposed = false, row = 96>
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // weight_c2
  // expected-error@+1 {{expected a source that holds 64x128 from row 0}}
  pmpd.weight @w : tensor<64x128xf16> from #pmpd.source<"m.onnx", offset = 0, type = tensor<128x64xf16, #pmpd.blocks<4, size = 32, scales = "m.onnx", 0, zeros = "", 0>>, transposed = true, row = 0>
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // blocks_c1
  // expected-error@+2 {{failed to parse PMPD_Source parameter 'type'}}
  // expected-error@+1 {{expected blocks of a multiple of 8 codes of 2, 4 or 8 bits, but got 12 of 4}}
  pmpd.weight @w : tensor<64x128xf16> from #pmpd.source<"m.onnx", offset = 0, type = tensor<64x128xf16, #pmpd.blocks<4, size = 12, scales = "m.onnx", 0, zeros = "", 0>>, transposed = false, row = 0>
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // blocks_c2
  // expected-error@+2 {{failed to parse PMPD_Source parameter 'type'}}
  // expected-error@+1 {{expected a matrix in blocks, but got 1 dimensions}}
  pmpd.weight @w : tensor<128xf16> from #pmpd.source<"m.onnx", offset = 0, type = tensor<128xf16, #pmpd.blocks<4, size = 32, scales = "m.onnx", 0, zeros = "", 0>>, transposed = false, row = 0>
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // weight_c3
  // expected-error@+1 {{expected a place that is a multiple of 64, but got 32}}
  pmpd.weight @w : tensor<64x128xf16> at 32
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // rope_table_c1
  // expected-error@+1 {{expected finite frequencies}}
  pmpd.rope_table @r inv_freq = [], scale = 1.0, half
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 2, context = 64, kv = f32 {
  // rope_table_c2
  // expected-error@+1 {{expected at most 1 frequencies, but got 2}}
  pmpd.rope_table @r inv_freq = [1.0, 0.5], scale = 1.0, half
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // rope_table_c3
  // expected-error@+1 {{expected a place that is a multiple of 64, but got 1}}
  pmpd.rope_table @r inv_freq = [1.0], scale = 1.0, half at 1
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // phase_c1
  // expected-error@+1 {{expected one argument of type tensor<?xi32>}}
  pmpd.body {
  ^bb0(%tokens: tensor<4xi32>):
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // phase_c2
  // expected-error@+1 {{expected to yield tensor<?x64xf32> for a vocab of 64}}
  pmpd.prefill {
  ^bb0(%tokens: tensor<?xi32>):
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 128, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @e : tensor<128x128xf16>
  // phase_c3
  // expected-error@+1 {{expected different bits of 2 to 4, 16 or 32, but got 3}}
  pmpd.decode bits [3, 3] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @e : tensor<?xi32> -> tensor<?x128xf32>
    pmpd.yield %h : tensor<?x128xf32>
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // region_c3
  // expected-error@+1 {{expected positive max_rows, and 1 for decode, but got 8}}
  pmpd.region @r decode bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @e : tensor<64x128xf16>
  pmpd.weight @w : !pmpd.nested<64x128, bits = 4, prefixes = [4], affine, group = 128, s>
  pmpd.region @r decode bits = 4, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @e : tensor<?xi32> -> tensor<?x128xf32>
    // region_c4
    // expected-error@+1 {{expected bits for nested weight @w}}
    %l = pmpd.linear %h, @w : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %l : tensor<?x64xf32>
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // region_table_c1
  // expected-error@+1 {{expected the name of a pmpd.region, but got @r}}
  pmpd.region_table [@r]
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.region @a decode bits = 4, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    pmpd.yield
  }
  pmpd.region @b decode bits = 4, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    pmpd.yield
  }
  // region_table_c2
  // expected-error@+1 {{expected one region for each phase and bits, but @b is a second decode at 4 bits}}
  pmpd.region_table [@a, @b]
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @v : tensor<128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    // embed_c1
    // expected-error@+1 {{expected @v to be a dense weight of rank 2 with 128 columns}}
    %e = pmpd.embed %tokens, @v : tensor<?xi32> -> tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    // embed_c2
    // expected-error@+1 {{expected @t to be a dense weight of rank 2 with 64 columns}}
    %e = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x64xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @v : tensor<128xf32>
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // add_position_c1
    // expected-error@+1 {{expected @v to be a dense weight of rank 2 with 128 columns}}
    %a = pmpd.add_position %h, @v offset 0 : tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // add_position_c2
    // expected-error@+1 {{expected a table of at least 64 rows, but got 60}}
    %b = pmpd.add_position %h, @t offset 0 : tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // rms_norm_c1
    // expected-error@+1 {{expected @t to be a dense weight of rank 1 with 128 columns}}
    %c = pmpd.rms_norm %h, @t eps 1.0e-5 : tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @h : tensor<48xf32>
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // rms_norm_c1
    // expected-error@+1 {{expected @h to be a dense weight of rank 1 with 128 columns}}
    %c = pmpd.rms_norm %h, @h eps 1.0e-5 : tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @v : tensor<128xf32>
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // rms_norm_c2
    // expected-error@+1 {{expected a positive eps}}
    %d = pmpd.rms_norm %h, @v eps -1.0 : tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @v : tensor<128xf32>
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // layer_norm_c1
    // expected-error@+1 {{expected @missing to be a dense weight of rank 1 with 128 columns}}
    %e = pmpd.layer_norm %h, @v, @missing eps 1.0e-5 : tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @v : tensor<128xf32>
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // layer_norm_c2
    // expected-error@+1 {{expected a positive eps}}
    %f = pmpd.layer_norm %h, @v, @v eps 0.0 : tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @v : tensor<128xf32>
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // linear_c1
    // expected-error@+1 {{expected @v to be a weight of rank 2 with 128 columns}}
    %g = pmpd.linear %h, @v : tensor<?x128xf32> -> tensor<?x1xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.weight @w : !pmpd.nested<64x128, bits = 4, prefixes = [2, 4], affine, group = 128, s>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // linear_c2
    // expected-error@+1 {{expected a result of 64 columns, but got 32}}
    %i = pmpd.linear %h, @w bits 4 : tensor<?x128xf32> -> tensor<?x32xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @v : tensor<128xf32>
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.weight @w : !pmpd.nested<64x128, bits = 4, prefixes = [2, 4], affine, group = 128, s>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // linear_c3
    // expected-error@+1 {{expected @v to be a dense weight of rank 1 with 64 columns}}
    %j = pmpd.linear %h, @w bias @v bits 4 : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.weight @w : !pmpd.nested<64x128, bits = 4, prefixes = [2, 4], affine, group = 128, s>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // linear_c4
    // expected-error@+1 {{expected bits that @w can be read at, but got 3}}
    %k = pmpd.linear %h, @w bits 3 : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.weight @w : !pmpd.nested<64x128, bits = 4, prefixes = [2, 4], affine, group = 128, s>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    %q = pmpd.quantize_rows %h : tensor<?x128xf32> -> !pmpd.rows<128, bits = 8, group = 64>
    // linear_c5
    // expected-error@+1 {{expected a nested weight of group 64 for quantized rows}}
    %l = pmpd.linear %q, @w bits 4 : !pmpd.rows<128, bits = 8, group = 64> -> tensor<?x64xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @v : tensor<128xf32>
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // rope_c1
    // expected-error@+1 {{expected the name of a pmpd.rope_table, but got @v}}
    %m = pmpd.rope %h, @v heads 4 : tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.rope_table @rope inv_freq = [1.0, 0.5], scale = 1.0, half
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // rope_c2
    // expected-error@+1 {{expected heads that divide 128 columns with at least 4 elements each, but got 3}}
    %n = pmpd.rope %h, @rope heads 3 : tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // attention_c2
    // expected-error@+1 {{expected a layer below 1, but got 1}}
    %o = pmpd.attention %h layer 1 scale 1.0 : tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // attention_c3
    // expected-error@+1 {{expected a positive window, but got 0}}
    %p = pmpd.attention %h layer 0 scale 1.0 window 0 : tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.weight @w : !pmpd.nested<64x128, bits = 4, prefixes = [2, 4], affine, group = 128, s>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    %s = pmpd.linear %h, @w bits 4 : tensor<?x128xf32> -> tensor<?x64xf32>
    // attention_c1
    // expected-error@+1 {{expected 128 columns, but got 64}}
    %t = pmpd.attention %s layer 0 scale 1.0 : tensor<?x64xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.weight @w : !pmpd.nested<64x128, bits = 4, prefixes = [2, 4], affine, group = 128, s>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    %s = pmpd.linear %h, @w bits 4 : tensor<?x128xf32> -> tensor<?x64xf32>
    // kv_append_c1
    // expected-error@+1 {{expected 128 columns, but got 64}}
    pmpd.kv_append %s, %s layer 0 : tensor<?x64xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<60x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // kv_append_c2
    // expected-error@+1 {{expected a layer below 1, but got 2}}
    pmpd.kv_append %h, %h layer 2 : tensor<?x128xf32>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    // launch_c1
    // expected-error@+1 {{expected the name of a function, but got @nowhere}}
    pmpd.launch @nowhere [#pmpd.address<scratch, 0>] tasks 1 all
    pmpd.yield
  }
}
func.func private @kernel(memref<128xf32>, index, index, index, index)
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    // launch_c2
    // expected-error@+1 {{expected a kernel of 2 buffers and 4 index values, but @kernel is}}
    pmpd.launch @kernel [#pmpd.address<scratch, 0>, #pmpd.address<kv, 0>] tasks 1 all
    pmpd.yield
  }
}
func.func private @kernel(memref<128xf32>, index, index, index, index)
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    // launch_c3
    // expected-error@+1 {{expected at most 16 addresses, at least 1 task and a row tile of at least 1, but got 1, 0 and 1}}
    pmpd.launch @kernel [#pmpd.address<scratch, 0>] tasks 0 all
    pmpd.yield
  }
}
func.func private @kernel(memref<128xf32>, index, index, index, index)
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @t : tensor<64x128xf32>
  pmpd.region @r prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @t : tensor<?xi32> -> tensor<?x128xf32>
    // quantize_rows_c1
    // expected-error@+1 {{expected a result of 128 columns, but got 64}}
    %q = pmpd.quantize_rows %h : tensor<?x128xf32> -> !pmpd.rows<64, bits = 8, group = 64>
    pmpd.yield
  }
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // classifier_c1
  // expected-error@+1 {{expected to lower the bits, but got 3 to 4}}
  pmpd.classifier @f from = 3, to = 4, classes = 4 weights []
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  // classifier_c2
  // expected-error@+1 {{expected at least 2 classes, but got 1}}
  pmpd.classifier @f from = 4, to = 3, classes = 1 weights []
}
// -----
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @w : !pmpd.nested<128x128, bits = 4, prefixes = [2, 4], affine, group = 128, s> at 4096
  // classifier_c3
  // expected-error@+1 {{expected the name of a dense pmpd.weight, but got @w}}
  pmpd.classifier @f from = 4, to = 3, classes = 4 weights [@w]
}
