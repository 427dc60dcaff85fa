// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What goes wrong on a machine with a GPU: a text each, and the process goes
// on.
#include "test/runtime/cuda/GpuFixture.h"

#include <unistd.h>

using namespace pmpd::test;

namespace {

class CudaErrorTest : public GpuTest {
protected:
  /// The model with other images.
  pmpd_status openWith(const std::vector<pmpd_gpu_image> &images) {
    desc = *fakeGpuModel();
    desc.gpu_images = images.data();
    desc.gpu_image_count = int32_t(images.size());
    return open(&desc);
  }

  static pmpd_gpu_image imageOf(const std::string &ptx, int32_t sm) {
    return {PMPD_GPU_PTX, sm, ptx.c_str(), ptx.size() + 1};
  }

  /// Whatever went wrong before, a fresh model computes.
  void expectWorking() {
    unsetenv("PMPD_FAKE_CUDA_FAIL");
    ASSERT_PMPD_OK(open());
    SessionPtr session = newSession();
    ASSERT_PMPD_OK(prefill(session, {1, 2}));
    std::vector<float> logits(kVocab);
    ASSERT_PMPD_OK(pmpd_decode(session.get(), 3, logits.data(), nullptr));
    Reference reference;
    reference.run(PMPD_PREFILL, 4, {1, 2});
    EXPECT_EQ(logits, reference.run(PMPD_DECODE, 4, {3}));
  }

  pmpd_model_desc desc;
};

/// The driver is loaded once per process, so that what keeps it from loading
/// is looked at in a process of its own, which prints the error.
class CudaStartTest : public CudaErrorTest {
protected:
  CudaStartTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  [[noreturn]] void printStart() {
    pmpd_status status = open();
    std::fprintf(stderr, "%s: %s", pmpd_status_name(status), pmpd_last_error());
    _exit(0);
  }
};

} // namespace

TEST_F(CudaStartTest, a_driver_without_a_GPU) {
  EXPECT_EXIT(
      {
        machine("FAIL", "cuInit=100");
        printStart();
      },
      testing::ExitedWithCode(0),
      "PMPD_NO_DEVICE: cuInit failed: CUDA_ERROR_NO_DEVICE, ");
  EXPECT_EXIT(
      {
        machine("FAIL", "cuInit=34");
        printStart();
      },
      testing::ExitedWithCode(0), "NO_DEVICE: .*stub of the CUDA toolkit");
  EXPECT_EXIT(
      {
        machine("DEVICES", "0");
        printStart();
      },
      testing::ExitedWithCode(0), "NO_DEVICE: .*CUDA_VISIBLE_DEVICES");
}

TEST_F(CudaStartTest, a_driver_that_is_too_old) {
  EXPECT_EXIT(
      {
        machine("DRIVER", "11040");
        printStart();
      },
      testing::ExitedWithCode(0),
      "NO_DEVICE: expected a driver for CUDA 11.8 or newer, but this one is "
      "for 11.4; update the NVIDIA driver");
}

TEST_F(CudaStartTest, a_start_that_failed_can_be_tried_again) {
  EXPECT_EXIT(
      {
        machine("FAIL", "cuInit=999@1");
        open();
        printStart();
      },
      testing::ExitedWithCode(0), "PMPD_OK");
}

TEST_F(CudaErrorTest, a_GPU_that_is_not_there) {
  machine("DEVICES", "2");
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "a GPU of 0 .. 1, but got 2",
               open(fakeGpuModel(), 2));
  EXPECT_FAILS(PMPD_BAD_ARGUMENT, "but got -1", open(fakeGpuModel(), -1));
  EXPECT_PMPD_OK(open(fakeGpuModel(), 1));
}

TEST_F(CudaErrorTest, a_GPU_older_than_the_images) {
  machine("SM", "75");
  EXPECT_FAILS(PMPD_NO_DEVICE,
               "fake: has PTX for sm_80, which do not run on Fake GPU 0 "
               "(sm_75); GPUs older than sm_80 are not supported, take another "
               "or recompile with --target x86-64",
               open());
  const std::string ptx = fakePtx(90);
  machine("SM", "86");
  EXPECT_FAILS(PMPD_NO_DEVICE, "(sm_86); recompile with --gpu sm_86",
               openWith({imageOf(ptx, 90)}));
}

TEST_F(CudaErrorTest, a_PTX_that_the_driver_refuses) {
  const std::string broken = ".version 7.8\nnonsense\n";
  EXPECT_FAILS(PMPD_BAD_MODEL,
               "the PTX for sm_80 was refused on Fake GPU 0: "
               "cuModuleLoadDataEx failed: CUDA_ERROR_INVALID_PTX",
               openWith({imageOf(broken, 80)}));
  EXPECT_FAILS(PMPD_BAD_MODEL, "its log: ptxas application ptx input, line 1",
               openWith({imageOf(broken, 80)}));
  expectWorking();
}

TEST_F(CudaErrorTest, a_PTX_without_a_kernel) {
  const std::string ptx = fakePtx(80, "project_3");
  EXPECT_FAILS(PMPD_BAD_MODEL, "the PTX for sm_80 lacks the kernel project_3",
               openWith({imageOf(ptx, 80)}));
  expectWorking();
}

