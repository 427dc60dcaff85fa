/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * The instructions of the NPU "PNPU-1": what the compiler emits and the
 * machine executes, bit for bit. Little endian, 32 bytes each. Containers of
 * programs are in npu_program.h, layouts of data in npu_layout.h.
 *
 * Machine. One in-order sequencer (SEQ) expands loops, computes scalars and
 * feeds seven in-order units: four DMA queues QW, QK, QA, QS (by convention
 * weights, KV, activations, stores), the bit-plane unit BPU, the matrix unit
 * MXU and the vector unit VPU. Registers are read when an instruction is fed
 * to its unit. It starts when the unit is free and each semaphore it waits for
 * (wait0, wait1) holds a token, which it consumes; it posts one token to post0
 * and one to post1 when it completes. Semaphores hold 0 when a program begins.
 *
 * A program must run in program order too: every token waited for has been
 * posted by an earlier instruction, every loop leaves each semaphore as it was
 * unless its count is immediate, and one semaphore is waited for by one unit
 * only. That excludes deadlock, whatever the timing, and is what the verifier
 * checks.
 *
 * Registers. 32 of 64 bits; register 0 reads 0 and ignores writes. Those that
 * the host sets are pmpd_npu_register.
 *
 * Local addresses (`local`, `x`, `w`, ... of 32 bits): bits 23:0 are an offset
 * into the scratchpad, bits 28:24 a register added to it, bits 31:29 are 0.
 * Addresses are multiples of 4, for planes and metadata of 64; LD and ST take
 * any. The accumulators follow the scratchpad's banks in the same address
 * space.
 *
 * Rows. `rows` of the header names the register with the number M of
 * activation rows; 0 means M = 1. A stride field with suffix 64 counts 64
 * bytes.
 *
 * Arithmetic. f32 with round to nearest even, no fused multiply-add: every
 * fadd, fmul, fdiv below rounds once. rne rounds to the nearest even integer.
 * Sums run in ascending order in one chain, so that a result does not depend
 * on how a matrix is cut at group boundaries or a chunk into rows.
 * exp(x) is  x < -87 (or NaN) -> 0; x = min(x, 88); n = rne(x * 0x1.715476p+0);
 *   r = (x - n * 0x1.62e4p-1) - n * 0x1.7f7d1cp-20; Horner's rule in r over
 *   0x1.6c16c2p-10, 0x1.111112p-7, 0x1.555556p-5, 0x1.555556p-3, 0x1p-1, 1, 1;
 *   n is added to the exponent field.  (Relative error below 2.5e-7.)
 */
#ifndef PMPD_NPU_H
#define PMPD_NPU_H

#include <stdint.h>

enum {
  PMPD_NPU_ISA_VERSION = 1,
  PMPD_NPU_INSTRUCTION_BYTES = 32,
  PMPD_NPU_REGISTERS = 32,
  PMPD_NPU_SEMAPHORES = 64,
  PMPD_NPU_NO_SEMAPHORE = 0xFF,
  PMPD_NPU_LOOP_LEVELS = 4,
  PMPD_NPU_SEMAPHORE_MAX = 65535, /* most tokens a semaphore holds */
  PMPD_NPU_ROW_BLOCK = 64,        /* weight rows side by side in a tile */
  PMPD_NPU_WORD_COLS = 32,        /* columns of a plane word */
  PMPD_NPU_ATT_TOKENS = 64        /* tokens of a KV tile */
};

typedef enum pmpd_npu_unit {
  PMPD_NPU_SEQ = 0,
  PMPD_NPU_QW = 1,
  PMPD_NPU_QK = 2,
  PMPD_NPU_QA = 3,
  PMPD_NPU_QS = 4,
  PMPD_NPU_BPU = 5,
  PMPD_NPU_MXU = 6,
  PMPD_NPU_VPU = 7,
  PMPD_NPU_UNITS = 8
} pmpd_npu_unit;

/* What the host sets before a region runs; registers 10..31 are the program's
 * and hold 0. The memories are disjoint; a transfer outside of them traps. */
