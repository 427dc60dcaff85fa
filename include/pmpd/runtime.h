/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * The C interface of libpmpd_rt: open a compiled model, prefill, decode,
 * generate, and choose the bits of every token.
 *
 * Conventions
 * - Every fallible call returns a pmpd_status; pmpd_last_error() has the text
 *   for the calling thread. No C++ exception crosses this interface.
 * - A model is immutable and may be shared by sessions of many threads. A
 *   session has one user at a time; only pmpd_session_cancel may be called
 *   from another thread.
 * - Option structs begin with their size, set by PMPD_*_OPTIONS_INIT.
 * - Kernels take up to 1 MiB of the calling thread's stack.
 */
#ifndef PMPD_RUNTIME_H
#define PMPD_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "pmpd/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pmpd_model pmpd_model;
typedef struct pmpd_session pmpd_session;

#if defined(__GNUC__)
#pragma GCC visibility push(default) /* what is declared here is exported */
#endif

typedef enum pmpd_status {
  PMPD_OK = 0,
  PMPD_BAD_ARGUMENT = 1,     /* a value outside its documented range */
  PMPD_NOT_FOUND = 2,        /* a file or symbol does not exist */
  PMPD_IO_ERROR = 3,         /* the system refused to read or map */
  PMPD_BAD_MODEL = 4,        /* truncated, corrupt or mismatched files */
  PMPD_UNSUPPORTED_CPU = 5,  /* compiled for features this CPU lacks */
  PMPD_UNSUPPORTED_BITS = 6, /* no region was compiled for these bits */
  PMPD_OUT_OF_CONTEXT = 7,   /* the KV cache cannot hold that many tokens */
  PMPD_OUT_OF_MEMORY = 8,
  PMPD_CANCELLED = 9,
  PMPD_INTERNAL = 10,
  PMPD_NO_DEVICE = 11,   /* no driver or no GPU that the model runs on */
  PMPD_DEVICE_ERROR = 12 /* a call of the GPU's driver failed */
} pmpd_status;

/* Name of a status, e.g. "PMPD_BAD_MODEL"; never NULL. */
const char *pmpd_status_name(pmpd_status status);

/* Text of the last failure on this thread, "" if none. Valid until the next
 * call into the library on this thread. */
const char *pmpd_last_error(void);

/* ---- Models ------------------------------------------------------------ */

typedef enum pmpd_verify {
  PMPD_VERIFY_AUTO = 0, /* contents of weight files up to 256 MiB, else table */
  PMPD_VERIFY_TABLE = 1, /* header, sizes and section table only */
  PMPD_VERIFY_FULL = 2   /* every byte */
} pmpd_verify;

typedef struct pmpd_model_options {
  size_t struct_bytes;
  pmpd_verify verify;
  int32_t gpu; /* of models compiled with --target nvptx: which of the GPUs that
                  CUDA_VISIBLE_DEVICES shows takes the weights */
} pmpd_model_options;
#define PMPD_MODEL_OPTIONS_INIT                                                \
  { sizeof(pmpd_model_options), PMPD_VERIFY_AUTO, 0 }

/* Opens a model that is linked into the program. `weights` is the path of its
 * NAME.pmpdw, which is mapped read-only; for a GPU it is copied there. options
 * may be NULL.
 * Errors: BAD_ARGUMENT, NOT_FOUND, IO_ERROR, BAD_MODEL (truncated, corrupt,
 * wrong digest, other ABI), UNSUPPORTED_CPU; for a GPU also BAD_MODEL (kernels
 * that its driver refuses), NO_DEVICE, OUT_OF_MEMORY, DEVICE_ERROR. */
pmpd_status pmpd_model_open(const pmpd_model_desc *desc, const char *weights,
                            const pmpd_model_options *options,
                            pmpd_model **model);

/* Opens what pmpd-compile wrote to a directory: the NAME.json in it, then
 * NAME.so and NAME.pmpdw as it names them. Exactly one NAME.json must exist.
 * Errors: as pmpd_model_open. */
pmpd_status pmpd_model_open_directory(const char *directory,
                                      const pmpd_model_options *options,
                                      pmpd_model **model);

/* Closes a model; its memory goes once no session uses it. NULL is allowed. */
void pmpd_model_close(pmpd_model *model);

