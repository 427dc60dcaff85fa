// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fake model as a library, as pmpd-compile would write it.
#include "test/runtime/FakeModel.h"
#include "test/runtime/fake.h"

const pmpd_model_desc *fake_pmpd_model(void) { return pmpd::test::fakeModel(); }