typedef enum pmpd_npu_register {
  PMPD_NPU_R_ZERO = 0,
  PMPD_NPU_R_WEIGHTS = 1,    /* base of the weight file, read only */
  PMPD_NPU_R_KV = 2,         /* base of the KV cache */
  PMPD_NPU_R_TOKENS = 3,     /* base of int32 [M], read only */
  PMPD_NPU_R_LOGITS = 4,     /* base of f32 [logit rows, vocab] */
  PMPD_NPU_R_CONSTANTS = 5,  /* base of section CNST, read only */
  PMPD_NPU_R_POSITION = 6,   /* tokens in the KV cache before the call */
  PMPD_NPU_R_ROWS = 7,       /* M, tokens in this call */
  PMPD_NPU_R_LOGIT_ROWS = 8, /* trailing rows whose logits are wanted, 0..M */
  PMPD_NPU_R_SCRATCH = 9,    /* base of region.dram_scratch bytes of DRAM */
  PMPD_NPU_R_FIRST_FREE = 10
} pmpd_npu_register;

typedef enum pmpd_npu_op {
  PMPD_NPU_NOP = 0x00,   /* any  waits and posts only; mode = unit */
  PMPD_NPU_HALT = 0x01,  /* SEQ  drains all units and ends the region */
  PMPD_NPU_SALU = 0x02,  /* SEQ  scalar arithmetic */
  PMPD_NPU_LOOP = 0x03,  /* SEQ  begins a loop */
  PMPD_NPU_ENDL = 0x04,  /* SEQ  ends a loop */
  PMPD_NPU_FENCE = 0x05, /* SEQ  drains units */
  PMPD_NPU_EVT = 0x06,   /* SEQ  mark for the trace */
  PMPD_NPU_LD = 0x10,    /* Q*   DRAM -> scratchpad */
  PMPD_NPU_ST = 0x11,    /* Q*   scratchpad -> DRAM */
  PMPD_NPU_QACT = 0x20,  /* VPU  quantize activations */
  PMPD_NPU_BPMV = 0x21,  /* BPU  nested matrix x quantized vector */
  PMPD_NPU_MMQ = 0x22,   /* MXU  nested matrix x quantized rows */
  PMPD_NPU_MMH = 0x23,   /* MXU  fp16 matrix x fp16 rows */
  PMPD_NPU_ATT = 0x24,   /* MXU  online softmax over one KV tile */
  PMPD_NPU_NORM = 0x30,  /* VPU  RMS or layer normalization */
  PMPD_NPU_ROPE = 0x31,  /* VPU  rotary embedding */
  PMPD_NPU_ELT = 0x32,   /* VPU  elementwise */
  PMPD_NPU_RED = 0x33,   /* VPU  argmax, max */
  PMPD_NPU_KVQ = 0x34    /* VPU  f32 -> KV elements */
} pmpd_npu_op;

/* The first 8 bytes of every instruction. Fields and flags an op does not use
 * are 0. */
typedef struct pmpd_npu_header {
  uint8_t op;           /* pmpd_npu_op */
  uint8_t flags;        /* PMPD_NPU_F_* of the op */
  uint8_t wait0, wait1; /* semaphores, PMPD_NPU_NO_SEMAPHORE for none */
  uint8_t post0, post1;
  uint8_t mode; /* see the op */
  uint8_t rows; /* register with M; of LD/ST with F_LEN or F_CNT, the
                   register with the length or count */
} pmpd_npu_header;

enum {
  PMPD_NPU_F_ACC = 1,    /* BPMV MMQ MMH: start from out instead of +0 */
  PMPD_NPU_F_A16 = 2,    /* QACT BPMV MMQ: 16-bit activations, else 8 */
  PMPD_NPU_F_LUT = 4,    /* BPMV MMQ: codebook in Walsh form */
  PMPD_NPU_F_AFFINE = 8, /* BPMV MMQ: scale and minimum */
  PMPD_NPU_F_LEN = 1,    /* LD ST: R[rows] replaces len0 */
  PMPD_NPU_F_CNT = 2,    /* LD ST: R[rows] replaces cnt1 */
  PMPD_NPU_F_FIRST = 1,  /* ATT: initialise the state */
  PMPD_NPU_F_LAST = 2,   /* ATT: write out */
  PMPD_NPU_F_BCAST = 1   /* ELT: every row has the same b */
};

