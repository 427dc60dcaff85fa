# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the regions of a Llama-shaped model as pmpd-pack leaves them: shapes
and places in a weight file that need not exist."""
import argparse


class Model:
    def __init__(self, args):
        self.args = args
        self.at = 4096
        self.lines = []
        self.names = []

    def place(self, size):
        at = self.at
        self.at += (size + 4095) // 4096 * 4096
        return at

    def weight(self, name, rows, cols):
        group = self.args.group
        padded = (rows + 63) // 64 * 64
        size = 4 * padded * cols // 8 + 3 * padded * (cols // group) * 4
        self.lines.append(
            f"  pmpd.weight @{name} : !pmpd.nested<{rows}x{cols}, bits = 4, "
            f"prefixes = [2, 3, 4], affine, group = {group}, npu> "
            f"at {self.place(size)}")

    def dense(self, name, *shape):
        element = "f32" if len(shape) == 1 else "f16"
        size = 4 * shape[0] if len(shape) == 1 else 2 * shape[0] * shape[1]
        dims = "x".join(str(n) for n in shape)
        self.lines.append(f"  pmpd.weight @{name} : tensor<{dims}x{element}> "
                          f"at {self.place(size)}")

    def weights(self):
        a = self.args
        kv = a.kv_heads * a.head_dim
        self.dense("embed", a.vocab, a.hidden)
        for i in range(a.layers):
            self.dense(f"l{i}.norm1", a.hidden)
            self.weight(f"l{i}.q", a.heads * a.head_dim, a.hidden)
            self.weight(f"l{i}.k", kv, a.hidden)
            self.weight(f"l{i}.v", kv, a.hidden)
            self.weight(f"l{i}.o", a.hidden, a.heads * a.head_dim)
            self.dense(f"l{i}.norm2", a.hidden)
            self.weight(f"l{i}.gate", a.ffn, a.hidden)
            self.weight(f"l{i}.up", a.ffn, a.hidden)
            self.weight(f"l{i}.down", a.hidden, a.ffn)
        self.dense("norm", a.hidden)
        self.weight("head", a.vocab, a.hidden)
        frequencies = ", ".join(["0.5"] * (a.head_dim // 2))
        self.lines.append(f"  pmpd.rope_table @rope inv_freq = [{frequencies}],"
                          f" scale = 1.0, half at "
                          f"{self.place(4 * a.context * a.head_dim)}")

    def region(self, phase, bits, rows):
        a = self.args
        out = self.lines.append
        count = iter(range(10 ** 6))

        def op(text, cols, source=None):
            name = f"%v{next(count)}"
            kind = f"tensor<?x{cols}xf32>"
            out(f"    {name} = {text} : "
                + (f"{source} -> {kind}" if source else kind))
            return name, cols

        def quantized(value):
            name = f"%v{next(count)}"
            rows = (f"!pmpd.rows<{value[1]}, bits = {a.abits}, "
                    f"group = {a.group}>")
            out(f"    {name} = pmpd.quantize_rows {value[0]} : "
                f"tensor<?x{value[1]}xf32> -> {rows}")
            return name, rows

        def linear(value, weight, cols):
            return op(f"pmpd.linear {value[0]}, @{weight} bits {bits}", cols,
                      value[1])

        out(f"  pmpd.region @{phase}_b{bits} {phase} bits = {bits}, "
            f"max_rows = {rows} {{")
        out("  ^bb0(%tokens: tensor<?xi32>):")
        x = op("pmpd.embed %tokens, @embed", a.hidden, "tensor<?xi32>")
        kv = a.kv_heads * a.head_dim
        for i in range(a.layers):
            h = quantized(op(f"pmpd.rms_norm {x[0]}, @l{i}.norm1 eps 1.0e-5",
                             a.hidden))
            q = linear(h, f"l{i}.q", a.heads * a.head_dim)
            k = linear(h, f"l{i}.k", kv)
            v = linear(h, f"l{i}.v", kv)
            k = op(f"pmpd.rope {k[0]}, @rope heads {a.kv_heads}", kv)
            q = op(f"pmpd.rope {q[0]}, @rope heads {a.heads}", q[1])
            out(f"    pmpd.kv_append {k[0]}, {v[0]} layer {i} : "
                f"tensor<?x{kv}xf32>")
            t = op(f"pmpd.attention {q[0]} layer {i} scale 0.125", q[1])
            o = linear(quantized(t), f"l{i}.o", a.hidden)
            x = op(f"pmpd.add {x[0]}, {o[0]}", a.hidden)
            h = quantized(op(f"pmpd.rms_norm {x[0]}, @l{i}.norm2 eps 1.0e-5",
                             a.hidden))
            g = linear(h, f"l{i}.gate", a.ffn)
            u = linear(h, f"l{i}.up", a.ffn)
            s = op(f"pmpd.activate silu {g[0]}", a.ffn)
            m = op(f"pmpd.mul {s[0]}, {u[0]}", a.ffn)
            d = linear(quantized(m), f"l{i}.down", a.hidden)
            x = op(f"pmpd.add {x[0]}, {d[0]}", a.hidden)
        x = op(f"pmpd.select_last {x[0]}", a.hidden)
        h = quantized(op(f"pmpd.rms_norm {x[0]}, @norm eps 1.0e-5", a.hidden))
        y = linear(h, "head", a.vocab)
        out(f"    pmpd.yield {y[0]} : tensor<?x{a.vocab}xf32>")
        out("  }")
        self.names.append(f"@{phase}_b{bits}")

    def text(self):
        a = self.args
        self.weights()
        self.region("prefill", 4, a.rows)
        for bits in a.bits:
            self.region("decode", bits, 1)
        return "\n".join(
            [f"pmpd.model @m vocab = {a.vocab}, hidden = {a.hidden}, "
             f"layers = {a.layers}, heads = {a.heads}, "
             f"kv_heads = {a.kv_heads}, head_dim = {a.head_dim}, "
             f"context = {a.context}, kv = f16 "
             f"digest = \"{'0' * 32}\" {{"] + self.lines
            + [f"  pmpd.region_table [{', '.join(self.names)}]", "}"])


def main():
    parser = argparse.ArgumentParser()
    for name, value in dict(layers=2, hidden=128, heads=4, kv_heads=2,
                            head_dim=32, ffn=256, vocab=256, context=128,
                            group=32, abits=16, rows=64).items():
        parser.add_argument("--" + name.replace("_", "-"), type=int,
                            default=value)
    parser.add_argument("--bits", type=int, nargs="*", default=[4, 3, 2])
    print(Model(parser.parse_args()).text())


if __name__ == "__main__":
    main()
