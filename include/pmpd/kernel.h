/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * What generated code and the runtime agree on: the descriptor that a
 * generated library exports, the entry points of regions and classifiers, and
 * the one signature that every generated kernel has.
 *
 * A library exports one symbol, `const pmpd_model_desc *NAME_pmpd_model(void)`.
 * Generated code allocates nothing, holds no mutable globals and does no I/O;
 * it reaches threads only through pmpd_region_args.parallel_for, and a GPU only
 * through pmpd_region_args.launch.
 */
#ifndef PMPD_KERNEL_H
#define PMPD_KERNEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PMPD_ABI_VERSION = 5, PMPD_KERNEL_POINTERS = 16 };

/* Arguments of a kernel. Which pointer is what is said where the kernel is
 * generated (lib/Codegen); shapes are compile-time constants of the kernel. */
typedef struct pmpd_kernel_args {
  void *ptr[PMPD_KERNEL_POINTERS];
  int64_t rows;     /* activation rows (tokens) to process */
  int64_t position; /* tokens that were in the KV cache before this call */
} pmpd_kernel_args;

/* Computes tasks begin .. end-1. Tasks of one call are independent, so the
 * result does not depend on how they are split. */
typedef void (*pmpd_kernel)(const pmpd_kernel_args *args, int64_t begin,
                            int64_t end);

/* Runs tasks 0 .. tasks-1 of `kernel` and returns when all are done. */
typedef void (*pmpd_parallel_for)(void *pool, pmpd_kernel kernel,
                                  const pmpd_kernel_args *args, int64_t tasks);

/* A kernel of a GPU, one-dimensional in grid and block, with static shared
 * memory. Its parameters are the pointers of pmpd_kernel_args in their order,
 * then one to a pmpd_gpu_call. */
typedef struct pmpd_gpu_kernel {
  const char *name; /* of the entry in the images */
  int32_t threads;  /* of a block */
  int32_t pointers; /* used elements of pmpd_kernel_args.ptr */
} pmpd_gpu_kernel;

/* What differs from call to call, in the memory of the device, so that
 * launches recorded once serve every token. */
typedef struct pmpd_gpu_call {
  int32_t rows;     /* as pmpd_kernel_args.rows */
  int32_t position; /* as pmpd_kernel_args.position */
} pmpd_gpu_call;

/* How a token is chosen from logits, in the memory of the device as well. */
typedef struct pmpd_gpu_sampling {
  float inverse_temperature; /* 0 = the highest finite logit, as by top_k 1 */
  int32_t top_k;    /* most candidates, at least 1; vocab or more = all */
  uint64_t top_p;   /* the fewest best candidates are kept whose share of the
                       weight is above top_p / 2^64; 2^64 - 1 = all */
  uint64_t uniform; /* the draw, in 2^-64 */
} pmpd_gpu_sampling;

/* The kernel pmpd_model_desc.gpu_sample has four pointers: float logits
 * [vocab], a pmpd_gpu_sampling, scratch memory [gpu_sample_scratch] and an
 * int32_t. One block writes the token there, or -1 if no logit is finite.
 * Candidates are the finite logits, the lower index first of equal ones; their
 * weight is exp((logit - highest) * inverse_temperature). The draw takes the
 * first token, in order of index, up to which the kept candidates hold more
 * than `uniform` of their weight. */

/* Launches blocks 0 .. blocks-1 of `kernel`, to run after all that was launched
 * before. A count of 0 launches nothing. args->rows is the rows of the call or
 * its logit_rows. */
typedef void (*pmpd_gpu_launch)(void *device, const pmpd_gpu_kernel *kernel,
                                const pmpd_kernel_args *args, int64_t blocks);

/* Everything a region touches. For a GPU, all of it but this struct is in the
 * memory of the device. */
typedef struct pmpd_region_args {
  const uint8_t *weights; /* the mapped NAME.pmpdw, 4096-byte aligned */
  uint8_t *scratch;       /* [region.scratch_bytes], 64-byte aligned */
  uint8_t *kv;            /* [model.kv_bytes], 64-byte aligned */
  const int32_t *tokens;  /* [rows], each in [0, vocab) */
  float *logits;          /* [logit_rows, vocab] */
  int64_t rows;           /* tokens in this call, 1 .. region.max_rows */
  int64_t position;   /* tokens in the KV cache; position + rows <= context */
  int64_t logit_rows; /* trailing rows to compute logits for, 0 .. rows */
  pmpd_parallel_for parallel_for; /* of CPUs */
  void *pool;
  pmpd_gpu_launch launch; /* of GPUs */
  void *device;
} pmpd_region_args;

