#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the storybook model on a CPU within a budget of minutes.

    train.py --train train.txt --valid valid.txt --out DIR --minutes 100

The learning rate is a function of the fraction of the budget that is used
up, so a slow machine trains on fewer tokens but still ends at rate zero. An
interrupted run goes on from DIR/last.pt when the same command is repeated.
"""
import argparse
import ctypes
import math
import os
import random
import time

# Read when torch is loaded. Waiting threads must not spin: the machine may
# have other work to do.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx512")

import torch
import torch.nn.functional as F

from model import Config, LlamaForCausalLM
from tokenizer import END_OF_TEXT, Tokenizer

HALF = torch.bfloat16
QUERY_BLOCK = 128


# The training forward pass computes what LlamaForCausalLM.forward computes
# (see --check), but in bfloat16, with the norm weights folded into the
# matrices that follow, and without the upper triangle of the attention.


class Normalize(torch.autograd.Function):
    """x / rms(x)"""

    @staticmethod
    def forward(ctx, x, eps):
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        scale = (norm.square_().div_(x.shape[-1]) + eps).rsqrt_().to(x.dtype)
        y = x * scale
        ctx.save_for_backward(y, scale)
        return y

    @staticmethod
    def backward(ctx, grad):
        y, scale = ctx.saved_tensors
        mean = (grad * y).mean(-1, keepdim=True)
        return torch.addcmul(grad, y, mean, value=-1).mul_(scale), None


class SwiGLU(torch.autograd.Function):
    """silu(gate) * up, for [..., gate | up]"""

    @staticmethod
    def forward(ctx, gate_up):
        gate, up = gate_up.chunk(2, dim=-1)
        sigmoid = torch.sigmoid(gate)
        silu = gate * sigmoid
        ctx.save_for_backward(up, sigmoid, silu)
        return silu * up

    @staticmethod
    def backward(ctx, grad):
        up, sigmoid, silu = ctx.saved_tensors
        out = grad.new_empty(*grad.shape[:-1], 2 * grad.shape[-1])
        d_gate, d_up = out.chunk(2, dim=-1)
        torch.mul(grad, silu, out=d_up)
        # d silu / d gate = sigmoid + silu * (1 - sigmoid)
        torch.addcmul(silu, silu, sigmoid, value=-1, out=d_gate)
        d_gate.add_(sigmoid).mul_(up).mul_(grad)
        return out


class CrossEntropy(torch.autograd.Function):
    """Mean loss of softmax(x @ table.T) against the targets."""

    @staticmethod
    def forward(ctx, x, table, targets):
        p = torch.softmax(F.linear(x, table), dim=-1)
        index = targets[:, None]
        hit = p.gather(1, index)
        loss = -hit.float().clamp_min_(1e-30).log_().mean()
        p.scatter_(1, index, hit - 1)
        ctx.save_for_backward(x, table, p)
        return loss

    @staticmethod
    def backward(ctx, grad):
        x, table, p = ctx.saved_tensors
        scale = float(grad) / x.shape[0]
        return (p @ table).mul_(scale), (p.t() @ x).mul_(scale), None


class Dropout:
    """Adds a dropped-out branch to a residual, with masks cut from a pool."""

    def __init__(self, rate, pool=1 << 23):
        self.mask = torch.empty(pool).bernoulli_(1 - rate).div_(1 - rate).to(HALF)

    def add(self, x, branch):
        start = random.randrange(self.mask.numel() - x.numel())
        mask = self.mask[start : start + x.numel()].view(x.shape)
        return torch.addcmul(x, branch, mask)


def rotate(x, cos, sin):
    """Rotary embedding of x [B, S, H, D] by cos and sin [S, 1, D / 2]."""
    x1, x2 = x.chunk(2, dim=-1)
    out = torch.empty_like(x)
    y1, y2 = out.chunk(2, dim=-1)
    torch.mul(x1, cos, out=y1)
    y1.addcmul_(x2, sin, value=-1)
    torch.mul(x2, cos, out=y2)
    y2.addcmul_(x1, sin)
    return out


class Attention(torch.autograd.Function):
    """Causal attention of [B, S, (H + 2 Hkv) D], in blocks of queries.

    Query heads that share a key head lie side by side, [B Hkv, S group, D],
    so that one matrix product serves them all.
    """

    @staticmethod
    def blocks(length):
        size = min(QUERY_BLOCK, length)
        return [(i, i + size) for i in range(0, length, size)]

    @staticmethod
    def forward(ctx, qkv, c, cos, sin):
        batch, length, _ = qkv.shape
        n, dim, group = c.kv_heads, c.head_dim, c.heads // c.kv_heads
        qkv = qkv.view(batch, length, -1, dim)
        qk = rotate(qkv[:, :, : c.heads + n], cos, sin)
        q = qk[:, :, : c.heads].view(batch, length, n, group, dim)
        q = q.permute(0, 2, 1, 3, 4).reshape(batch * n, length * group, dim)
        k = qk[:, :, c.heads :].permute(0, 2, 1, 3)
        k = k.reshape(batch * n, length, dim)
        v = qkv[:, :, c.heads + n :].permute(0, 2, 1, 3)
        v = v.reshape(batch * n, length, dim)
        # [1, block * group, block], -inf above the diagonal.
        size = min(QUERY_BLOCK, length)
        low = torch.full((size, size), -math.inf, dtype=HALF).triu_(1)
        low = low.repeat_interleave(group, 0)[None]
        out, weights = torch.empty_like(q), []
        for begin, end in Attention.blocks(length):
            rows = slice(begin * group, end * group)
            mask = F.pad(low, (begin, 0)).expand(batch * n, -1, -1)
            keys = k[:, :end].transpose(1, 2)
            scores = torch.baddbmm(mask, q[:, rows], keys, alpha=dim**-0.5)
            weights.append(torch.softmax(scores, -1))
            out[:, rows] = torch.bmm(weights[-1], v[:, :end])
        ctx.config = c
        ctx.save_for_backward(q, k, v, cos, sin, *weights)
        out = out.view(batch, n, length, group, dim).permute(0, 2, 1, 3, 4)
        return out.reshape(batch, length, c.heads * dim)

    @staticmethod
    def backward(ctx, grad):
        q, k, v, cos, sin, *weights = ctx.saved_tensors
        c = ctx.config
        batch, length, _ = grad.shape
        n, dim, group = c.kv_heads, c.head_dim, c.heads // c.kv_heads
        grad = grad.view(batch, length, n, group, dim)
        grad = grad.permute(0, 2, 1, 3, 4).reshape(q.shape)
        dq, dk, dv = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        for p, (begin, end) in zip(weights, Attention.blocks(length)):
            rows = slice(begin * group, end * group)
            g = grad[:, rows]
            dv[:, :end] += torch.bmm(p.transpose(1, 2), g)
            d = torch.bmm(g, v[:, :end].transpose(1, 2))
            d = torch._softmax_backward_data(d, p, -1, HALF).mul_(dim**-0.5)
            dq[:, rows] = torch.bmm(d, k[:, :end])
            dk[:, :end] += torch.bmm(d.transpose(1, 2), q[:, rows])
        out = grad.new_empty(batch, length, c.heads + 2 * n, dim)
        dq = dq.view(batch, n, length, group, dim).permute(0, 2, 1, 3, 4)
        dq = dq.reshape(batch, length, c.heads, dim)
        dk = dk.view(batch, n, length, dim).transpose(1, 2)
        out[:, :, : c.heads] = rotate(dq, cos, -sin)
        out[:, :, c.heads : c.heads + n] = rotate(dk, cos, -sin)
        out[:, :, c.heads + n :] = dv.view(batch, n, length, dim).transpose(1, 2)
        return out.view(batch, length, -1), None, None, None


def training_loss(net, inputs, targets, dropout=None):
    c = net.config
    body = net.model
    length = inputs.shape[1]
    inv_freq = body.layers[0].self_attn.rotary_emb.inv_freq
    angles = torch.arange(length).float()[:, None, None] * inv_freq
    cos, sin = angles.cos().to(HALF), angles.sin().to(HALF)
    add = dropout.add if dropout else torch.add
    x = F.embedding(inputs, body.embed_tokens.weight).to(HALF)
    for layer in body.layers:
        a, m = layer.self_attn, layer.mlp
        qkv = torch.cat([a.q_proj.weight, a.k_proj.weight, a.v_proj.weight])
        qkv = (qkv * layer.input_layernorm.weight).to(HALF)
        y = F.linear(Normalize.apply(x, c.norm_eps), qkv)
        y = Attention.apply(y, c, cos, sin)
        x = add(x, F.linear(y, a.o_proj.weight.to(HALF)))
        gate_up = torch.cat([m.gate_proj.weight, m.up_proj.weight])
        gate_up = (gate_up * layer.post_attention_layernorm.weight).to(HALF)
        y = F.linear(Normalize.apply(x, c.norm_eps), gate_up)
        x = add(x, F.linear(SwiGLU.apply(y), m.down_proj.weight.to(HALF)))
    x = Normalize.apply(x, c.norm_eps).view(-1, c.hidden)
    table = (net.lm_head.weight * body.norm.weight).to(HALF)
    return CrossEntropy.apply(x, table, targets.reshape(-1))


class Muon:
    """Momentum whose update is made orthogonal, for matrices.

    Newton-Schulz iteration on all matrices of a shape at once.
    Source: https://kellerjordan.github.io/posts/muon/
    """

    def __init__(self, params, momentum=0.95, decay=0.1):
        self.groups = {}
        for p in params:
            self.groups.setdefault(tuple(p.shape), []).append(p)
        self.momentum, self.decay = momentum, decay
        self.state = {
            s: torch.zeros(len(ps), *s) for s, ps in self.groups.items()
        }

    @staticmethod
    def orthogonalize(g):
        x = g.to(HALF)
        tall = x.shape[1] > x.shape[2]
        if tall:
            x = x.transpose(1, 2)
        x = x / (x.float().norm(dim=(1, 2), keepdim=True) + 1e-7).to(HALF)
        for _ in range(5):
            a = torch.bmm(x, x.transpose(1, 2))
            b = torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315)
            x = torch.baddbmm(x, b, x, beta=3.4445)
        return (x.transpose(1, 2) if tall else x).float()

    @torch.no_grad()
    def step(self, rate):
        for shape, params in self.groups.items():
            g = torch.stack([p.grad for p in params])
            buf = self.state[shape].lerp_(g, 1 - self.momentum)
            update = self.orthogonalize(g.lerp_(buf, self.momentum))
            step = rate * max(1.0, shape[0] / shape[1]) ** 0.5
            for p, u in zip(params, update):
                p.mul_(1 - rate * self.decay).add_(u, alpha=-step)


class Stream:
    """Rows of tokens: <|endoftext|>, then a stretch of the text.

    Half of the stretches begin at the start of a paragraph.
    """

    def __init__(self, path, tokenizer):
        with open(path, encoding="utf-8") as f:
            self.ids = torch.tensor(tokenizer.encode(f.read()))
        self.first = tokenizer.vocab[END_OF_TEXT]
        newline = tokenizer.encode("\n")[0]
        self.starts = (self.ids == newline).nonzero().flatten() + 1
        self.queue = []

    def rows(self, begins, length):
        body = torch.stack([self.ids[b : b + length] for b in begins])
        first = torch.full((len(begins), 1), self.first)
        return torch.cat([first, body[:, :-1]], 1), body

    def batch(self, count, length):
        """Random rows; every epoch visits the whole text once."""
        begins = []
        while len(begins) < count:
            if not self.queue:
                shift = random.randrange(length)
                self.queue = list(range(shift, len(self.ids) - length, length))
                random.shuffle(self.queue)
            begin = self.queue.pop()
            if random.random() < 0.5:
                k = torch.searchsorted(self.starts, begin)
                if k < len(self.starts):
                    begin = int(self.starts[k])
            if begin + length <= len(self.ids):
                begins.append(begin)
        return self.rows(begins, length)

    def in_order(self, count, length, limit):
        """Batches of consecutive rows, at most `limit` rows in all."""
        begins = list(range(0, len(self.ids) - length + 1, length))[:limit]
        for i in range(0, len(begins), count):
            yield self.rows(begins[i : i + count], length)


@torch.no_grad()
def evaluate(net, stream, length, limit):
    total, rows = 0.0, 0
    for inputs, targets in stream.in_order(8, length, limit):
        total += float(training_loss(net, inputs, targets)) * len(inputs)
        rows += len(inputs)
    return total / rows


def save(path, state):
    torch.save(state, path + ".tmp")
    os.replace(path + ".tmp", path)


def rate_at(fraction, step):
    """Share of the peak rate: short warm-up, flat, then linear to zero."""
    return min(1.0, (step + 1) / 100, max(0.0, (1.0 - fraction) / 0.6))


def check(net, stream):
    """Compares the training forward pass with the model's own."""
    inputs, targets = stream.batch(4, 256)
    mask = torch.ones_like(inputs)
    positions = torch.arange(inputs.shape[1]).expand(inputs.shape)
    logits, _ = net(inputs, mask, positions)
    want = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    want.backward()
    grads = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    got = training_loss(net, inputs, targets)
    got.backward()
    print(f"loss {float(want):.4f} by the model, {float(got):.4f} in training")
    for (name, p), g in zip(net.named_parameters(), grads):
        error = float((p.grad - g).norm() / g.norm())
        print(f"{error:.4f} {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", required=True)
    parser.add_argument("--valid", required=True)
    parser.add_argument("--tokenizer", default="tokenizer.json")
    parser.add_argument("--out", required=True, help="folder of checkpoints")
    parser.add_argument("--minutes", type=float, default=100, help="budget")
    parser.add_argument("--steps", type=int, help="stop after this many steps")
    parser.add_argument("--tokens", type=int, default=4096, help="per step")
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument(
        "--long-from", type=float, default=0.5,
        help="fraction of the budget after which rows have the full context",
    )
    parser.add_argument("--rate", type=float, default=0.01, help="of Muon")
    parser.add_argument("--adam-rate", type=float, default=0.003)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--report", type=float, default=2, help="minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", action="store_true", help=check.__doc__)
    args = parser.parse_args()

    # Keep freed memory: mapping it afresh costs more than the arithmetic.
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(-4, 0)  # M_MMAP_MAX
        libc.mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    random.seed(args.seed)
    os.makedirs(args.out, exist_ok=True)
    last = os.path.join(args.out, "last.pt")
    best = os.path.join(args.out, "best.pt")

    tokenizer = Tokenizer(args.tokenizer)
    valid = Stream(args.valid, tokenizer)
    net = LlamaForCausalLM(Config())
    if args.check:
        return check(net, valid)
    train = Stream(args.train, tokenizer)
    inner = [p for p in net.model.layers.parameters() if p.dim() == 2]
    inner_ids = {id(p) for p in inner}
    others = [p for p in net.parameters() if id(p) not in inner_ids]
    muon = Muon(inner)
    adam = torch.optim.AdamW(others, betas=(0.9, 0.95), weight_decay=0.01)
    dropout = Dropout(args.dropout) if args.dropout else None
    step, seen, elapsed, best_loss = 0, 0, 0.0, math.inf
    if os.path.exists(last):
        state = torch.load(last)
        net.load_state_dict(state["model"])
        muon.state = state["muon"]
        adam.load_state_dict(state["adam"])
        step, seen = state["step"], state["tokens"]
        elapsed, best_loss = state["elapsed"], state["best_loss"]
        random.seed(args.seed + step)

    log = open(os.path.join(args.out, "log.txt"), "a", buffering=1)

    def say(line):
        print(line, flush=True)
        log.write(line + "\n")

    count = sum(p.numel() for p in net.parameters())
    say(f"# {count} parameters, {len(train.ids)} training tokens, {vars(args)}")
    budget = args.minutes * 60
    began = time.time() - elapsed
    reported, train_loss, train_steps, mark = elapsed, 0.0, 0, (elapsed, seen)
    while True:
        fraction = (time.time() - began) / budget
        done = fraction >= 1 or (args.steps is not None and step >= args.steps)
        if done or time.time() - began >= reported + args.report * 60:
            elapsed = time.time() - began
            loss = evaluate(net, valid, Config().context, None if done else 64)
            speed = (seen - mark[1]) / max(elapsed - mark[0], 1e-9)
            kind = "full valid" if done else "valid"
            say(
                f"{elapsed / 60:6.1f} min  step {step}  tokens {seen}"
                f"  train {train_loss / max(train_steps, 1):.4f}"
                f"  {kind} {loss:.4f}  {speed:.0f} tokens/s"
            )
            state = {
                "model": net.state_dict(),
                "config": vars(net.config),
                "muon": muon.state,
                "adam": adam.state_dict(),
                "step": step,
                "tokens": seen,
                "elapsed": elapsed,
                "fraction": elapsed / budget,
                "loss": loss,
                "best_loss": min(loss, best_loss),
            }
            save(last, state)
            if loss <= best_loss and not done:
                best_loss = loss
                save(best, state)
            reported, train_loss, train_steps = time.time() - began, 0.0, 0
            mark = (reported, seen)
            if done:
                break
        share = rate_at(fraction, step)
        length = args.length if fraction < args.long_from else Config().context
        inputs, targets = train.batch(args.tokens // length, length)
        loss = training_loss(net, inputs, targets, dropout)
        loss.backward()
        muon.step(args.rate * share)
        for group in adam.param_groups:
            group["lr"] = args.adam_rate * share
        adam.step()
        net.zero_grad()
        step += 1
        seen += args.tokens
        train_loss += float(loss)
        train_steps += 1
        if step % 20 == 0:
            seconds = time.time() - began
            print(f"step {step} {float(loss):.3f} {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
