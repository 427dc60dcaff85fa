# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A Llama or Qwen3 decoder in NumPy, double precision, on the weights of a
.pmpdw, which are named as in exports of optimum or onnxruntime-genai."""
import numpy


def rotate(x, cos, sin):
    """x [tokens, heads, d]: rotary embedding, first half against second."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return numpy.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


class Llama:
    def __init__(self, weights, layers, heads, kv_heads, eps):
        self.weights, self.layers = weights, layers
        self.heads, self.kv_heads, self.eps = heads, kv_heads, eps
        names = weights.sections
        self.rope = next(n for n in names if "rope" in n)
        self.head = next(n for n in ("lm_head", "model.embed_tokens_linear",
                                     "model.embed_tokens") if n in names)
        last = "model.norm", f"model.layers.{layers}.final_norm_layernorm"
        self.last_norm = next(n for n in last if n in names)
        self.keys = [None] * layers
        self.values = [None] * layers
        self.position = 0

    def norm(self, x, name):
        scale = numpy.sqrt((x * x).mean(-1, keepdims=True) + self.eps)
        return x / scale * self.weights.read(name)[0]

    def linear(self, x, name):
        if (name, self.bits) not in self.cache:
            self.cache[name, self.bits] = self.weights.read(name, self.bits)
        return x @ self.cache[name, self.bits].T

    cache = {}

    def projections(self, x, prefix):
        """Queries, keys and values, [tokens, heads, d] each."""
        names = [f"{prefix}.{p}_proj" for p in "qkv"]
        if names[0] not in self.weights.sections:
            # Slices of one weight, in the order of their first rows.
            parts = [n for n in self.weights.sections
                     if n.startswith(f"{prefix}.qkv_proj.row")]
            names = sorted(parts, key=lambda n: int(n.rpartition("row")[2]))
        heads = (self.heads, self.kv_heads, self.kv_heads)
        return [self.linear(x, name).reshape(len(x), n, -1)
                for name, n in zip(names, heads)]

    def attention(self, x, layer, prefix):
        tokens = len(x)
        q, k, v = self.projections(x, prefix)
        if f"{prefix}.q_norm" in self.weights.sections:
            q = self.norm(q, f"{prefix}.q_norm")
            k = self.norm(k, f"{prefix}.k_norm")
        table = self.weights.read(self.rope)[self.position:self.position + tokens]
        half = table.shape[1] // 2
        cos, sin = table[:, None, :half], table[:, None, half:]
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if self.position:
            k = numpy.concatenate([self.keys[layer], k])
            v = numpy.concatenate([self.values[layer], v])
        self.keys[layer], self.values[layer] = k, v
        repeat = self.heads // self.kv_heads
        k, v = k.repeat(repeat, 1), v.repeat(repeat, 1)
        scores = numpy.einsum("thd,jhd->htj", q, k) / numpy.sqrt(q.shape[-1])
        ahead = (numpy.arange(len(k))[None] >
                 self.position + numpy.arange(tokens)[:, None])
        scores[:, ahead] = -numpy.inf
        p = numpy.exp(scores - scores.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        out = numpy.einsum("htj,jhd->thd", p, v).reshape(tokens, -1)
        return self.linear(out, f"{prefix}.o_proj")

    def forward(self, tokens, bits):
        """Logits [tokens, vocab] of the next tokens, weights read at `bits`."""
        self.bits = bits
        x = self.weights.read("model.embed_tokens")[tokens]
        for layer in range(self.layers):
            prefix = f"model.layers.{layer}"
            h = self.norm(x, f"{prefix}.input_layernorm")
            fused = f"{prefix}.attn.o_proj" in self.weights.sections
            x = x + self.attention(
                h, layer, f"{prefix}.{'attn' if fused else 'self_attn'}")
            h = self.norm(x, f"{prefix}.post_attention_layernorm")
            gate = self.linear(h, f"{prefix}.mlp.gate_proj")
            up = self.linear(h, f"{prefix}.mlp.up_proj")
            x = x + self.linear(gate / (1 + numpy.exp(-gate)) * up,
                                f"{prefix}.mlp.down_proj")
        self.position += len(tokens)
        return self.linear(self.norm(x, self.last_norm), self.head)
