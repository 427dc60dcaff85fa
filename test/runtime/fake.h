/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What pmpd-compile would write beside the fake model. */
#ifndef PMPD_TEST_RUNTIME_FAKE_H
#define PMPD_TEST_RUNTIME_FAKE_H

#include "pmpd/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

const pmpd_model_desc *fake_pmpd_model(void);

#ifdef __cplusplus
}
#endif

#endif /* PMPD_TEST_RUNTIME_FAKE_H */
