// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The runtime's declarations of the driver against those of CUDA, where they
// are installed.
#include "runtime/targets/cuda/Api.h"

#include <gtest/gtest.h>

#include <cuda.h>

namespace own = pmpd::cuda;

namespace {

/// Same results and parameters, where handles are pointers of either side and
/// enumerations are integers.
template <typename A, typename B> constexpr bool sameKind() {
  return sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>;
}

template <typename... A, typename... B>
constexpr bool sameParameters(own::Result (*)(A...), CUresult (*)(B...)) {
  if constexpr (sizeof...(A) == sizeof...(B))
    return (sameKind<A, B>() && ...);
  return false;
}

#define PMPD_CHECK(member, name, symbol, ...)                                  \
  static_assert(sameParameters(decltype(own::Api::member.function)(nullptr),   \
                               static_cast<decltype(::symbol) *>(nullptr)),    \
                #symbol);
PMPD_CUDA_CALLS(PMPD_CHECK)

static_assert(sizeof(own::Result) == sizeof(CUresult));
static_assert(int(own::kOutOfMemory) == CUDA_ERROR_OUT_OF_MEMORY);
static_assert(int(own::kComputeCapabilityMajor) ==
              CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
static_assert(int(own::kComputeCapabilityMinor) ==
              CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
static_assert(int(own::kJitErrorLogBuffer) == CU_JIT_ERROR_LOG_BUFFER);
static_assert(int(own::kJitErrorLogBufferBytes) ==
              CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
static_assert(int(own::kProgrammaticStreamSerialization) ==
              CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);
static_assert(int(own::kStreamNonBlocking) == CU_STREAM_NON_BLOCKING);
static_assert(int(own::kEventDefault) == CU_EVENT_DEFAULT);
static_assert(int(own::kEventDisableTiming) == CU_EVENT_DISABLE_TIMING);
static_assert(int(own::kCaptureThreadLocal) ==
              CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
static_assert(int(own::kLocationDevice) == CU_MEM_LOCATION_TYPE_DEVICE);
static_assert(int(own::kAllocationPinned) == CU_MEM_ALLOCATION_TYPE_PINNED);
static_assert(int(own::kAccessReadWrite) == CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
static_assert(int(own::kGranularityMinimum) ==
              CU_MEM_ALLOC_GRANULARITY_MINIMUM);

} // namespace

TEST(DriverApiTest, structures_have_the_layout_of_CUDA) {
  EXPECT_EQ(sizeof(own::LaunchConfig), sizeof(CUlaunchConfig));
  EXPECT_EQ(offsetof(own::LaunchConfig, stream),
            offsetof(CUlaunchConfig, hStream));
  EXPECT_EQ(offsetof(own::LaunchConfig, attributeCount),
            offsetof(CUlaunchConfig, numAttrs));
  EXPECT_EQ(sizeof(own::LaunchAttribute), sizeof(CUlaunchAttribute));
  EXPECT_EQ(offsetof(own::LaunchAttribute, allowed),
            offsetof(CUlaunchAttribute,
                     value.programmaticStreamSerializationAllowed));
  EXPECT_EQ(sizeof(own::AllocationProperties), sizeof(CUmemAllocationProp));
  EXPECT_EQ(offsetof(own::AllocationProperties, location),
            offsetof(CUmemAllocationProp, location));
  EXPECT_EQ(offsetof(own::AllocationProperties, compressionType),
            offsetof(CUmemAllocationProp, allocFlags));
  EXPECT_EQ(sizeof(own::AccessDescription), sizeof(CUmemAccessDesc));
  EXPECT_EQ(offsetof(own::AccessDescription, flags),
            offsetof(CUmemAccessDesc, flags));
}