typedef enum pmpd_npu_salu_fn {
  PMPD_NPU_MOV = 0,     /* y */
  PMPD_NPU_ADD = 1,     /* x + y */
  PMPD_NPU_SUB = 2,     /* x - y */
  PMPD_NPU_MUL = 3,     /* x * y */
  PMPD_NPU_MIN = 4,     /* signed minimum */
  PMPD_NPU_MAX = 5,     /* signed maximum */
  PMPD_NPU_CEILDIV = 6, /* unsigned; a zero y traps */
  PMPD_NPU_SHL = 7,     /* y mod 64 */
  PMPD_NPU_SHR = 8,     /* logical, y mod 64 */
  PMPD_NPU_AND = 9,
  PMPD_NPU_REM = 10, /* unsigned; a zero y traps */
  PMPD_NPU_LD32 = 11 /* 32-bit word of DRAM at x + y, zero-extended */
} pmpd_npu_salu_fn;

/* R[rd] = fn(x = R[ra], y = R[rb] + imm), modulo 2^64. */
typedef struct pmpd_npu_salu {
  pmpd_npu_header h;
  uint8_t fn, rd, ra, rb;
  uint32_t zero0;
  int64_t imm;
  uint64_t zero1;
} pmpd_npu_salu;

/* Runs the next `body` instructions, which an ENDL follows, `count` times, or
 * R[creg] times if creg is not 0 (at most 2^31 - 1, more traps); 0 skips.
 * level is the nesting depth, 0 outermost. ENDL uses level only. */
typedef struct pmpd_npu_loop {
  pmpd_npu_header h;
  uint8_t level, creg;
  uint16_t zero0;
  uint32_t count;
  uint32_t body;
  uint32_t zero1;
  uint64_t zero2;
} pmpd_npu_loop;

/* FENCE: value = mask of 1 << pmpd_npu_unit to drain before going on.
 * EVT: value = id of the mark. NOP (mode = pmpd_npu_unit) and HALT have no
 * operands. */
typedef struct pmpd_npu_mark {
  pmpd_npu_header h;
  uint32_t value;
  uint32_t zero0;
  uint64_t zero1[2];
} pmpd_npu_mark;

/* mode = queue, PMPD_NPU_QW .. PMPD_NPU_QS. Row i < cnt1 is len0 bytes between
 *   DRAM  R[breg] + R[oreg] + imm64 * 64 + i * dstride64 * 64   and
 *   local + i * lstride.
 * An LD of planes has cnt1 = b. A count or length of 0 moves nothing. */
typedef struct pmpd_npu_dma {
  pmpd_npu_header h;
  uint8_t breg, oreg;
  uint16_t cnt1;
  int32_t imm64;
  uint32_t local;
  uint32_t len0;
  uint32_t dstride64;
  uint32_t lstride;
} pmpd_npu_dma;

/* QACT: mode = (log2 G - 5) << 4, G a power of two from 32 to 4096. Per row
 * and group g of G columns of x, f32 [M][K] with stride xstride64:
 *   Q = F_A16 ? 32767 : 127;  amax = max |x[k]|, NaN or infinity traps
 *   amax < 2^-100 : sx = 0, all q = 0;  else
 *   sx = fdiv(amax, Q);  inv = fdiv(Q, amax);
 *   q[k] = clamp(rne(fmul(x[k], inv)), -Q, Q);  S = sum of q[k]
 * q: int8 or int16 [M][K]; s: pmpd_npu_group_scale [M][K/G]. K % G == 0. */
typedef struct pmpd_npu_qact {
  pmpd_npu_header h;
  uint32_t x, q, s;
  uint16_t K, xstride64;
  uint64_t zero0;
} pmpd_npu_qact;

typedef struct pmpd_npu_group_scale {
  float sx;
  int32_t sum; /* S */
} pmpd_npu_group_scale;