/* The descriptor; valid until the model is closed. */
const pmpd_model_desc *pmpd_model_describe(const pmpd_model *model);

/* Path of the tokenizer beside the model; valid until the model is closed.
 * NULL if it has none or was opened from a descriptor. */
const char *pmpd_model_tokenizer(const pmpd_model *model);

/* ---- Schedules --------------------------------------------------------- */

/* A schedule gives the bits of a step by the index of the token the step
 * chooses. Prefill's logits choose token 0, so the first decode step after it
 * has index 1: 4@0,3@64 decodes tokens 1 .. 63 at 4 bits and the others at 3,
 * and 3@0 never decodes at more than 3. A decode step on an empty session has
 * index 0. */

/* What a scheduler sees when it is asked for the bits of the next step. */
typedef struct pmpd_step {
  int64_t index;       /* of the token the step chooses: tokens generated */
  int32_t bits;        /* of the previous step; prefill's before the first */
  const float *logits; /* [vocab] of the previous step; NULL if it had none */
  int32_t vocab;
  const pmpd_session *session; /* for pmpd_session_kv */
} pmpd_step;

/* Returns the bits for step->index. Must be compiled-in bits. */
typedef int32_t (*pmpd_schedule_fn)(void *user, const pmpd_step *step);

/* bits from token index `start` on. */
typedef struct pmpd_switch_point {
  int32_t bits;
  int64_t start;
} pmpd_switch_point;

/* A schedule as text is [BITS/]POLICY or @FILE. BITS are prefill's. POLICY is
 * switch points, as in 4@0,3@64,2@160, or the name of a policy with its
 * parameters, as in confidence:tokens=10,sigma=1. FILE is what pmpd-tune
 * writes, a JSON object with "format": "pmpd-schedule", "version": 1 and
 * "schedule", a text of the first form. Every policy only lowers the bits
 * within a request; only a callback may raise them. */

/* A policy that is chosen by name; the texts live for ever. */
typedef struct pmpd_scheduler_info {
  const char *name;
  const char *syntax; /* the text form, as confidence[:tokens=10,sigma=1] */
  const char *summary;
} pmpd_scheduler_info;

/* The policies that have a name, in the order of documentation; NULL past the
 * last. */
const pmpd_scheduler_info *pmpd_scheduler_at(size_t index);

/* Checks a schedule's text, and the file it names, but not against a model.
 * Errors: BAD_ARGUMENT (text says what is wrong and where), NOT_FOUND,
 * IO_ERROR. */
pmpd_status pmpd_scheduler_check(const char *text);

/* ---- Sessions ---------------------------------------------------------- */

/* What a session on the simulated NPU computes. */
typedef enum pmpd_npu_mode {
  PMPD_NPU_MODE_BOTH = 0,       /* results and time */
  PMPD_NPU_MODE_FUNCTIONAL = 1, /* results only; nothing is counted */
  PMPD_NPU_MODE_TIMING = 2      /* time only; all logits are 0 */
} pmpd_npu_mode;

typedef struct pmpd_session_options {
  size_t struct_bytes;
  int32_t threads;      /* 0 = all CPUs the process may use */
  int32_t context;      /* 0 = as compiled; else at most that */
  int32_t prefill_bits; /* 0 = the highest compiled for prefill */
  int32_t trace;        /* not 0: record what runs when, at some cost */
  /* Of models compiled with --target npu; others ignore them. */
  pmpd_npu_mode npu_mode;
  const char *npu_config; /* hardware to simulate, by name or path of a JSON
                             file; NULL = what the model was compiled for */
} pmpd_session_options;
#define PMPD_SESSION_OPTIONS_INIT                                              \
  { sizeof(pmpd_session_options), 0, 0, 0, 0, PMPD_NPU_MODE_BOTH, NULL }

/* Creates a session with an empty KV cache. The cache reserves address space
 * for the context; memory is used as tokens are added. options may be NULL.
 * Errors: BAD_ARGUMENT, UNSUPPORTED_BITS, OUT_OF_MEMORY; on a GPU DEVICE_ERROR,
 * as of every call below that runs something there; of npu_config also
 * NOT_FOUND, IO_ERROR, and BAD_MODEL if it lacks what the model needs. */
