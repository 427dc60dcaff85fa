# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes words and their stems as NLTK's Porter stemmer finds them.

Usage: stems.py TEXT... > stems.txt. Needs python3-nltk. The words are those of
the texts, thinned so that every ending is there, and some that are no words.
"""
import random
import re
import sys

from nltk.stem.porter import PorterStemmer

ENDINGS = """sses ies ied ss s eed ed ing at bl iz y ational tional enci anci izer
bli alli entli eli ousli ization ation ator alism iveness fulness ousness aliti
iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic
able ible ant ement ment ent ion ou ism ate iti ous ive ize e ll ably ally ently
ely ously ality ivity bility fully logy icity""".split()

draw = random.Random(4)
words = set()
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as text:
        words.update(re.findall("[a-z0-9]+", text.read().lower()))
words = sorted(w for w in words if len(w) > 2)
kept = set(draw.sample(words, min(500, len(words))))
for ending in ENDINGS:
    found = [w for w in words if w.endswith(ending)]
    kept.update(draw.sample(found, min(12, len(found))))
    for _ in range(6):  # stems of every measure, most of them not English
        stem = "".join(draw.choice("aeiouybcdlstwxz") for _ in range(draw.randrange(6)))
        kept.add(stem + ending)
kept.update("""sky skies dying lying tying news innings inning outings outing
cannings canning howe proceed exceed succeed dies died lied flies tied 2nd
1980s""".split())

stemmer = PorterStemmer()
for word in sorted(w for w in kept if len(w) > 2):
    print(word, stemmer.stem(word))