typedef enum pmpd_phase { PMPD_PREFILL = 0, PMPD_DECODE = 1 } pmpd_phase;

typedef struct pmpd_region_desc {
  int32_t phase;    /* pmpd_phase */
  int32_t bits;     /* of the weights; 16 or 32 = unquantized */
  int32_t max_rows; /* most tokens per call; 1 for decode */
  int32_t reserved;
  uint64_t scratch_bytes;
  uint64_t weight_bytes; /* of the weight file read by one call */
  /* NULL for a program of the NPU */
  void (*entry)(const pmpd_region_args *args);
} pmpd_region_desc;

/* Everything a classifier touches. */
typedef struct pmpd_classifier_args {
  const uint8_t *weights; /* the mapped NAME.pmpdw */
  uint8_t *scratch;       /* [classifier.scratch_bytes], 64-byte aligned */
  const uint8_t *keys;    /* of one layer, [kv_heads][context][head_dim] */
  const uint8_t *values;  /* the same; elements of model.kv_element */
  int64_t tokens;         /* positions that are valid, 1 .. context */
  float *logits;          /* out, [classes] */
} pmpd_classifier_args;

/* A network that reads a layer's K and V after prefill and says how long to
 * decode at `from_bits` before `to_bits`: class c of C stands for
 * c / (C - 1) of the tokens to come. */
typedef struct pmpd_classifier_desc {
  int32_t from_bits;
  int32_t to_bits; /* the next lower bits of decode */
  int32_t classes; /* at least 2 */
  int32_t reserved;
  uint64_t scratch_bytes;
  void (*entry)(const pmpd_classifier_args *args);
} pmpd_classifier_desc;

/* What a kernel is called, for people. */
typedef struct pmpd_kernel_name {
  pmpd_kernel kernel;
  const char *name;
} pmpd_kernel_name;

typedef enum pmpd_gpu_image_kind {
  PMPD_GPU_PTX = 0,  /* text that ends with a NUL, for `sm` and all newer */
  PMPD_GPU_CUBIN = 1 /* for `sm` and newer ones of the same major number */
} pmpd_gpu_image_kind;

enum {
  PMPD_GPU_OLDEST_SM = 80, /* of the GPUs that models can be compiled for */
  /* Kernels in images for this sm and newer may be launched before those
   * launched ahead of them end: they wait for them themselves. */
  PMPD_GPU_OVERLAP_SM = 90
};

/* The kernels of a GPU in one of the forms that drivers load. */
typedef struct pmpd_gpu_image {
  int32_t kind; /* pmpd_gpu_image_kind */
  int32_t sm;   /* 90 for sm_90 */
  const void *data;
  uint64_t bytes;
} pmpd_gpu_image;

/* The KV cache is [layers][2: K, V][kv_heads][context][head_dim], elements of
 * kv_element. The whole extent is addressed, only what is used is touched. */
typedef struct pmpd_model_desc {
  uint32_t struct_bytes; /* sizeof(pmpd_model_desc) of the compiler */
  uint32_t abi_version;  /* PMPD_ABI_VERSION */
  const char *name;
  const char *triple;
  const char *cpu_features; /* comma-separated LLVM names it must have */
  int32_t vocab;
  int32_t hidden;
  int32_t layers;
  int32_t heads;
  int32_t kv_heads;
  int32_t head_dim;
  int32_t context;    /* most tokens in the KV cache */
  int32_t kv_element; /* pmpd_element: PMPD_F32 or PMPD_F16 */
  uint64_t kv_bytes;
  uint8_t weights_digest[16];
  int32_t region_count;
  int32_t classifier_count;        /* 0, or one per adjacent pair of bits */
  const pmpd_region_desc *regions; /* [region_count] */
  const pmpd_classifier_desc *classifiers; /* [classifier_count] */
  const pmpd_kernel_name *kernels; /* [kernel_count], all that CPUs run */
  const pmpd_gpu_kernel *const *gpu_kernels; /* [gpu_kernel_count] */
  const pmpd_gpu_image *gpu_images;          /* [gpu_image_count] */
  const pmpd_gpu_kernel *gpu_sample;         /* one of gpu_kernels, or NULL */
  uint64_t gpu_sample_scratch;               /* bytes, 64-byte aligned */
  int32_t kernel_count;
  int32_t gpu_kernel_count;
  int32_t gpu_image_count; /* 0 for a model that runs on the CPU */
  int32_t reserved;
} pmpd_model_desc;

#ifdef __cplusplus
}
#endif

#endif /* PMPD_KERNEL_H */