/* BPMV and MMQ: mode = b | (log2 G - 5) << 4, b from 1 to 4. w: planes and
 * metadata as in npu_layout.h. For every row m of M (BPMV: M = 1, no `rows`)
 * and weight row n < N, for groups g ascending:
 *   y = F_ACC ? out[m][n] : +0
 *   plain:    I = sum_p 2^(b-1-p) (2 sum_{bit p of k = 1} q[k] - S)
 *             y = fadd(y, fmul(f32(I), fmul(f32(scale), sx)))
 *   F_AFFINE: I = sum_p 2^(b-1-p) sum_{bit p of k = 1} q[k]
 *             y = fadd(y, fadd(fmul(f32(I), fmul(f32(scale), sx)),
 *                              fmul(f32(S), fmul(f32(min), sx))))
 *   F_LUT:    y = fadd(y, t), t = fmul(f32(S), fmul(f32(h_0), sx)), then for
 *             subsets m = 1 .. 2^b - 1 of planes (bit i of m = plane i)
 *             t = fadd(t, fmul(f32(I_m), fmul(f32(h_m), sx))) with
 *             I_m = sum_k q[k] * product over i in m of (2 bit_i(k) - 1)
 *   out[m][n] = y
 * I fits int32 for every b and G.
 * The plain code is c = 2 q + 1 - 2^b, so that scale_affine * q + min is
 * (scale_affine / 2) c + (min + scale_affine (2^b - 1) / 2): both forms are one
 * machine, the affine one only leaves out "- S" and keeps the stored (scale,
 * min) exact. It reads 2 bytes more per row and group. */
typedef struct pmpd_npu_bpmv {
  pmpd_npu_header h;
  uint32_t w;    /* planes */
  uint32_t x;    /* q: int8 or int16 [K] */
  uint32_t sx;   /* pmpd_npu_group_scale [K/G] */
  uint32_t sw;   /* metadata */
  uint32_t out;  /* f32 [N] */
  uint16_t N, K; /* K % G == 0 */
} pmpd_npu_bpmv;

/* Row m of q is at x + m * xcols32 * 32 elements, of its group scales at
 * sx + m * (xcols32 * 32 / G) entries, of out at out + m * ostride64 * 64
 * bytes. The metadata follows the planes at pmpd_npu_planes_bytes(N, K, b). */
typedef struct pmpd_npu_mmq {
  pmpd_npu_header h;
  uint32_t w, x, sx, out;
  uint16_t N, K, xcols32, ostride64;
} pmpd_npu_mmq;

/* MMH: y = F_ACC ? out[m][n] : +0; k ascending: y = fadd(y, f32(w) * f32(x)),
 * exact products. w: fp16 as in npu_layout.h; x: fp16 [M][K]; out: f32. */
typedef struct pmpd_npu_mmh {
  pmpd_npu_header h;
  uint32_t w, x, out;
  uint16_t N, K, xstride64, ostride64;
  uint32_t zero0;
} pmpd_npu_mmh;

typedef enum pmpd_npu_kv_format {
  PMPD_NPU_KV_F16 = 0,
  PMPD_NPU_KV_I8 = 1,
  PMPD_NPU_KV_I4 = 2
} pmpd_npu_kv_format;

/* ATT: mode = pmpd_npu_kv_format. nq query heads of M rows against one KV tile
 * (npu_layout.h). Row m sees T = clamp(R[treg] + m, 0, 64) tokens of it, so
 * treg holds position + 1 - first token of the tile. (A register that holds
 * -65536 makes an ATT that only begins or ends, around a loop over tiles.) With
 * hd = 8 * hd8:
 *   q, out: f32 [M][nq][hd], row stride heads * hd; state: per row and head
 *   pmpd_npu_att_state followed by o[hd], 64 + 4 hd bytes.
 *   F_FIRST: max = -inf, sum = 0, o = 0
 *   T > 0: d_t = sum_j fmul(q_j, f32(k_tj)), j ascending from +0;
 *     s_t = fmul(d_t, scale), for I8 and I4 fmul(fmul(d_t, kscale_t), scale)
 *     max' = max(max, max_t s_t);  c = max == -inf ? 0 : exp(max - max')
 *     sum = fmul(sum, c), o_j = fmul(o_j, c); t ascending:
 *     p = exp(s_t - max'), sum = fadd(sum, p),
 *     u = I8, I4 ? fmul(p, vscale_t) : p, o_j = fadd(o_j, fmul(u, f32(v_tj)))
 *   F_LAST: out_j = sum == 0 ? 0 : fdiv(o_j, sum)
 * A NaN score traps. */