pmpd_status pmpd_session_create(pmpd_model *model,
                                const pmpd_session_options *options,
                                pmpd_session **session);
void pmpd_session_destroy(pmpd_session *session);

/* Forgets all tokens and totals; keeps the schedule. Releases the cache's
 * memory. */
void pmpd_session_reset(pmpd_session *session);

/* Drops tokens from the end so that `tokens` remain; the step index goes back
 * with them, to 0 at least.
 * Errors: BAD_ARGUMENT if more than are held. */
pmpd_status pmpd_session_truncate(pmpd_session *session, int64_t tokens);

/* Tokens in the KV cache. */
int64_t pmpd_session_tokens(const pmpd_session *session);

/* K and V of one layer: [kv_heads][context][head_dim] elements of
 * desc->kv_element, of which pmpd_session_tokens positions are valid. Either
 * output may be NULL. From a GPU this is a copy as of this call.
 * Errors: BAD_ARGUMENT; from a GPU OUT_OF_MEMORY, DEVICE_ERROR. */
pmpd_status pmpd_session_kv(const pmpd_session *session, int32_t layer,
                            const void **keys, const void **values);

/* Schedule by text. Prefill bits that it names hold from the next prefill on;
 * on failure everything stays as it was.
 * Errors: as pmpd_scheduler_check; UNSUPPORTED_BITS. */
pmpd_status pmpd_session_set_scheduler(pmpd_session *session, const char *text);

/* Bits of the prefills from now on; 0 = the highest compiled for prefill.
 * Errors: UNSUPPORTED_BITS. */
pmpd_status pmpd_session_set_prefill_bits(pmpd_session *session, int32_t bits);

/* Static schedule: points in ascending start, the first at 0, with bits that
 * do not rise. Copied.
 * Default without one: the highest compiled decode bits for every token.
 * Errors: BAD_ARGUMENT, UNSUPPORTED_BITS. */
pmpd_status pmpd_session_set_schedule(pmpd_session *session,
                                      const pmpd_switch_point *points,
                                      size_t count);

/* Schedule by callback; it is asked once before every decode step. */
pmpd_status pmpd_session_set_callback(pmpd_session *session,
                                      pmpd_schedule_fn fn, void *user);

/* Parses "4@0,3@64,2@160" into at most `capacity` points.
 * Errors: BAD_ARGUMENT (text says what is wrong and where). */
pmpd_status pmpd_schedule_parse(const char *text, pmpd_switch_point *points,
                                size_t capacity, size_t *count);

/* Adds `count` tokens, in chunks, at the session's prefill bits; the next
 * decode step has index 1. logits: [logit_rows, vocab] of the trailing tokens,
 * may be NULL if logit_rows is 0. On failure the session is unchanged.
 * Errors: BAD_ARGUMENT (a token outside the vocabulary, count < 1),
 * OUT_OF_CONTEXT, CANCELLED. */
pmpd_status pmpd_prefill(pmpd_session *session, const int32_t *tokens,
                         int64_t count, int64_t logit_rows, float *logits);

/* Tells the schedule how many tokens will be generated after the latest
 * prefill; pmpd_generate does so itself. Without it the room left in the
 * context is assumed. Errors: BAD_ARGUMENT (tokens < 1). */
pmpd_status pmpd_session_set_max_tokens(pmpd_session *session, int64_t tokens);

/* Decodes one token at the bits the schedule picks.
 * token  vocabulary index in [0, vocab).
 * logits out, [vocab], written only on PMPD_OK; caller owns it.
 * bits   out, bits used for this token; may be NULL.
 * Errors: BAD_ARGUMENT, OUT_OF_CONTEXT, UNSUPPORTED_BITS (the callback
 * returned others); the session is unchanged then.
 * Source: arXiv 2410.13461. */
pmpd_status pmpd_decode(pmpd_session *session, int32_t token, float *logits,
                        int32_t *bits);

/* ---- Generation -------------------------------------------------------- */

typedef struct pmpd_sampling {
  float temperature; /* 0 = greedy */
  int32_t top_k;     /* 0 = off */
  float top_p;       /* 1 = off */
  uint64_t seed;
} pmpd_sampling;

/* Called once per generated token, in order; return 0 to go on. bits are
 * those of the region whose logits chose the token: prefill's for index 0. */
