// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_TEST_RUNTIME_CUDA_GPUFIXTURE_H
#define PMPD_TEST_RUNTIME_CUDA_GPUFIXTURE_H

#include "test/runtime/Fixture.h"
#include "test/runtime/cuda/GpuModel.h"

#include <fstream>

namespace pmpd::test {

/// Opens the fake model on the fake driver.
class GpuTest : public ::testing::Test {
protected:
  GpuTest() : weights(dir.write("fake.pmpdw", fakeWeights())) {
    setenv("PMPD_SIMT_KERNELS", PMPD_FAKE_GPU_KERNELS, 1);
    setenv("PMPD_FAKE_CUDA_LOG", dir.path("log").c_str(), 1);
    for (const char *name : {"DEVICES", "SM", "MEMORY", "DRIVER", "FAIL"})
      unsetenv((std::string("PMPD_FAKE_CUDA_") + name).c_str());
  }

  static void machine(const char *name, const std::string &value) {
    setenv((std::string("PMPD_FAKE_CUDA_") + name).c_str(), value.c_str(), 1);
  }

  pmpd_status open(const pmpd_model_desc *desc = fakeGpuModel(),
                   int32_t gpu = 0) {
    pmpd_model_options options = PMPD_MODEL_OPTIONS_INIT;
    options.gpu = gpu;
    pmpd_model *opened = nullptr;
    pmpd_status status =
        pmpd_model_open(desc, weights.c_str(), &options, &opened);
    model.reset(opened);
    return status;
  }

  pmpd_status create(SessionPtr &session, int32_t trace = 0) {
    pmpd_session_options options = PMPD_SESSION_OPTIONS_INIT;
    options.trace = trace;
    pmpd_session *created = nullptr;
    pmpd_status status = pmpd_session_create(model.get(), &options, &created);
    session.reset(created);
    return status;
  }

  /// A session of the opened model; expects success.
  SessionPtr newSession(int32_t trace = 0) {
    SessionPtr session;
    EXPECT_PMPD_OK(create(session, trace));
    return session;
  }

  static pmpd_status prefill(const SessionPtr &session,
                             const std::vector<int32_t> &tokens,
                             std::vector<float> *logits = nullptr) {
    return pmpd_prefill(session.get(), tokens.data(), int64_t(tokens.size()),
                        logits ? int64_t(logits->size() / kVocab) : 0,
                        logits ? logits->data() : nullptr);
  }

  /// How often the runtime has called a function of the driver.
  int calls(const std::string &name) const {
    std::ifstream log(dir.path("log"));
    int count = 0;
    for (std::string line; std::getline(log, line);)
      count += line == name;
    return count;
  }

  TempDir dir;
  std::string weights;
  ModelPtr model;
};

} // namespace pmpd::test

#endif // PMPD_TEST_RUNTIME_CUDA_GPUFIXTURE_H
