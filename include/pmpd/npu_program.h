/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * The program file NAME.pnpu. Little endian.
 *
 *     pmpd_npu_file_header                     64 bytes
 *     pmpd_npu_section_header[sections]        32 bytes each
 *     payload of every section in this order, each at the next multiple of
 *     its alignment; gaps are zero, nothing follows the last one
 *
 * Sections, each exactly once but CNST, TMAP and DBUG, which may be missing:
 *     "STRS"  NUL-terminated strings; offset 0 is ""
 *     "HWRQ"  pmpd_npu_requirements
 *     "HWCF"  text of the hardware configuration compiled for (JSON)
 *     "ABI "  pmpd_npu_abi
 *     "RGNS"  pmpd_npu_region[]
 *     "CODE"  instructions
 *     "CNST"  bytes at the base register PMPD_NPU_R_CONSTANTS
 *     "TMAP"  pmpd_npu_tensor[]: the weight file as the program reads it
 *     "DBUG"  pmpd_npu_line[], ascending: names for instructions
 *
 * Weights are the separate file artifact.h describes; weights_digest is its
 * digest. A loader checks in this order: magic, version, sizes, checksums,
 * requirements, ABI, weights, then the instructions.
 */
#ifndef PMPD_NPU_PROGRAM_H
#define PMPD_NPU_PROGRAM_H

#include "pmpd/artifact.h"
#include "pmpd/layout.h"
#include "pmpd/npu.h"

#include <stddef.h>
#include <string.h>

#define PMPD_NPU_MAGIC "PNPU"

enum {
  PMPD_NPU_MAJOR = 1, /* other versions are refused */
  PMPD_NPU_MINOR = 0,
  PMPD_NPU_ABI_VERSION = 1,
  PMPD_NPU_MAX_SECTIONS = 16
};

typedef struct pmpd_npu_file_header {
  char magic[4];
  uint16_t major, minor;
  uint32_t header_bytes; /* 64 */
  uint32_t flags;        /* 0 */
  uint64_t file_bytes;
  uint32_t sections;
  uint32_t header_crc;    /* CRC32C of header and section table, this field 0 */
  uint64_t hardware_hash; /* pmpd_npu_hash of section HWRQ */
  uint64_t abi_hash;      /* pmpd_npu_hash of section ABI */
  uint8_t weights_digest[PMPD_DIGEST_BYTES];
} pmpd_npu_file_header;

typedef struct pmpd_npu_section_header {
  char tag[4];
  uint32_t flags; /* 0 */
  uint64_t offset;
  uint64_t bytes;
  uint32_t align; /* power of two */
  uint32_t crc;   /* CRC32C of the payload */
} pmpd_npu_section_header;

/* What the machine must have at least. Structural only: bandwidth and clock
 * change how long a program takes, never what it computes. */
typedef struct pmpd_npu_requirements {
  uint32_t isa_version;      /* exactly PMPD_NPU_ISA_VERSION */
  uint32_t row_block;        /* exactly PMPD_NPU_ROW_BLOCK */
  uint64_t scratchpad_bytes; /* banks and accumulators */
  uint32_t registers;
  uint32_t semaphores;
  uint32_t loop_levels;
  uint32_t config_name; /* string */
} pmpd_npu_requirements;

/* What host and program agree on. */
typedef struct pmpd_npu_abi {
  uint32_t version; /* PMPD_NPU_ABI_VERSION: pmpd_npu_register, npu_layout.h */
  uint32_t kv_format; /* pmpd_npu_kv_format */
  uint32_t vocab;
  uint32_t hidden;
  uint32_t layers;
  uint32_t heads;
  uint32_t kv_heads;
  uint32_t head_dim;
  uint32_t context; /* most tokens in the KV cache */
  uint32_t reserved;
  uint64_t kv_bytes; /* layers * kv_heads * tiles of the context */
} pmpd_npu_abi;

typedef struct pmpd_npu_region {
  uint32_t name;           /* string, e.g. "decode_b2" */
  uint8_t phase;           /* pmpd_phase */
  uint8_t bits;            /* of the weights; 16 = unquantized */
  uint8_t activation_bits; /* 8, 16, or 32 where nothing is quantized */
  uint8_t zero;
  uint32_t max_rows; /* most tokens per call; 1 for decode */
  uint32_t first;    /* instruction in CODE */
  uint32_t count;    /* instructions, the last one HALT */
  uint32_t zero1;
  uint64_t scratchpad_peak; /* bytes used, at most the requirement */
  uint64_t dram_scratch;    /* bytes at PMPD_NPU_R_SCRATCH */
  uint64_t budget;          /* most instructions one call executes; more trap */
  uint64_t weight_bytes;    /* of the weight file read by one call */
} pmpd_npu_region;

