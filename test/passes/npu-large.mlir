// The shape of a model of 7 billion parameters, without its weights: no
// region's code is over 8 KiB, whatever the number of layers, and the fewer
// bits, the faster: decode waits for memory and for nothing else.
// RUN: %python %S/llama_regions.py --layers 32 --hidden 4096 --heads 32 --kv-heads 32 --head-dim 128 --ffn 11008 --vocab 32000 --context 2048 --group 128 | pmpd-opt --npu-outline --npu-fuse --npu-tile --npu-schedule --npu-allocate --npu-sync --npu-verify --npu-emit="output=%t.pnpu" -o /dev/null
// RUN: pmpd-npu-time %t.pnpu --context 600 | %python %S/check_times.py | FileCheck %s
// Grouped heads, few layers.
// RUN: %python %S/llama_regions.py --layers 4 --hidden 4096 --heads 32 --kv-heads 8 --head-dim 128 --ffn 14336 --vocab 128256 --context 8192 --group 128 | pmpd-opt --npu-outline --npu-fuse --npu-tile --npu-schedule --npu-allocate --npu-sync --npu-verify --npu-emit="output=%t.pnpu" -o /dev/null
// RUN: pmpd-npu-time %t.pnpu --context 600 | %python %S/check_times.py | FileCheck %s
// CHECK:      prefill_b4: at most 8192 bytes
// CHECK-NEXT: decode_b4: at most 8192 bytes
// CHECK-NEXT: decode_b3: at most 8192 bytes
// CHECK-NEXT: decode_b2: at most 8192 bytes
// CHECK-NEXT: fewer bits take less time
// CHECK-NEXT: weights and cache keep the memory busy at least 98 % of the time
