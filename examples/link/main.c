/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * Generates token ids with a model that is linked into the program.
 *
 *     link WEIGHTS.pmpdw TOKENS SCHEDULE ID [ID ...]
 *
 * MODEL_HEADER and MODEL are set where this is compiled, so that the example
 * fits every model; a program of its own would write
 *     #include "storybook.h"    and    storybook_pmpd_model()
 */
#include "pmpd/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include MODEL_HEADER

enum { MAX_PROMPT = 4096, MAX_POINTS = 16 };

static int fail(const char *what, pmpd_status status) {
  fprintf(stderr, "link: %s: %s: %s\n", what, pmpd_status_name(status),
          pmpd_last_error());
  return 1;
}

/* Parses a whole decimal number of 0 .. INT32_MAX; -1 if text is none. */
static int32_t parse_number(const char *text) {
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (errno || end == text || *end || value < 0 || value > INT32_MAX)
    return -1;
  return (int32_t)value;
}

/* Prints a token as it is generated, and the bits where they change. */
static int print_token(void *user, int64_t index, int32_t token, int32_t bits) {
  int32_t *shown = user;
  if (*shown != bits)
    printf("%s[%d]", index ? " " : "", (int)bits);
  *shown = bits;
  printf(" %d", (int)token);
  fflush(stdout);
  return 0;
}

static int generate(pmpd_session *session, int32_t tokens, const char *schedule,
                    const int32_t *prompt, int64_t prompt_count) {
  pmpd_switch_point points[MAX_POINTS];
  size_t count;
  pmpd_status status =
      pmpd_schedule_parse(schedule, points, MAX_POINTS, &count);
  if (status == PMPD_OK)
    status = pmpd_session_set_schedule(session, points, count);
  if (status != PMPD_OK)
    return fail("cannot set the schedule", status);

  int32_t shown_bits = 0;
  pmpd_generate_options options = PMPD_GENERATE_OPTIONS_INIT;
  options.max_tokens = tokens;
  options.on_token = print_token;
  options.user = &shown_bits;
  status = pmpd_generate(session, prompt, prompt_count, &options, NULL, NULL);
  printf("\n");
  if (status != PMPD_OK)
    return fail("cannot generate", status);

  pmpd_stats stats;
  pmpd_session_stats(session, &stats);
  fprintf(stderr, "%lld decode steps, %.2f bits on average\n",
          (long long)stats.decode_tokens, stats.average_bits);
  return 0;
}

int main(int argc, char **argv) {
  static int32_t prompt[MAX_PROMPT];
  if (argc < 5 || argc - 4 > MAX_PROMPT || parse_number(argv[2]) < 0) {
    fprintf(stderr, "usage: %s WEIGHTS.pmpdw TOKENS SCHEDULE ID [ID ...]\n",
            argv[0]);
    return 2;
  }
  for (int i = 4; i < argc; ++i) {
    prompt[i - 4] = parse_number(argv[i]);
    if (prompt[i - 4] < 0) {
      fprintf(stderr, "link: expected a token id, but got %s\n", argv[i]);
      return 2;
    }
  }

  pmpd_model *model = NULL;
  pmpd_status status = pmpd_model_open(MODEL(), argv[1], NULL, &model);
  if (status != PMPD_OK)
    return fail("cannot open the model", status);
  pmpd_session *session = NULL;
  status = pmpd_session_create(model, NULL, &session);
  int code = status == PMPD_OK ? generate(session, parse_number(argv[2]),
                                          argv[3], prompt, argc - 4)
                               : fail("cannot create a session", status);
  pmpd_session_destroy(session);
  pmpd_model_close(model);
  return code;
}
