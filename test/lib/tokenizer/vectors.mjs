// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fills in the ids of vectors.json with Hugging Face's own tokenizers:
//     npm install tokenizers@0.23.2 && node vectors.mjs
// A case is a file, what to change in it (a JSON merge patch) and texts; the
// ids of every text are without and with special tokens.
import { readFileSync, writeFileSync } from "node:fs";
import tokenizers from "tokenizers";

const here = new URL(".", import.meta.url);
const isObject = (value) => value?.constructor === Object;

function merge(target, patch) {
  if (!isObject(patch)) return patch;
  const result = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  return result;
}

const cases = JSON.parse(readFileSync(new URL("vectors.json", here)));
for (const entry of cases) {
  const file = JSON.parse(readFileSync(new URL(entry.base, here)));
  const tokenizer = tokenizers.Tokenizer.fromString(
    JSON.stringify(merge(file, entry.change)),
  );
  const encode = async (addSpecialTokens) => {
    const ids = [];
    for (const text of entry.texts) {
      const encoding = await tokenizer.encode(text, null, { addSpecialTokens });
      ids.push(encoding.getIds());
    }
    return ids;
  };
  entry.ids = await encode(false);
  entry.ids_with_special = await encode(true);
}
// One array of numbers or object per line.
const lines = cases.map(
  (entry) =>
    "{" +
    Object.entries(entry)
      .map(([key, value]) => {
        const items = Array.isArray(value)
          ? "[\n  " + value.map((x) => JSON.stringify(x)).join(",\n  ") + "]"
          : JSON.stringify(value);
        return `${JSON.stringify(key)}: ${items}`;
      })
      .join(",\n ") +
    "}",
);
writeFileSync(new URL("vectors.json", here), `[${lines.join(",\n")}]\n`);
