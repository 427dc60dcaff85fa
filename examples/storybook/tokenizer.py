#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a byte-level BPE tokenizer and writes a Hugging Face tokenizer.json.

    tokenizer.py --train train.txt --vocab 4096 --out tokenizer.json
"""
import argparse
import collections
import heapq
import json
import re

END_OF_TEXT = "<|endoftext|>"

# GPT-2's pre-tokenizer. Python's re has no \p{L} and \p{N}: [^\W\d_] and \d
# agree with them on ASCII, which is all that the stories use.
PIECES = re.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d"
    r"| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"
)


def byte_alphabet():
    """The 256 printable characters that stand for bytes, in byte order."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    stand_ins = iter(range(256, 512))
    return [chr(b if b in printable else next(stand_ins)) for b in range(256)]


ALPHABET = byte_alphabet()
BYTE_OF = {c: b for b, c in enumerate(ALPHABET)}


def to_alphabet(text):
    return "".join(ALPHABET[b] for b in text.encode("utf-8"))


def learn_merges(counts, wanted):
    """Returns the `wanted` most useful merges for words with these counts.

    Each step merges the most frequent adjacent pair (ties: the smaller pair
    of strings). Only words that hold the pair are touched, and the heap may
    hold outdated counts: they are checked when popped.
    """
    words = [list(w) for w in counts]
    freq = list(counts.values())
    pair_count = collections.Counter()
    pair_words = collections.defaultdict(set)
    for i, word in enumerate(words):
        for pair in zip(word, word[1:]):
            pair_count[pair] += freq[i]
            pair_words[pair].add(i)
    heap = [(-n, pair) for pair, n in pair_count.items()]
    heapq.heapify(heap)
    merges = []
    while heap and len(merges) < wanted:
        n, pair = heapq.heappop(heap)
        if pair_count[pair] != -n or n == 0:
            continue
        merges.append(pair)
        changed = set()
        for i in pair_words.pop(pair):
            word = words[i]
            for old in zip(word, word[1:]):
                pair_count[old] -= freq[i]
                changed.add(old)
            merged, k = [], 0
            while k < len(word):
                if tuple(word[k : k + 2]) == pair:
                    merged.append(word[k] + word[k + 1])
                    k += 2
                else:
                    merged.append(word[k])
                    k += 1
            words[i] = merged
            for new in zip(merged, merged[1:]):
                pair_count[new] += freq[i]
                pair_words[new].add(i)
                changed.add(new)
        for other in changed:
            if pair_count[other] > 0:
                heapq.heappush(heap, (-pair_count[other], other))
    return merges


def train(text, vocab_size):
    """Returns the tokenizer.json contents as a dict."""
    counts = collections.Counter(PIECES.findall(text))
    counts = {to_alphabet(w): n for w, n in counts.items()}
    merges = learn_merges(counts, vocab_size - len(ALPHABET) - 1)
    tokens = [END_OF_TEXT] + sorted(ALPHABET) + [a + b for a, b in merges]
    byte_level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": 0,
                "content": END_OF_TEXT,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
        ],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {t: i for i, t in enumerate(tokens)},
            "merges": [f"{a} {b}" for a, b in merges],
        },
    }


class Tokenizer:
    """Encodes and decodes with a tokenizer.json written by this file."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            model = json.load(f)["model"]
        self.vocab = model["vocab"]
        self.tokens = {i: t for t, i in self.vocab.items()}
        pairs = (tuple(m.split(" ")) for m in model["merges"])
        self.rank = {pair: i for i, pair in enumerate(pairs)}
        self.cache = {}

    def encode_word(self, word):
        ids = self.cache.get(word)
        if ids is not None:
            return ids
        parts = list(to_alphabet(word))
        last = len(self.rank)
        while len(parts) > 1:
            ranks = [self.rank.get(p, last) for p in zip(parts, parts[1:])]
            best = min(ranks)
            if best == last:
                break
            k = ranks.index(best)
            parts[k : k + 2] = [parts[k] + parts[k + 1]]
        ids = self.cache[word] = [self.vocab[p] for p in parts]
        return ids

    def encode(self, text):
        ids = []
        for k, part in enumerate(text.split(END_OF_TEXT)):
            if k:
                ids.append(self.vocab[END_OF_TEXT])
            for word in PIECES.findall(part):
                ids.extend(self.encode_word(word))
        return ids

    def decode(self, ids):
        out = bytearray()
        for i in ids:
            token = self.tokens[i]
            if token == END_OF_TEXT:
                out += token.encode()
            else:
                out += bytes(BYTE_OF[c] for c in token)
        return out.decode("utf-8", errors="replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", required=True, help="text to learn from")
    parser.add_argument("--vocab", type=int, default=4096)
    parser.add_argument("--out", required=True, help="tokenizer.json to write")
    args = parser.parse_args()
    with open(args.train, encoding="utf-8") as f:
        data = train(f.read(), args.vocab)
    with open(args.out, "w", encoding="utf-8") as f:
        json.dump(data, f, ensure_ascii=False, indent=1)
        f.write("\n")
    print(f"{len(data['model']['vocab'])} tokens")


if __name__ == "__main__":
    main()
