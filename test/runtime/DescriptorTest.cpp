// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Descriptor.h"

#include "pmpd/layout.h"
#include "test/runtime/Fixture.h"

using namespace pmpd::rt;
using namespace pmpd::test;

namespace {

/// A copy of the fake model's descriptor to break.
class DescriptorTest : public ::testing::Test {
protected:
  pmpd_model_desc desc = *fakeModel();
  std::vector<pmpd_region_desc> regions{desc.regions,
                                        desc.regions + desc.region_count};

  pmpd_status check() {
    desc.regions = regions.data();
    desc.region_count = int32_t(regions.size());
    return checkDescriptor(desc);
  }
};

} // namespace

TEST_F(DescriptorTest, accepts_a_sound_one) { EXPECT_PMPD_OK(check()); }

TEST_F(DescriptorTest, accepts_a_longer_one_of_a_newer_compiler) {
  desc.struct_bytes += 8;
  EXPECT_PMPD_OK(check());
}

TEST_F(DescriptorTest, refuses_a_shorter_struct) {
  desc.struct_bytes -= 8;
  EXPECT_FAILS(PMPD_BAD_MODEL, "recompile", check());
}

TEST_F(DescriptorTest, refuses_another_abi) {
  desc.abi_version = 99;
  EXPECT_FAILS(PMPD_BAD_MODEL,
               "ABI version " + std::to_string(PMPD_ABI_VERSION) +
                   ", but got 99",
               check());
}

TEST_F(DescriptorTest, refuses_missing_texts) {
  desc.cpu_features = nullptr;
  EXPECT_FAILS(PMPD_BAD_MODEL, "feature list", check());
}

TEST_F(DescriptorTest, refuses_dimensions_below_one) {
  for (int32_t pmpd_model_desc::*member :
       {&pmpd_model_desc::vocab, &pmpd_model_desc::hidden,
        &pmpd_model_desc::layers, &pmpd_model_desc::heads,
        &pmpd_model_desc::kv_heads, &pmpd_model_desc::head_dim,
        &pmpd_model_desc::context}) {
    desc = *fakeModel();
    desc.*member = 0;
    EXPECT_FAILS(PMPD_BAD_MODEL, "expected a positive", check());
  }
}

TEST_F(DescriptorTest, refuses_heads_that_do_not_share_kv_heads) {
  desc.heads = 3;
  EXPECT_FAILS(PMPD_BAD_MODEL, "multiple of kv_heads", check());
}

TEST_F(DescriptorTest, refuses_kv_bytes_that_do_not_match) {
  desc.kv_bytes += 4;
  EXPECT_FAILS(PMPD_BAD_MODEL, "KV cache", check());
  desc.kv_bytes = 0;
  EXPECT_FAILS(PMPD_BAD_MODEL, "KV cache", check());
  desc = *fakeModel();
  desc.context = desc.layers = desc.head_dim = INT32_MAX; // wraps 64 bits
  EXPECT_FAILS(PMPD_BAD_MODEL, "KV cache", check());
}

TEST_F(DescriptorTest, refuses_an_unknown_kv_element) {
  desc.kv_element = PMPD_NESTED;
  EXPECT_FAILS(PMPD_BAD_MODEL, "f32 or f16", check());
}

TEST_F(DescriptorTest, refuses_broken_regions) {
  const std::vector<pmpd_region_desc> sound = regions;
  regions[0].phase = 2;
  EXPECT_FAILS(PMPD_BAD_MODEL, "unknown phase", check());
  regions = sound;
  regions[1].bits = 5;
  EXPECT_FAILS(PMPD_BAD_MODEL, "region 1 has the bits 5", check());
  regions = sound;
  regions[0].max_rows = 0;
  EXPECT_FAILS(PMPD_BAD_MODEL, "0 rows", check());
  regions = sound;
  regions[4].max_rows = 2;
  EXPECT_FAILS(PMPD_BAD_MODEL, "2 rows", check());
  regions = sound;
  regions[2].entry = nullptr;
  EXPECT_FAILS(PMPD_BAD_MODEL, "no entry point", check());
  regions = sound;
  regions[3].bits = 4;
  EXPECT_FAILS(PMPD_BAD_MODEL, "region 3 repeats decode at 4 bits", check());
}

TEST_F(DescriptorTest, refuses_a_table_without_one_of_the_phases) {
  const std::vector<pmpd_region_desc> sound = regions;
  regions.resize(2);
  EXPECT_FAILS(PMPD_BAD_MODEL, "no region for decode", check());
  regions.assign(sound.begin() + 2, sound.end());
  EXPECT_FAILS(PMPD_BAD_MODEL, "no region for prefill", check());
  regions.clear();
  EXPECT_FAILS(PMPD_BAD_MODEL, "empty", check());
}

