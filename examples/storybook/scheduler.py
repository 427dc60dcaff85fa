# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The classifier of a learned scheduler, and its ONNX form.

K and V of the last layer after prefill, [1, heads, L, head_dim], to the logits
of four classes: switch to the lower bits after 0, 1/3, 2/3 or all of the new
tokens. Source: arXiv 2410.13461, section on the prompt-adaptive scheduler.
"""
import math
import os

import onnx
import torch
from onnx import numpy_helper
from torch import nn

CLASSES = 4


class Classifier(nn.Module):
    """One decision: from one precision to the next lower."""

    def __init__(self, heads, head_dim, dropout=0.1):
        super().__init__()
        self.query = nn.Parameter(torch.empty(heads, heads, head_dim))
        nn.init.xavier_normal_(self.query)
        self.scale = 1 / math.sqrt(head_dim)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(
            nn.LayerNorm(heads * head_dim),
            nn.Linear(heads * head_dim, heads * head_dim), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(heads * head_dim, CLASSES))

    def attend(self, keys, values, valid=None):
        """keys, values: mean over heads, [batch, L, head_dim]; valid: which of
        the L are there, [batch, L]."""
        scores = torch.matmul(self.query, keys[:, None].transpose(2, 3))
        scores = scores * self.scale  # [batch, heads, heads, L]
        if valid is not None:
            scores = scores.masked_fill(~valid[:, None, None], -math.inf)
        weights = self.dropout(torch.softmax(scores, dim=-1))
        read = torch.matmul(weights, values[:, None]).mean(dim=2)
        return self.head(read.transpose(1, 2).flatten(1))

    def forward(self, keys, values):
        """keys, values [1, heads, L, head_dim] -> [1, CLASSES]."""
        return self.attend(keys.mean(dim=1), values.mean(dim=1))


class Scheduler(nn.Module):
    """One classifier for each pair of adjacent bits, such as (4, 3)."""

    def __init__(self, classifiers):
        super().__init__()
        self.pairs = list(classifiers)
        self.classifiers = nn.ModuleList(classifiers.values())

    def forward(self, keys, values):
        return tuple(one(keys, values) for one in self.classifiers)


def load(path, pairs, heads, head_dim):
    """The classifiers that `export` wrote to `path`, {(4, 3): ...}."""
    tensors = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy())
               for t in onnx.load(path).graph.initializer}
    scheduler = Scheduler({pair: Classifier(heads, head_dim) for pair in pairs})
    scheduler.load_state_dict(
        {name: tensors[name] for name in scheduler.state_dict()})
    return dict(zip(pairs, scheduler.eval().classifiers))


def export(classifiers, heads, head_dim, path):
    """Writes {(4, 3): Classifier, ...} as what pmpd-compile --scheduler reads:
    inputs `keys` and `values`, outputs `logits_4_3` and so on."""
    scheduler = Scheduler(classifiers).eval()
    example = torch.zeros(1, heads, 7, head_dim)
    torch.onnx.export(
        scheduler, (example, example), path + ".part", opset_version=17,
        input_names=["keys", "values"],
        output_names=[f"logits_{high}_{low}" for high, low in scheduler.pairs],
        dynamic_axes={"keys": {2: "tokens"}, "values": {2: "tokens"}})
    os.replace(path + ".part", path)
