#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains a learned scheduler on samples of pmpd-tune --scheduler-data.

    train_scheduler.py samples --test test-samples -o scheduler.onnx
    train_scheduler.py --evaluate scheduler.onnx test-samples

A tenth of the samples is held back for validation. Prints for every pair of
adjacent bits how often the right class is chosen, and what following the choices
costs: the mean ROUGE-L and how many of the tokens are decoded at the higher
bits. Source: arXiv 2410.13461.
"""
import argparse
import json
import os
import sys

import numpy
import torch
from google.protobuf.message import DecodeError
from torch.nn.functional import cross_entropy

from scheduler import CLASSES, Classifier, export, load


def fail(text):
    sys.exit(f"train_scheduler.py: {text}")


class Samples:
    """What pmpd-tune wrote, with K and V as means over heads."""

    def __init__(self, path):
        try:
            with open(path, encoding="utf-8") as file:
                self.setting = json.loads(file.readline())
                # One that is still being written has a part of a line.
                lines = [json.loads(line) for line in file
                         if line.endswith("\n")]
            planes = numpy.memmap(path + ".kv", self.setting["element"], "r")
            if self.setting["format"] != "pmpd-scheduler-data":
                raise ValueError("another format")
            self.heads = self.setting["heads"]
            self.head_dim = self.setting["head_dim"]
            self.planes = [self.read(planes, line) for line in lines]
            bits = self.setting["bits"]
            self.pairs = list(zip(bits, bits[1:]))
            self.labels = {pair: torch.tensor([line["labels"]["%d_%d" % pair]
                                               for line in lines])
                           for pair in self.pairs}
            self.rouge = {pair: torch.tensor([self.scores(line, pair)
                                              for line in lines])
                          for pair in self.pairs}
        except (OSError, ValueError, KeyError, TypeError) as error:
            fail(f"{path}: expected samples of pmpd-tune --scheduler-data, but "
                 f"got {type(error).__name__}: {error}")
        if len(lines) < 20:
            fail(f"{path}: expected at least 20 samples, but got {len(lines)}")

    def __len__(self):
        return len(self.planes)

    def read(self, planes, line):
        """K and V, [2, L, head_dim]."""
        shape = (2, self.heads, line["tokens"], self.head_dim)
        begin = line["at"] // planes.itemsize
        plane = planes[begin:begin + numpy.prod(shape)].reshape(shape)
        return torch.from_numpy(plane.astype(numpy.float32).mean(1))

    def scores(self, line, pair):
        """ROUGE-L of every class, the last of which keeps the higher bits."""
        before = self.setting["bits"].index(pair[0])
        high = (line["rouge"][str(pair[0])] if before == 0 else
                line["rouge"]["%d_%d" % self.pairs[before - 1]][0])
        return [*line["rouge"]["%d_%d" % pair], high]

    def batch(self, indices):
        """keys, values [batch, L, head_dim] and which positions are valid."""
        chosen = [self.planes[i] for i in indices]
        longest = max(plane.shape[1] for plane in chosen)
        padded = torch.zeros(2, len(chosen), longest, self.head_dim)
        valid = torch.zeros(len(chosen), longest, dtype=torch.bool)
        for row, plane in enumerate(chosen):
            padded[:, row, :plane.shape[1]] = plane
            valid[row, :plane.shape[1]] = True
        return padded[0], padded[1], valid


def oversampled(labels, indices, random):
    """Indices with as many of each class as the most frequent has."""
    groups = [indices[labels[indices] == c] for c in range(CLASSES)]
    most = max(len(group) for group in groups)
    extended = [torch.cat([group, group[torch.randint(
        len(group), (most - len(group),), generator=random)]])
        for group in groups if len(group)]
    whole = torch.cat(extended)
    return whole[torch.randperm(len(whole), generator=random)]


def train(samples, pair, indices, args, random):
    model = Classifier(samples.heads, samples.head_dim, args.dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.rate,
                                 weight_decay=args.weight_decay)
    labels = samples.labels[pair]
    for epoch in range(args.epochs):
        model.train()
        order = oversampled(labels, indices, random)
        losses = []
        for batch in order.split(args.batch):
            loss = cross_entropy(model.attend(*samples.batch(batch)),
                                 labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print("%d -> %d: epoch %d of %d, loss %.3f"
              % (*pair, epoch + 1, args.epochs, numpy.mean(losses)), flush=True)
    return model.eval()


def predict(model, samples, indices):
    with torch.no_grad():
        return torch.cat([model.attend(*samples.batch(batch)).argmax(1)
                          for batch in indices.split(64)])


def shares(samples, pair, indices):
    """How often each class is right."""
    counts = torch.bincount(samples.labels[pair][indices], minlength=CLASSES)
    return counts / counts.sum()


def report(name, samples, pair, indices, prior, model):
    """A model's choices beside every fixed one and a draw by the prior."""
    chosen = predict(model, samples, indices)
    labels = samples.labels[pair][indices]
    rouge = samples.rouge[pair][indices]
    right = [(chosen == labels)[labels == c].float().mean().item()
             for c in range(CLASSES)]
    print("\n%d -> %d: %d %s samples of classes %s" % (
        *pair, len(labels), name,
        torch.bincount(labels, minlength=CLASSES).tolist()))
    print("accuracy of each class: " +
          ", ".join("%.1f %%" % (100 * share) for share in right))
    share = torch.arange(CLASSES) / (CLASSES - 1)
    one_hot = torch.eye(CLASSES)
    rows = [("learned", one_hot[chosen]),
            ("random by prior", prior.expand(len(labels), CLASSES))]
    rows += [(f"always class {c}", one_hot[c].expand(len(labels), CLASSES))
             for c in range(CLASSES)]
    rows += [("right class", one_hot[labels])]
    print("%-16s %8s %8s %13s" % ("", "accuracy", "ROUGE-L", "higher bits"))
    for row, choice in rows:
        hits = choice.gather(1, labels[:, None]).mean().item()
        score = (choice * rouge).sum(1).mean().item()
        high = (choice * share).sum(1).mean().item()
        print("%-16s %6.1f %% %8.3f %6.1f %% of tokens" % (
            row, 100 * hits, score, 100 * high))
    # The same bits without looking at the prompt: fixed classes, mixed.
    gain = (one_hot[chosen] * rouge).sum(1) - torch.from_numpy(numpy.stack([
        numpy.interp(share[chosen].mean(), share, row) for row in rouge]))
    print("learned above fixed classes at its bits: %+.4f +- %.4f ROUGE-L" % (
        gain.mean(), 1.96 * gain.std() / len(gain) ** 0.5))


