# SPDX-License-Identifier: Apache-2.0
"""A Llama-architecture decoder, named and written as Hugging Face's is."""
import math

import torch
from torch import nn


class Config:
    """Sizes of a decoder; the defaults are the storybook model's."""

    def __init__(self, **sizes):
        self.hidden = 256
        self.layers = 8
        self.intermediate = 768
        self.heads = 8
        self.kv_heads = 4
        self.head_dim = 32
        self.vocab = 4096
        self.context = 512
        self.rope_theta = 10000.0
        self.norm_eps = 1e-5
        for name, value in sizes.items():
            if not hasattr(self, name):
                raise ValueError(f"expected a model size, but got {name}")
            setattr(self, name, value)


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        wide = x.to(torch.float32)
        variance = wide.pow(2).mean(-1, keepdim=True)
        wide = wide * torch.rsqrt(variance + self.eps)
        return self.weight * wide.to(x.dtype)


class RotaryEmbedding(nn.Module):
    def __init__(self, dim, theta):
        super().__init__()
        steps = torch.arange(0, dim, 2, dtype=torch.float32) / dim
        # Not a buffer: it has to stay float32 in a half-precision model.
        self.inv_freq = 1.0 / (theta**steps)

    def forward(self, x, position_ids):
        """Returns cos and sin, both [B, S, D]."""
        batch = position_ids.shape[0]
        inv_freq = self.inv_freq[None, :, None].expand(batch, -1, 1)
        freqs = inv_freq @ position_ids[:, None, :].float()
        freqs = freqs.transpose(1, 2)
        emb = torch.cat((freqs, freqs), dim=-1)
        return emb.cos().to(x.dtype), emb.sin().to(x.dtype)


def rotate_half(x):
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def apply_rotary(q, k, cos, sin):
    cos = cos.unsqueeze(1)
    sin = sin.unsqueeze(1)
    q = (q * cos) + (rotate_half(q) * sin)
    k = (k * cos) + (rotate_half(k) * sin)
    return q, k


def repeat_kv(x, n_rep):
    """[B, Hkv, T, D] -> [B, Hkv * n_rep, T, D]"""
    batch, kv_heads, length, dim = x.shape
    if n_rep == 1:
        return x
    x = x[:, :, None, :, :].expand(batch, kv_heads, n_rep, length, dim)
    return x.reshape(batch, kv_heads * n_rep, length, dim)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = c.heads, c.kv_heads, c.head_dim
        self.q_proj = nn.Linear(c.hidden, c.heads * c.head_dim, bias=False)
        self.k_proj = nn.Linear(c.hidden, c.kv_heads * c.head_dim, bias=False)
        self.v_proj = nn.Linear(c.hidden, c.kv_heads * c.head_dim, bias=False)
        self.o_proj = nn.Linear(c.heads * c.head_dim, c.hidden, bias=False)
        self.rotary_emb = RotaryEmbedding(c.head_dim, c.rope_theta)

    def forward(self, x, mask, position_ids, past):
        batch, length, _ = x.size()
        q = self.q_proj(x).view(batch, length, self.heads, self.head_dim)
        k = self.k_proj(x).view(batch, length, self.kv_heads, self.head_dim)
        v = self.v_proj(x).view(batch, length, self.kv_heads, self.head_dim)
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        cos, sin = self.rotary_emb(v, position_ids)
        q, k = apply_rotary(q, k, cos, sin)
        if past is not None:
            k = torch.cat([past[0], k], dim=2)
            v = torch.cat([past[1], v], dim=2)
        present = (k, v)
        k = repeat_kv(k, self.heads // self.kv_heads)
        v = repeat_kv(v, self.heads // self.kv_heads)
        weights = torch.matmul(q, k.transpose(2, 3)) / math.sqrt(self.head_dim)
        weights = weights + mask
        weights = torch.softmax(weights, dim=-1, dtype=torch.float32).to(q.dtype)
        out = torch.matmul(weights, v).transpose(1, 2).contiguous()
        out = out.reshape(batch, length, self.heads * self.head_dim)
        return self.o_proj(out), present


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.gate_proj = nn.Linear(c.hidden, c.intermediate, bias=False)
        self.up_proj = nn.Linear(c.hidden, c.intermediate, bias=False)
        self.down_proj = nn.Linear(c.intermediate, c.hidden, bias=False)
        self.act_fn = nn.SiLU()

    def forward(self, x):
        return self.down_proj(self.act_fn(self.gate_proj(x)) * self.up_proj(x))


class DecoderLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.self_attn = Attention(c)
        self.mlp = MLP(c)
        self.input_layernorm = RMSNorm(c.hidden, c.norm_eps)
        self.post_attention_layernorm = RMSNorm(c.hidden, c.norm_eps)

    def forward(self, x, mask, position_ids, past):
        out, present = self.self_attn(
            self.input_layernorm(x), mask, position_ids, past
        )
        x = x + out
        x = x + self.mlp(self.post_attention_layernorm(x))
        return x, present


def causal_mask(attention_mask, x, past_length):
    """Returns 0 where a query may look and the lowest finite value elsewhere.

    attention_mask is [B, P + S]; the result is [B, 1, S, P + S].
    """
    batch, length, _ = x.size()
    low = torch.finfo(x.dtype).min
    mask = torch.full((length, length), low, dtype=x.dtype)
    steps = torch.arange(length)
    mask = mask.masked_fill(steps < (steps + 1).view(length, 1), 0)
    if past_length is not None:
        past = torch.zeros(length, past_length, dtype=x.dtype)
        mask = torch.cat([past, mask], dim=-1)
    total = attention_mask.size(-1)
    mask = mask[None, None, :, :].expand(batch, 1, length, total)
    padding = attention_mask[:, None, None, :].expand(batch, 1, length, total)
    padding = 1.0 - padding.to(x.dtype)
    return mask.masked_fill(padding.to(torch.bool), low)


class Model(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed_tokens = nn.Embedding(c.vocab, c.hidden)
        self.layers = nn.ModuleList(DecoderLayer(c) for _ in range(c.layers))
        self.norm = RMSNorm(c.hidden, c.norm_eps)

    def forward(self, input_ids, attention_mask, position_ids, past):
        x = self.embed_tokens(input_ids)
        past_length = None if past is None else past[0][0].shape[2]
        mask = causal_mask(attention_mask, x, past_length)
        presents = []
        for i, layer in enumerate(self.layers):
            layer_past = None if past is None else past[i]
            x, present = layer(x, mask, position_ids, layer_past)
            presents.append(present)
        return self.norm(x), presents


class LlamaForCausalLM(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.model = Model(config)
        self.lm_head = nn.Linear(config.hidden, config.vocab, bias=False)
        self.draw_parameters()
        self.lm_head.weight = self.model.embed_tokens.weight

    def draw_parameters(self):
        for name, p in self.named_parameters():
            if p.dim() == 2:
                out = name.endswith(("o_proj.weight", "down_proj.weight"))
                scale = (2 * self.config.layers) ** -0.5 if out else 1.0
                is_table = name.endswith("embed_tokens.weight")
                std = 0.02 if is_table else p.shape[1] ** -0.5
                nn.init.normal_(p, std=std * scale)

    def forward(self, input_ids, attention_mask, position_ids, past=None):
        """Returns the logits [B, S, V] and every layer's (key, value)."""
        x, presents = self.model(input_ids, attention_mask, position_ids, past)
        return self.lm_head(x), presents