typedef int (*pmpd_token_fn)(void *user, int64_t index, int32_t token,
                             int32_t bits);

typedef struct pmpd_generate_options {
  size_t struct_bytes;
  int64_t max_tokens;
  pmpd_sampling sampling;
  const int32_t *stop_tokens; /* [stop_count]; not emitted */
  size_t stop_count;
  pmpd_token_fn on_token; /* may be NULL */
  void *user;
} pmpd_generate_options;
#define PMPD_GENERATE_OPTIONS_INIT                                             \
  {                                                                            \
    sizeof(pmpd_generate_options), 128, {0.0f, 0, 1.0f, 0}, NULL, 0, NULL,     \
        NULL                                                                   \
  }

typedef struct pmpd_stats {
  int64_t prefill_tokens;
  int64_t decode_tokens; /* decode steps run */
  double prefill_seconds;
  double decode_seconds;      /* region time, sampling excluded */
  int32_t prefill_bits;       /* of the latest prefill; 0 if none ran */
  double average_bits;        /* over decode steps; 0 if none ran */
  double decode_bytes;        /* weight and KV bytes read by decode steps */
  double first_token_seconds; /* latest prefill's start to its first token;
                                 to its end if pmpd_generate did not run */
  double scheduler_seconds;   /* decisions at the first steps after prompts;
                                 not part of decode_seconds */
} pmpd_stats;

/* Prefills the prompt and generates up to max_tokens tokens, stopping at a
 * stop token, at on_token's request or when the context is full. tokens: out,
 * [max_tokens], may be NULL; count: out, tokens produced, also when a later
 * step fails, may be NULL. The last token produced was not decoded: it is not
 * in the KV cache. A GPU chooses the tokens itself, as pmpd_sample does but for
 * rounding, unless the schedule is a callback or looks at logits.
 * Errors: as pmpd_prefill, pmpd_decode and pmpd_sample; CANCELLED keeps the
 * tokens before it. */
pmpd_status pmpd_generate(pmpd_session *session, const int32_t *prompt,
                          int64_t prompt_count,
                          const pmpd_generate_options *options, int32_t *tokens,
                          int64_t *count);

/* Picks a token from logits [vocab]; *state is the generator's state, seeded
 * by the caller and advanced. Ties go to the lowest index.
 * Errors: BAD_ARGUMENT (no finite logit, negative temperature, top_p outside
 * (0, 1]). */
pmpd_status pmpd_sample(const float *logits, int32_t vocab,
                        const pmpd_sampling *sampling, uint64_t *state,
                        int32_t *token);

/* Totals since the session was created or pmpd_session_reset. */
void pmpd_session_stats(const pmpd_session *session, pmpd_stats *stats);

/* Writes what a session with `trace` recorded since it was created or
 * pmpd_session_reset in the Chrome trace event format, which Perfetto opens:
 * what each thread or the GPU ran, or each unit of the simulated NPU in its own
 * time.
 * Errors: BAD_ARGUMENT (nothing is recorded), IO_ERROR. */
pmpd_status pmpd_session_write_trace(const pmpd_session *session,
                                     const char *path);

/* ---- The simulated NPU ------------------------------------------------- */

/* What the calls of one phase cost on the simulated machine: its own time and
 * energy, not the host's. Units are those of pmpd_npu_unit in npu.h; bytes are
 * moved from and to DRAM by the DMA queues among them. */
typedef struct pmpd_npu_totals {
  int64_t calls;
  uint64_t instructions;
  double cycles; /* 0 without timing, as all below */
  double seconds;
  double joules;
  double busy_cycles[8];
  double dram_bytes[8];
} pmpd_npu_totals;

typedef struct pmpd_npu_stats {
  const char *config; /* name of the hardware; valid as long as the session */
  pmpd_npu_totals prefill, decode;
} pmpd_npu_stats;

/* Totals since the session was created or pmpd_session_reset.
 * Errors: BAD_ARGUMENT (the model is for another target). */
pmpd_status pmpd_session_npu_stats(const pmpd_session *session,
                                   pmpd_npu_stats *stats);

/* Makes the call in progress, if any, return PMPD_CANCELLED at the next chunk
 * or token; the session keeps the tokens before it. Any thread. */
void pmpd_session_cancel(pmpd_session *session);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif /* PMPD_RUNTIME_H */