typedef struct pmpd_npu_att {
  pmpd_npu_header h;
  uint32_t q, kv, state, out;
  uint8_t hd8, nq, treg, heads;
  float scale;
} pmpd_npu_att;

typedef struct pmpd_npu_att_state {
  float max;
  float sum;
  float zero[14];
} pmpd_npu_att_state;

/* NORM: mode 0 RMS, 1 layer. x, out: f32 [M][D]; w: f32 [D]; b: f32 [D], layer
 * only. Sums over D: lane j of 64 adds elements j + 64 i, i ascending from +0;
 * lanes fold by 32, 16, .. 1 (lane j += lane j + h).
 *   layer: c_k = x_k - fdiv(sum of x, D);  RMS: c = x
 *   r = fdiv(1, sqrt(fadd(fdiv(sum of fmul(c, c), D), eps)))
 *   out_k = fmul(fmul(c_k, r), w_k), layer: fadd(that, b_k) */
typedef struct pmpd_npu_norm {
  pmpd_npu_header h;
  uint32_t x, w, b, out;
  uint16_t D, zero0;
  float eps;
} pmpd_npu_norm;

/* ROPE: mode 0 half, 1 interleaved. Per row and head of hd = 8 * hd8 elements;
 * cs: f32 [M][2 n], n cosines then n sines of the row's position. Pair i < n is
 * (i, i + n) or (2i, 2i + 1):
 *   a' = fsub(fmul(a, c_i), fmul(b, s_i)),  b' = fadd(fmul(b, c_i), fmul(a,
 * s_i)) Elements from 2n on are copied. out may be x. */
typedef struct pmpd_npu_rope {
  pmpd_npu_header h;
  uint32_t x, cs, out;
  uint8_t heads, hd8;
  uint16_t n, xstride64, ostride64;
  uint32_t zero0;
} pmpd_npu_rope;

typedef enum pmpd_npu_elt_fn {
  PMPD_NPU_COPY = 0,
  PMPD_NPU_ADDF = 1,     /* fadd(a, b) */
  PMPD_NPU_SUBF = 2,     /* fsub(a, b) */
  PMPD_NPU_MULF = 3,     /* fmul(a, b) */
  PMPD_NPU_SILU = 4,     /* fdiv(a, fadd(1, exp(-a))) */
  PMPD_NPU_SILU_MUL = 5, /* fmul(silu(a), b) */
  PMPD_NPU_GELU_TANH =
      6, /* fdiv(a, fadd(1, exp(-2 z))), z = fmul(0x1.988454p-1,
            fadd(a, fmul(0x1.6e4e26p-5, fmul(a, fmul(a, a))))) */
  PMPD_NPU_GELU_ERF =
      7, /* fmul(fmul(0.5, a), fadd(1, erf(fmul(a, 0x1.6a09e6p-1)))) */
  PMPD_NPU_RELU = 8,   /* a > 0 ? a : +0 */
  PMPD_NPU_SCALE = 9,  /* fmul(a, imm) */
  PMPD_NPU_CVT16 = 10, /* f32 -> f16 */
  PMPD_NPU_CVT32 = 11  /* f16 -> f32, times imm */
} pmpd_npu_elt_fn;
/* -2 z is fmul(-2, z). erf(x) = sign(x) * fsub(1, fmul(P(t), exp(-x*x))) with
 * t = fdiv(1, fadd(1, fmul(0x1.4f740ap-2, |x|))), P by Horner's rule over
 * 0x1.0fb844p+0, -0x1.7401c6p+0, 0x1.6be1c6p+0, -0x1.23531cp-2, 0x1.04f20cp-2,
 * 0 (Abramowitz and Stegun 7.1.26; absolute error below 6e-7). */

