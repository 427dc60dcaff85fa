/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * The weight file NAME.pmpdw. Little endian.
 *
 *     pmpd_weights_header                       64 bytes
 *     payload of every section, each at a multiple of PMPD_SECTION_ALIGN
 *     pmpd_section[sections]                    at table_offset
 *     names, NUL-terminated                     directly after the table
 *
 * The digest is XXH3-128 (canonical, big-endian form) of the section table and
 * the names; each section carries the XXH3-128 of its payload, so the digest
 * names the whole content while a loader may check the table alone. The
 * generated library holds the digest of the file it was compiled with.
 */
#ifndef PMPD_ARTIFACT_H
#define PMPD_ARTIFACT_H

#include <stdint.h>

#define PMPD_WEIGHTS_MAGIC "PMPDWGT" /* 8 bytes with its NUL */

enum {
  PMPD_WEIGHTS_VERSION = 1,
  PMPD_SECTION_ALIGN = 4096,
  PMPD_DIGEST_BYTES = 16,
  PMPD_MAX_PREFIXES = 4
};

typedef struct pmpd_weights_header {
  char magic[8];
  uint32_t version;
  uint32_t header_bytes;
  uint64_t file_bytes;   /* of the whole file, to find a truncated one */
  uint64_t table_offset; /* of pmpd_section[sections] */
  uint32_t sections;
  uint32_t names_bytes;
  uint8_t digest[PMPD_DIGEST_BYTES];
  uint8_t reserved[8];
} pmpd_weights_header;

/* One tensor of shape [rows, cols]; a vector has rows == 1. */
typedef struct pmpd_section {
  uint64_t offset; /* from the start of the file */
  uint64_t bytes;
  uint8_t digest[PMPD_DIGEST_BYTES];
  uint32_t name; /* offset into the names */
  uint32_t rows;
  uint32_t cols;
  uint32_t group;                    /* columns per (scale, min); 0 = dense */
  uint8_t element;                   /* pmpd_element */
  uint8_t layout;                    /* pmpd_layout */
  uint8_t bits;                      /* parent bits; 0 = dense */
  uint8_t prefixes;                  /* entries used below */
  uint8_t prefix[PMPD_MAX_PREFIXES]; /* readable bits, ascending */
} pmpd_section;

#ifdef __cplusplus
static_assert(sizeof(pmpd_weights_header) == 64, "header is 64 bytes");
static_assert(sizeof(pmpd_section) == 56, "section is 56 bytes");
#else
_Static_assert(sizeof(pmpd_weights_header) == 64, "header is 64 bytes");
_Static_assert(sizeof(pmpd_section) == 56, "section is 56 bytes");
#endif

#endif /* PMPD_ARTIFACT_H */