// A cubin before any PTX, and of both the newest that the GPU runs.
TEST_F(CudaErrorTest, takes_the_image_that_fits) {
  const std::string broken = "no PTX", sound = fakePtx(80);
  const std::string cubin = "\177ELF";
  auto cubinFor = [&](int32_t sm) {
    return pmpd_gpu_image{PMPD_GPU_CUBIN, sm, cubin.c_str(), cubin.size()};
  };
  machine("SM", "86");
  EXPECT_PMPD_OK(openWith({imageOf(broken, 80), cubinFor(80), cubinFor(90)}));
  EXPECT_PMPD_OK(
      openWith({imageOf(broken, 70), imageOf(sound, 80), imageOf(broken, 90),
                cubinFor(90), cubinFor(70), cubinFor(89)}));
  EXPECT_FAILS(PMPD_NO_DEVICE, "has cubin for sm_90, cubin for sm_70",
               openWith({cubinFor(90), cubinFor(70)}));
}

TEST_F(CudaErrorTest, weights_that_do_not_fit) {
  machine("MEMORY", "0");
  EXPECT_FAILS(PMPD_OUT_OF_MEMORY,
               "expected 1 MiB for the weights on Fake GPU 0, but only 0 MiB "
               "of 0 MiB are free (cuMemAlloc failed: "
               "CUDA_ERROR_OUT_OF_MEMORY",
               open());
}

TEST_F(CudaErrorTest, any_call_that_fails_while_opening) {
  ASSERT_PMPD_OK(open());
  model.reset();
  for (const char *call :
       {"cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetName",
        "cuDeviceGetAttribute", "cuDevicePrimaryCtxRetain", "cuCtxPushCurrent",
        "cuModuleLoadDataEx", "cuModuleGetFunction", "cuMemAlloc",
        "cuMemHostAlloc", "cuEventCreate", "cuStreamCreate",
        "cuMemcpyHtoDAsync", "cuEventRecord", "cuStreamSynchronize"}) {
    machine("FAIL", std::string(call) + "=700@1");
    EXPECT_FAILS(PMPD_DEVICE_ERROR,
                 std::string(call) + " failed: CUDA_ERROR_ILLEGAL_ADDRESS, "
                                     "text of the fake driver",
                 open());
  }
  expectWorking();
}

TEST_F(CudaErrorTest, any_call_that_fails_while_a_session_is_made) {
  ASSERT_PMPD_OK(open());
  for (const char *call :
       {"cuStreamCreate", "cuMemGetAllocationGranularity",
        "cuMemAddressReserve", "cuMemAlloc", "cuMemHostAlloc"}) {
    machine("FAIL", std::string(call) + "=700@1");
    SessionPtr session;
    EXPECT_FAILS(PMPD_DEVICE_ERROR, std::string(call) + " failed",
                 create(session));
  }
  expectWorking();
}

// The session has the tokens it had, and goes on.
TEST_F(CudaErrorTest, any_call_that_fails_in_a_step) {
  ASSERT_PMPD_OK(open());
  std::vector<float> logits(kVocab);
  for (const char *call :
       {"cuCtxPushCurrent", "cuMemCreate", "cuMemMap", "cuMemSetAccess",
        "cuMemcpyHtoDAsync", "cuLaunchKernelEx of append_4",
        "cuStreamSynchronize"}) {
    SessionPtr session = newSession();
    std::string name = call;
    machine("FAIL", name.substr(0, name.find(' ')) + "=700@1");
    EXPECT_FAILS(PMPD_DEVICE_ERROR, name + " failed", prefill(session, {1, 2}));
    EXPECT_EQ(pmpd_session_tokens(session.get()), 0);
    machine("FAIL", "");
    EXPECT_PMPD_OK(prefill(session, {1, 2}));
  }
  for (const char *call : {"cuStreamBeginCapture", "cuMemcpyHtoDAsync",
                           "cuLaunchKernelEx of append_4", "cuMemcpyDtoHAsync",
                           "cuStreamEndCapture", "cuGraphInstantiateWithFlags",
                           "cuGraphLaunch", "cuStreamSynchronize"}) {
    SessionPtr session = newSession();
    std::string name = call;
    ASSERT_PMPD_OK(prefill(session, {1}));
    ASSERT_PMPD_OK(pmpd_decode(session.get(), 2, logits.data(), nullptr));
    machine("FAIL", name.substr(0, name.find(' ')) + "=700@1");
    EXPECT_FAILS(PMPD_DEVICE_ERROR, name + " failed",
                 pmpd_decode(session.get(), 3, logits.data(), nullptr));
    EXPECT_EQ(pmpd_session_tokens(session.get()), 2);
    machine("FAIL", "");
    EXPECT_PMPD_OK(pmpd_decode(session.get(), 3, logits.data(), nullptr));
    Reference reference;
    reference.run(PMPD_PREFILL, 4, {1});
    reference.run(PMPD_DECODE, 4, {2});
    EXPECT_EQ(logits, reference.run(PMPD_DECODE, 4, {3}));
  }
  expectWorking();
}

TEST_F(CudaErrorTest, a_kernel_that_is_not_listed) {
  desc = *fakeGpuModel();
  desc.gpu_kernel_count = 1; // of those that append
  desc.gpu_sample = nullptr;
  ASSERT_PMPD_OK(open(&desc));
  SessionPtr session = newSession();
  EXPECT_FAILS(PMPD_BAD_MODEL, "kernel that the descriptor does not list",
               prefill(session, {1, 2}));
}

TEST_F(CudaErrorTest, a_copy_of_the_cache_that_fails) {
  ASSERT_PMPD_OK(open());
  SessionPtr session = newSession();
  ASSERT_PMPD_OK(prefill(session, {1, 2}));
  const void *keys = nullptr;
  machine("FAIL", "cuMemcpyDtoHAsync=700@1");
  EXPECT_FAILS(PMPD_DEVICE_ERROR, "cuMemcpyDtoHAsync failed",
               pmpd_session_kv(session.get(), 1, &keys, nullptr));
}
