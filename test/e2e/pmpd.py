# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A binding of libpmpd_rt for tests; include/pmpd/runtime.h has the meaning."""
import ctypes
import os

import numpy


class ClassifierArgs(ctypes.Structure):
    _fields_ = [(n, ctypes.c_void_p) for n in ("weights", "scratch", "keys",
                                               "values")] + [
        ("tokens", ctypes.c_int64), ("logits", ctypes.c_void_p)]


class Classifier(ctypes.Structure):
    _fields_ = [(n, ctypes.c_int32) for n in ("from_bits", "to_bits", "classes",
                                              "reserved")] + [
        ("scratch_bytes", ctypes.c_uint64),
        ("entry", ctypes.CFUNCTYPE(None, ctypes.POINTER(ClassifierArgs)))]


class Description(ctypes.Structure):
    _fields_ = (
        [("struct_bytes", ctypes.c_uint32), ("abi_version", ctypes.c_uint32)]
        + [(n, ctypes.c_char_p) for n in ("name", "triple", "cpu_features")]
        + [(n, ctypes.c_int32) for n in ("vocab", "hidden", "layers", "heads",
                                         "kv_heads", "head_dim", "context",
                                         "kv_element")]
        + [("kv_bytes", ctypes.c_uint64), ("digest", ctypes.c_uint8 * 16),
           ("region_count", ctypes.c_int32),
           ("classifier_count", ctypes.c_int32), ("regions", ctypes.c_void_p),
           ("classifiers", ctypes.POINTER(Classifier))]
    )


class SessionOptions(ctypes.Structure):
    _fields_ = [("struct_bytes", ctypes.c_size_t), ("threads", ctypes.c_int32),
                ("context", ctypes.c_int32), ("prefill_bits", ctypes.c_int32)]


class SwitchPoint(ctypes.Structure):
    _fields_ = [("bits", ctypes.c_int32), ("start", ctypes.c_int64)]


class Error(Exception):
    pass


class Library:
    def __init__(self, build):
        self.rt = ctypes.CDLL(os.path.join(build, "lib", "libpmpd_rt.so"))
        self.rt.pmpd_last_error.restype = ctypes.c_char_p
        self.rt.pmpd_model_describe.restype = ctypes.POINTER(Description)

    def check(self, status):
        if status:
            raise Error(self.rt.pmpd_last_error().decode())


class Session:
    """One session of the model in `directory`."""

    def __init__(self, build, directory, threads=2, prefill_bits=0):
        self.library = Library(build)
        self.model = ctypes.c_void_p()
        self.handle = ctypes.c_void_p()
        rt, check = self.library.rt, self.library.check
        check(rt.pmpd_model_open_directory(directory.encode(), None,
                                           ctypes.byref(self.model)))
        options = SessionOptions(ctypes.sizeof(SessionOptions), threads, 0,
                                 prefill_bits)
        check(rt.pmpd_session_create(self.model, ctypes.byref(options),
                                     ctypes.byref(self.handle)))
        self.desc = rt.pmpd_model_describe(self.model).contents

    def schedule(self, *points):
        array = (SwitchPoint * len(points))(*points)
        self.library.check(self.library.rt.pmpd_session_set_schedule(
            self.handle, array, ctypes.c_size_t(len(points))))

    def set_scheduler(self, text):
        self.library.check(self.library.rt.pmpd_session_set_scheduler(
            self.handle, text.encode()))

    def prefill(self, tokens, logit_rows=None):
        """Logits [logit_rows, vocab] of the trailing tokens; all by default."""
        rows = len(tokens) if logit_rows is None else logit_rows
        tokens = numpy.ascontiguousarray(tokens, numpy.int32)
        logits = numpy.empty((rows, self.desc.vocab), numpy.float32)
        self.library.check(self.library.rt.pmpd_prefill(
            self.handle, tokens.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_int64(len(tokens)), ctypes.c_int64(rows),
            logits.ctypes.data_as(ctypes.c_void_p)))
        return logits

    def decode(self, token):
        """Logits [vocab] and the bits that were used."""
        logits = numpy.empty(self.desc.vocab, numpy.float32)
        bits = ctypes.c_int32()
        self.library.check(self.library.rt.pmpd_decode(
            self.handle, ctypes.c_int32(token),
            logits.ctypes.data_as(ctypes.c_void_p), ctypes.byref(bits)))
        return logits, bits.value

    def run(self, tokens, prompt):
        """Logits [tokens, vocab]: `prompt` tokens by prefill, one at a time
        after them."""
        rows = [self.prefill(tokens[:prompt])]
        rows += [self.decode(t)[0][None] for t in tokens[prompt:]]
        return numpy.concatenate(rows)

    def planes(self, layer):
        """Addresses of K and V of a layer."""
        data = ctypes.c_void_p(), ctypes.c_void_p()
        self.library.check(self.library.rt.pmpd_session_kv(
            self.handle, layer, *map(ctypes.byref, data)))
        return [pointer.value for pointer in data]

    def plane(self, address, positions):
        """K or V of a layer, [kv_heads, positions, head_dim]."""
        d = self.desc
        element = numpy.float16 if d.kv_element == 1 else numpy.float32
        size = d.kv_heads * d.context * d.head_dim * numpy.dtype(element).itemsize
        raw = (ctypes.c_char * size).from_address(address)
        shape = (d.kv_heads, d.context, d.head_dim)
        return numpy.frombuffer(raw, element).reshape(shape)[:, :positions].copy()

    def keys(self, layer, positions):
        return self.plane(self.planes(layer)[0], positions)

    def classify(self, index, weights, tokens):
        """Logits of a classifier on the last layer; weights: of the file."""
        one = self.desc.classifiers[index]
        logits = numpy.empty(one.classes, numpy.float32)
        # Not zeros: scratch memory has no contents that count.
        scratch = numpy.full(one.scratch_bytes + 64, 0xff, numpy.uint8)
        at = -(-scratch.ctypes.data // 64) * 64
        one.entry(ctypes.byref(ClassifierArgs(
            weights.ctypes.data, at, *self.planes(self.desc.layers - 1), tokens,
            logits.ctypes.data)))
        return logits

    def truncate(self, tokens):
        self.library.check(self.library.rt.pmpd_session_truncate(
            self.handle, ctypes.c_int64(tokens)))


def relative_error(actual, expected):
    """Largest difference over largest magnitude."""
    return float(numpy.abs(actual - expected).max() / numpy.abs(expected).max())


def require(name, error, bound):
    print(f"{name}: {error:.2e} (bound {bound:g})")
    if not error <= bound:
        raise SystemExit(f"{name}: expected at most {bound:g}, but got {error:.3e}")
