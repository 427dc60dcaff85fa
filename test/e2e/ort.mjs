// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a decoder with onnxruntime-node: the first PROMPT tokens at once, then
// one at a time with the past.
// Usage: node ort.mjs ORACLE MODEL.onnx PROMPT TOKEN,TOKEN,... OUT
// OUT: float32 logits [tokens, vocab].
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';

const [oracle, model, promptText, tokenText, out] = process.argv.slice(2);
const require = createRequire(oracle + '/');
const ort = require('onnxruntime-node');
const prompt = Number(promptText);
const tokens = tokenText.split(',').map(Number);
const session = await ort.InferenceSession.create(model);
const ints = (values) => new ort.Tensor(
  'int64', BigInt64Array.from(values.map(BigInt)), [1, values.length]);

const range = (begin, end) =>
  Array.from({ length: end - begin }, (_, i) => begin + i);
let past = null;
const rows = [];
for (let begin = 0; begin < tokens.length;) {
  const end = begin === 0 ? prompt : begin + 1;
  const feeds = {};
  for (const [i, name] of session.inputNames.entries()) {
    if (name === 'input_ids') feeds[name] = ints(tokens.slice(begin, end));
    else if (name === 'attention_mask') feeds[name] = ints(Array(end).fill(1));
    else if (name === 'position_ids') feeds[name] = ints(range(begin, end));
    else if (past) feeds[name] = past[name.replace('past_key_values', 'present')];
    else {
      const shape = session.inputMetadata[i].shape;
      feeds[name] = new ort.Tensor('float32', new Float32Array(0),
                                   [1, shape[1], 0, shape[3]]);
    }
  }
  past = await session.run(feeds);
  rows.push(Buffer.from(Float32Array.from(past.logits.data).buffer));
  begin = end;
}
writeFileSync(out, Buffer.concat(rows));
