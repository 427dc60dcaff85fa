# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads NAME.pmpdw as include/pmpd/artifact.h and layout.h describe it."""
import struct

import numpy

F32, F16, NESTED = range(3)
PLAIN, SLICED = 1, 2


def round_up(value, multiple):
    return -(-value // multiple) * multiple


def align(size):
    return round_up(size, 4096 if size >= 65536 else 64)


class Weights:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        magic, _, _, _, table, count, _ = struct.unpack_from("<8sIIQQII", self.data)
        assert magic == b"PMPDWGT\0", magic
        self.sections = {}
        names = table + 56 * count
        for i in range(count):
            fields = struct.unpack_from("<QQ16sIIIIBBBB4B", self.data, table + 56 * i)
            offset, size, _, name, rows, cols, group, element, layout, bits, n = fields[:11]
            end = self.data.index(b"\0", names + name)
            self.sections[self.data[names + name:end].decode()] = (
                offset, rows, cols, group, element, layout, bits, fields[11:11 + n])

    def read(self, name, bits=None):
        """Values [rows, cols] as float64, a nested weight as read at `bits`."""
        offset, rows, cols, group, element, layout, parent, prefixes = self.sections[name]
        if element != NESTED:
            kind = "<f4" if element == F32 else "<f2"
            values = numpy.frombuffer(self.data, kind, rows * cols, offset)
            return values.reshape(rows, cols).astype(numpy.float64)
        bits = bits if bits in prefixes else parent
        index = prefixes.index(bits)
        read = self.sliced if layout == SLICED else self.plain
        codes, scale, low = read(offset, rows, cols, group, parent, bits, index)
        groups = numpy.arange(cols) // group
        return scale[:, groups] * codes + low[:, groups]

    def plain(self, offset, rows, cols, group, parent, bits, index):
        codes = numpy.frombuffer(self.data, numpy.uint8, rows * cols, offset)
        pairs = rows * (cols // group)
        at = offset + round_up(rows * cols, 64) + index * round_up(pairs * 4, 64)
        params = numpy.frombuffer(self.data, "<f2", pairs * 2, at).astype(numpy.float64)
        params = params.reshape(rows, cols // group, 2)
        return (codes.reshape(rows, cols) >> (parent - bits),
                params[..., 0], params[..., 1])

    def sliced(self, offset, rows, cols, group, parent, bits, index):
        padded = round_up(rows, 16)
        region = align(padded * cols // 8)
        n, k = numpy.meshgrid(numpy.arange(rows), numpy.arange(cols), indexing="ij")
        v, f, i = k % 32 // 16, k % 16 // 4, k % 4
        within = (n // 16 * (cols // 32) + k // 32) * 64 + 4 * (n % 16) + i
        raw = numpy.frombuffer(self.data, numpy.uint8)
        third = numpy.choose(f, [3, 1, 7, 5]) ^ v
        codes = raw[offset + v * region + within] >> (2 * f) & 3
        if bits >= 3:
            codes = codes << 1 | (raw[offset + 2 * region + within] >> third & 1)
        if bits >= 4:
            codes = codes << 1 | (raw[offset + 3 * region + within] >> (third ^ 1) & 1)
        groups = cols // group
        lines = padded // 16 * groups
        at = offset + parent * region + index * align(lines * 64)
        params = numpy.frombuffer(self.data, "<f2", lines * 32, at).astype(numpy.float64)
        params = params.reshape(padded // 16, groups, 2, 16).transpose(0, 3, 1, 2)
        params = params.reshape(padded, groups, 2)[:rows]
        return codes, params[..., 0], params[..., 1]
