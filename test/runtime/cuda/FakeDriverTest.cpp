// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The driver of the tests finds wrong uses; without that the others would say
// less.
#include "runtime/targets/cuda/Driver.h"
#include "runtime/targets/cuda/Memory.h"
#include "runtime/targets/cuda/Recording.h"
#include "test/runtime/cuda/GpuFixture.h"

using namespace pmpd;
using namespace pmpd::test;

namespace {

class FakeDriverTest : public GpuTest {
protected:
  FakeDriverTest() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_PMPD_OK(cuda::Device::open(0, device));
    current = std::make_unique<cuda::Current>(*device);
    const cuda::Api &api = device->api();
    EXPECT_PMPD_OK(
        stream.create(*device, api.streamCreate, cuda::kStreamNonBlocking));
    EXPECT_PMPD_OK(cuda::allocate(*device, 1024, "test", memory));
  }

  const cuda::Api &api() const { return device->api(); }

  void launch(const char *name, cuda::Address argument) {
    std::string ptx = ".version 7.8\n.target sm_80\n.visible .entry " +
                      std::string(name) +
                      "(.param .u64 a, .param .u64 b)\n{\n}\n";
    cuda::Module module;
    EXPECT_PMPD_OK(module.create(*device, api().moduleLoad, ptx.c_str(), 0u,
                                 nullptr, nullptr));
    cuda::FunctionHandle function = nullptr;
    EXPECT_PMPD_OK(api().moduleGetFunction(&function, module.get(), name));
    void *arguments[] = {&argument, &argument};
    cuda::LaunchConfig config = {{1, 1, 1},    {32, 1, 1}, 0,
                                 stream.get(), nullptr,    0};
    EXPECT_PMPD_OK(api().launchKernel(&config, function, arguments, nullptr));
    api().streamSynchronize(stream.get());
  }

  std::unique_ptr<cuda::Device> device;
  std::unique_ptr<cuda::Current> current;
  cuda::Stream stream;
  cuda::DeviceMemory memory;
  char host[1024] = {};
};

} // namespace

TEST_F(FakeDriverTest, copies_run_when_something_waits) {
  host[5] = 42;
  cuda::PinnedMemory pinned;
  ASSERT_PMPD_OK(cuda::allocatePinned(*device, 1024, "test", pinned));
  ASSERT_PMPD_OK(api().copyToDevice(memory.get(), host, 1024, stream.get()));
  ASSERT_PMPD_OK(
      api().copyToHost(pinned.get(), memory.get(), 1024, stream.get()));
  EXPECT_NE(static_cast<char *>(pinned.get())[5], 42);
  ASSERT_PMPD_OK(api().streamSynchronize(stream.get()));
  EXPECT_EQ(static_cast<char *>(pinned.get())[5], 42);
}

TEST_F(FakeDriverTest, the_host_cannot_use_device_memory) {
  EXPECT_DEATH(*reinterpret_cast<volatile char *>(memory.get()), "");
}

TEST_F(FakeDriverTest, host_memory_is_not_device_memory) {
  EXPECT_DEATH(api().copyToDevice(cuda::Address(host), host, 8, stream.get()),
               "the target of a copy is not in device memory");
  EXPECT_DEATH(launch("read_past", cuda::Address(host)),
               "read_past is not in device memory");
}

TEST_F(FakeDriverTest, copies_stay_inside_of_memory) {
  EXPECT_DEATH(api().copyToDevice(memory.get() + 1020, host, 8, stream.get()),
               "the target of a copy is not in device memory");
}

TEST_F(FakeDriverTest, kernels_stay_inside_of_memory) {
  EXPECT_DEATH(launch("read_past", memory.get()),
               "outside of device memory: read_past");
}

TEST_F(FakeDriverTest, memory_is_freed_once) {
  EXPECT_DEATH(
      {
        api().memoryFree(memory.get());
        api().memoryFree(memory.get());
      },
      "free of what was not allocated");
}

TEST_F(FakeDriverTest, freed_memory_is_not_used) {
  EXPECT_DEATH(
      {
        api().copyToDevice(memory.get(), host, 8, stream.get());
        api().memoryFree(memory.get());
        api().streamSynchronize(stream.get());
      },
      "the target of a copy is not in device memory");
}

TEST_F(FakeDriverTest, calls_need_a_context) {
  EXPECT_DEATH(
      {
        current.reset();
        api().streamSynchronize(stream.get());
      },
      "cuStreamSynchronize without a current context");
}

TEST_F(FakeDriverTest, a_stream_that_is_recorded_cannot_be_waited_for) {
  auto body = [&] { return api().streamSynchronize(stream.get()); };
  cuda::GraphExec graph;
  EXPECT_DEATH(cuda::record(*device, stream.get(), body, graph),
               "a wait for a stream that is being recorded");
}

TEST_F(FakeDriverTest, recorded_copies_need_pinned_memory) {
  auto body = [&] {
    return api().copyToDevice(memory.get(), host, 8, stream.get());
  };
  cuda::GraphExec graph;
  EXPECT_DEATH(cuda::record(*device, stream.get(), body, graph),
               "a recorded copy from memory that is not pinned");
}

TEST_F(FakeDriverTest, what_is_not_given_back_is_found) {
  EXPECT_DEATH(std::exit(0), "something was not given back at the end");
}