TEST_F(DescriptorTest, refuses_broken_classifiers) {
  std::vector<pmpd_classifier_desc> classifiers(
      desc.classifiers, desc.classifiers + desc.classifier_count);
  const pmpd_classifier_desc sound = classifiers[1];
  desc.classifiers = classifiers.data();
  EXPECT_PMPD_OK(check());
  classifiers[1].entry = nullptr;
  EXPECT_FAILS(PMPD_BAD_MODEL, "classifier 1 has no entry point", check());
  classifiers[1] = sound;
  classifiers[1].classes = 1;
  EXPECT_FAILS(PMPD_BAD_MODEL, "classifier 1 has 1 classes", check());
  classifiers[1] = sound;
  std::swap(classifiers[1].from_bits, classifiers[1].to_bits);
  EXPECT_FAILS(PMPD_BAD_MODEL, "classifier 1 switches from 3 to 4", check());
  classifiers[1].to_bits = 1;
  EXPECT_FAILS(PMPD_BAD_MODEL, "classifier 1 switches from 3 to 1", check());
  desc.classifiers = nullptr;
  EXPECT_FAILS(PMPD_BAD_MODEL, "table of classifiers is missing", check());
  desc.classifier_count = 0;
  EXPECT_PMPD_OK(check());
  desc.classifier_count = -1;
  EXPECT_FAILS(PMPD_BAD_MODEL, "table of classifiers is missing", check());
}

TEST_F(DescriptorTest, refuses_broken_kernels_of_GPUs) {
  const pmpd_gpu_kernel sound = {"kernel", 256, 3};
  pmpd_gpu_kernel kernel = sound;
  const pmpd_gpu_kernel *kernels[] = {&sound, &kernel};
  desc.gpu_kernel_count = 2;
  EXPECT_FAILS(PMPD_BAD_MODEL, "table of GPU kernels is missing", check());
  desc.gpu_kernels = kernels;
  EXPECT_PMPD_OK(check());
  kernel.name = nullptr;
  EXPECT_FAILS(PMPD_BAD_MODEL, "GPU kernel 1 has no name", check());
  kernel = sound;
  for (int32_t threads : {0, 1025}) {
    kernel.threads = threads;
    EXPECT_FAILS(PMPD_BAD_MODEL,
                 "GPU kernel 1 has blocks of " + std::to_string(threads),
                 check());
  }
  kernel = sound;
  for (int32_t pointers : {-1, PMPD_KERNEL_POINTERS + 1}) {
    kernel.pointers = pointers;
    EXPECT_FAILS(PMPD_BAD_MODEL,
                 "GPU kernel 1 takes " + std::to_string(pointers), check());
  }
  kernel = sound;
  desc.gpu_sample = &kernel;
  EXPECT_PMPD_OK(check());
  desc.gpu_kernel_count = 1;
  EXPECT_FAILS(PMPD_BAD_MODEL, "kernel that chooses tokens is not listed",
               check());
  desc.gpu_kernel_count = 2;
  kernels[1] = nullptr;
  EXPECT_FAILS(PMPD_BAD_MODEL, "GPU kernel 1 has no name", check());
}

TEST_F(DescriptorTest, refuses_broken_images_for_GPUs) {
  const pmpd_gpu_image sound = {PMPD_GPU_PTX, 80, "ptx", 4};
  pmpd_gpu_image image = sound;
  desc.gpu_image_count = 1;
  EXPECT_FAILS(PMPD_BAD_MODEL, "table of GPU images is missing", check());
  desc.gpu_images = &image;
  EXPECT_PMPD_OK(check());
  image.bytes = 3; // the NUL is left out
  EXPECT_FAILS(PMPD_BAD_MODEL, "GPU image 0 is a text without an end", check());
  image.kind = PMPD_GPU_CUBIN; // no text
  EXPECT_PMPD_OK(check());
  image.bytes = 0;
  EXPECT_FAILS(PMPD_BAD_MODEL, "GPU image 0 is empty", check());
  image = sound;
  image.kind = 2;
  EXPECT_FAILS(PMPD_BAD_MODEL, "GPU image 0 is of the unknown kind 2", check());
}

TEST_F(DescriptorTest, refuses_features_this_cpu_lacks) {
  desc.cpu_features = "quantum,flux";
  EXPECT_FAILS(PMPD_UNSUPPORTED_CPU, "needs quantum, flux", check());
}

TEST_F(DescriptorTest, finds_regions_by_phase_and_bits) {
  EXPECT_EQ(findRegion(desc, PMPD_PREFILL, 3), &desc.regions[1]);
  EXPECT_EQ(findRegion(desc, PMPD_PREFILL, 2), nullptr);
  EXPECT_EQ(highestBits(desc, PMPD_DECODE), 4);
  EXPECT_EQ(kvBytesPerToken(desc), 2u * 2 * 2 * 4 * 4);
}