/* ELT: mode = pmpd_npu_elt_fn. Rows of n elements; row m of a and b is at
 * m * astride64 * 64 bytes (b at 0 with F_BCAST), of out at m * ostride64 * 64.
 * All are f32 but out of CVT16 and a of CVT32, f16. out may be a or b, but not
 * for CVT32. */
typedef struct pmpd_npu_elt {
  pmpd_npu_header h;
  uint32_t a, b, out;
  uint32_t n;
  float imm;
  uint16_t astride64, ostride64;
} pmpd_npu_elt;

/* RED: mode 0 argmax (lowest index wins; R[rd] and int32 at out), 1 max (f32 at
 * out only, rd = 0) over x, f32 [n]; NaN traps. The sequencer waits for it if
 * rd is not 0. */
typedef struct pmpd_npu_red {
  pmpd_npu_header h;
  uint32_t x, out;
  uint32_t n;
  uint8_t rd;
  uint8_t zero0[3];
  uint64_t zero1;
} pmpd_npu_red;

/* KVQ: mode = pmpd_npu_kv_format. x: f32 [M][heads][hd] with row stride
 * xstride64. out: elements [M][heads][hd], dense; scl: f16 [M][heads], dense,
 * I8 and I4 only. Per row and head:
 *   F16: round to f16
 *   I8, I4: Q = 127, 7; s = f16(fdiv(amax, Q)); out = s == 0 ? 0 :
 *     clamp(rne(fmul(x, fdiv(1, f32(s)))), -Q, Q); scl = s
 * I4: two's complement, even element in the low nibble. NaN or infinity, or a
 * value that overflows f16, traps. */
typedef struct pmpd_npu_kvq {
  pmpd_npu_header h;
  uint32_t x, out, scl;
  uint16_t heads, hd, xstride64;
  uint16_t zero0;
  uint32_t zero1;
} pmpd_npu_kvq;

/* One instruction as any of its forms. */
typedef union pmpd_npu_instruction {
  uint8_t bytes[PMPD_NPU_INSTRUCTION_BYTES];
  pmpd_npu_header h;
  pmpd_npu_salu salu;
  pmpd_npu_loop loop;
  pmpd_npu_mark mark;
  pmpd_npu_dma dma;
  pmpd_npu_qact qact;
  pmpd_npu_bpmv bpmv;
  pmpd_npu_mmq mmq;
  pmpd_npu_mmh mmh;
  pmpd_npu_att att;
  pmpd_npu_norm norm;
  pmpd_npu_rope rope;
  pmpd_npu_elt elt;
  pmpd_npu_red red;
  pmpd_npu_kvq kvq;
} pmpd_npu_instruction;

/* A local address from a register (0 for none) and an offset below 2^24. */
#define PMPD_NPU_LOCAL(reg, offset)                                            \
  (((uint32_t)(reg) << 24) | ((uint32_t)(offset)&0xFFFFFFu))

#ifdef __cplusplus
#define PMPD_NPU_CHECK static_assert
#else
#define PMPD_NPU_CHECK _Static_assert
#endif
PMPD_NPU_CHECK(sizeof(pmpd_npu_header) == 8, "header is 8 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_salu) == 32, "SALU is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_loop) == 32, "LOOP is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_mark) == 32, "FENCE is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_dma) == 32, "LD is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_qact) == 32, "QACT is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_bpmv) == 32, "BPMV is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_mmq) == 32, "MMQ is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_mmh) == 32, "MMH is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_att) == 32, "ATT is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_norm) == 32, "NORM is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_rope) == 32, "ROPE is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_elt) == 32, "ELT is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_red) == 32, "RED is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_kvq) == 32, "KVQ is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_instruction) == 32, "32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_group_scale) == 8, "scale is 8 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_att_state) == 64, "state is 64 bytes");

#endif /* PMPD_NPU_H */
