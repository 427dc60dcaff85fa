// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs the classifier of a scheduler with onnxruntime-node.
// Usage: node classifier_ort.mjs ORACLE MODEL.onnx HEADS TOKENS HEAD_DIM IN OUT
// IN: float32 keys, then values, each [1, heads, tokens, head_dim].
// OUT: float32 logits of every output, in the order of their names.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';

const [oracle, model, heads, tokens, headDim, input, out] =
  process.argv.slice(2);
const require = createRequire(oracle + '/');
const ort = require('onnxruntime-node');
const shape = [1, Number(heads), Number(tokens), Number(headDim)];
const count = shape.reduce((a, b) => a * b);
const bytes = readFileSync(input);
const planes = new Float32Array(
  bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const session = await ort.InferenceSession.create(model);
const results = await session.run({
  keys: new ort.Tensor('float32', planes.slice(0, count), shape),
  values: new ort.Tensor('float32', planes.slice(count), shape),
});
const rows = Object.keys(results).sort().map(
  (name) => Buffer.from(Float32Array.from(results[name].data).buffer));
writeFileSync(out, Buffer.concat(rows));