def evaluate(samples, path):
    try:
        classifiers = load(path, samples.pairs, samples.heads, samples.head_dim)
    except (OSError, DecodeError, KeyError, RuntimeError) as error:
        fail(f"{path}: expected a scheduler for {samples.pairs} of "
             f"{samples.heads} heads of {samples.head_dim}, but got "
             f"{type(error).__name__}: {error}")
    everything = torch.arange(len(samples))
    for pair, model in classifiers.items():
        report("test", samples, pair, everything,
               shares(samples, pair, everything), model)


def train_all(samples, args):
    test = Samples(args.test) if args.test else None
    if test and (test.pairs, test.heads, test.head_dim) != (
            samples.pairs, samples.heads, samples.head_dim):
        fail(f"{args.test}: expected samples of the same bits and dimensions as "
             f"{args.samples}")
    torch.manual_seed(args.seed)
    random = torch.Generator().manual_seed(args.seed)
    order = torch.randperm(len(samples), generator=random)
    held, rest = order[:len(order) // 10], order[len(order) // 10:]
    classifiers = {pair: train(samples, pair, rest, args, random)
                   for pair in samples.pairs}
    for pair, model in classifiers.items():
        prior = shares(samples, pair, rest)
        report("validation", samples, pair, held, prior, model)
        if test:
            report("test", test, pair, torch.arange(len(test)), prior, model)
    export(classifiers, samples.heads, samples.head_dim, args.output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("samples")
    parser.add_argument("-o", "--output")
    parser.add_argument("--evaluate", metavar="SCHEDULER",
                        help="train nothing, test this one on the samples")
    parser.add_argument("--test", help="samples of another text")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if bool(args.output) == bool(args.evaluate):
        parser.error("expected one of --output and --evaluate")
    if args.output and not os.access(
            os.path.dirname(os.path.abspath(args.output)), os.W_OK):
        fail(f"{args.output}: its folder cannot be written to")
    samples = Samples(args.samples)
    if args.evaluate:
        evaluate(samples, args.evaluate)
    else:
        train_all(samples, args)


main()