typedef struct pmpd_npu_tensor {
  uint32_t name;              /* string */
  uint32_t rows, cols, group; /* group 0 = fp16 or f32 */
  uint64_t offset, bytes;     /* in the weight file */
  uint8_t bits;               /* planes; 16 or 32 = dense */
  uint8_t flags; /* PMPD_NPU_F_AFFINE or PMPD_NPU_F_LUT of its metadata */
  uint8_t zero[6];
} pmpd_npu_tensor;

/* Instructions from `first` on belong to `name`, up to the next line. */
typedef struct pmpd_npu_line {
  uint32_t first;
  uint32_t name; /* string */
} pmpd_npu_line;

PMPD_NPU_CHECK(sizeof(pmpd_npu_file_header) == 64, "header is 64 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_section_header) == 32, "section is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_requirements) == 32, "HWRQ is 32 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_abi) == 48, "ABI is 48 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_region) == 56, "region is 56 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_tensor) == 40, "tensor is 40 bytes");
PMPD_NPU_CHECK(sizeof(pmpd_npu_line) == 8, "line is 8 bytes");

/* CRC32C (Castagnoli, reflected) of `bytes` bytes; `crc` = 0 or that of what
 * comes before them. */
static inline uint32_t pmpd_npu_crc32c(uint32_t crc, const void *data,
                                       size_t bytes) {
  const uint8_t *byte = (const uint8_t *)data;
  crc = ~crc;
  for (size_t i = 0; i < bytes; ++i) {
    crc ^= byte[i];
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1u)));
  }
  return ~crc;
}

/* FNV-1a, 64 bits. */
static inline uint64_t pmpd_npu_hash(const void *data, size_t bytes) {
  const uint8_t *byte = (const uint8_t *)data;
  uint64_t hash = 0xCBF29CE484222325u;
  for (size_t i = 0; i < bytes; ++i)
    hash = (hash ^ byte[i]) * 0x100000001B3u;
  return hash;
}

/* Places payloads one after the other: sets the offset of each section, whose
 * tag, bytes and align are given. Returns the bytes of the file. */
static inline uint64_t pmpd_npu_place(pmpd_npu_section_header *sections,
                                      uint32_t count) {
  uint64_t end = sizeof(pmpd_npu_file_header) + count * sizeof(*sections);
  for (uint32_t i = 0; i < count; ++i) {
    sections[i].offset = pmpd_round_up(end, sections[i].align);
    end = sections[i].offset + sections[i].bytes;
  }
  return end;
}

/* Completes a file of `bytes` bytes, zero but for the payloads of `count`
 * sections that pmpd_npu_place placed: writes the section table and the
 * header, with all hashes and checksums. */
static inline void
pmpd_npu_seal(uint8_t *file, uint64_t bytes, pmpd_npu_section_header *sections,
              uint32_t count, const uint8_t weights_digest[PMPD_DIGEST_BYTES]) {
  pmpd_npu_file_header header;
  memset(&header, 0, sizeof(header));
  memcpy(header.magic, PMPD_NPU_MAGIC, sizeof(header.magic));
  header.major = PMPD_NPU_MAJOR;
  header.minor = PMPD_NPU_MINOR;
  header.header_bytes = sizeof(header);
  header.file_bytes = bytes;
  header.sections = count;
  memcpy(header.weights_digest, weights_digest, PMPD_DIGEST_BYTES);
  for (uint32_t i = 0; i < count; ++i) {
    const uint8_t *payload = file + sections[i].offset;
    uint64_t size = sections[i].bytes;
    sections[i].crc = pmpd_npu_crc32c(0, payload, size);
    if (memcmp(sections[i].tag, "HWRQ", 4) == 0)
      header.hardware_hash = pmpd_npu_hash(payload, size);
    if (memcmp(sections[i].tag, "ABI ", 4) == 0)
      header.abi_hash = pmpd_npu_hash(payload, size);
  }
  memcpy(file + sizeof(header), sections, count * sizeof(*sections));
  memcpy(file, &header, sizeof(header));
  header.header_crc =
      pmpd_npu_crc32c(0, file, sizeof(header) + count * sizeof(*sections));
  memcpy(file, &header, sizeof(header));
}

#endif /* PMPD_NPU_PROGRAM_H */
