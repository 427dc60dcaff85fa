// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/cuda/GpuModel.h"

using namespace pmpd::test;

namespace {

constexpr int32_t kThreads = 32;

template <int32_t Bits, int32_t Context> struct Kernels {
  static constexpr bool isLong = Context == kLongContext;
  static inline const pmpd_gpu_kernel append = {
      Bits == 4   ? (isLong ? "append_4_long" : "append_4")
      : Bits == 3 ? (isLong ? "append_3_long" : "append_3")
                  : (isLong ? "append_2_long" : "append_2"),
      kThreads, 3};
  static inline const pmpd_gpu_kernel project = {Bits == 4   ? "project_4"
                                                 : Bits == 3 ? "project_3"
                                                             : "project_2",
                                                 kThreads, 3};
};

template <int32_t Context>
const pmpd_gpu_kernel attendKernel = {
    Context == kLongContext ? "attend_long" : "attend", 2 * kThreads, 2};

const pmpd_gpu_kernel sampleKernel = {"sample", kThreads, 4};

template <int32_t Bits, int32_t Context>
void region(const pmpd_region_args *args) {
  using K = Kernels<Bits, Context>;
  auto *weights = const_cast<uint8_t *>(args->weights);
  pmpd_kernel_args call = {};
  call.rows = args->rows;
  call.position = args->position;
  call.ptr[0] = weights;
  call.ptr[1] = args->kv;
  call.ptr[2] = const_cast<int32_t *>(args->tokens);
  args->launch(args->device, &K::append, &call, kLayers * kKvHeads);
  call.ptr[0] = args->kv;
  call.ptr[1] = args->scratch;
  args->launch(args->device, &attendKernel<Context>, &call, args->rows);
  int64_t without = args->rows - args->logit_rows;
  call.rows = args->logit_rows;
  call.ptr[0] = weights;
  call.ptr[1] = args->scratch + without * kHidden * int64_t(sizeof(float));
  call.ptr[2] = args->logits;
  args->launch(args->device, &K::project, &call, args->logit_rows);
}

/// The model with other regions, and what a GPU needs.
template <int32_t Context> pmpd_model_desc make(const pmpd_model_desc &cpu) {
  static std::vector<pmpd_region_desc> regions(cpu.regions,
                                               cpu.regions + cpu.region_count);
  for (pmpd_region_desc &desc : regions)
    desc.entry = desc.bits == 4   ? region<4, Context>
                 : desc.bits == 3 ? region<3, Context>
                                  : region<2, Context>;
  static const pmpd_gpu_kernel *const kernels[] = {
      &Kernels<4, Context>::append,
      &Kernels<3, Context>::append,
      &Kernels<2, Context>::append,
      &Kernels<4, Context>::project,
      &Kernels<3, Context>::project,
      &Kernels<2, Context>::project,
      &attendKernel<Context>,
      &sampleKernel,
      &sampleNothing};
  static const std::string ptx = fakePtx(80);
  static const pmpd_gpu_image image = {PMPD_GPU_PTX, 80, ptx.c_str(),
                                       ptx.size() + 1};
  pmpd_model_desc desc = cpu;
  desc.regions = regions.data();
  desc.gpu_kernels = kernels;
  desc.gpu_kernel_count = sizeof(kernels) / sizeof(kernels[0]);
  desc.gpu_images = &image;
  desc.gpu_image_count = 1;
  desc.gpu_sample = &sampleKernel;
  desc.gpu_sample_scratch = kSampleScratch;
  return desc;
}

} // namespace

const pmpd_gpu_kernel pmpd::test::sampleNothing = {"sample_nothing", kThreads,
                                                   4};

std::vector<GpuKernelEntry> pmpd::test::fakeGpuKernels() {
  std::vector<GpuKernelEntry> list = {
      {"attend", 3}, {"attend_long", 3}, {"sample", 5}, {"sample_nothing", 5}};
  for (const char *bits : {"4", "3", "2"}) {
    list.push_back({std::string("append_") + bits, 4});
    list.push_back({std::string("append_") + bits + "_long", 4});
    list.push_back({std::string("project_") + bits, 4});
  }
  return list;
}

std::string pmpd::test::fakePtx(int sm, const std::string &without) {
  std::string ptx =
      ".version 7.8\n.target sm_" + std::to_string(sm) + "\n.address_size 64\n";
  for (const GpuKernelEntry &kernel : fakeGpuKernels()) {
    if (kernel.name == without)
      continue;
    ptx += ".visible .entry " + kernel.name + "(";
    for (int i = 0; i < kernel.arguments; ++i)
      ptx += (i ? ", .param .u64 p" : ".param .u64 p") + std::to_string(i);
    ptx += ")\n{\n\tret;\n}\n";
  }
  return ptx;
}

const pmpd_model_desc *pmpd::test::fakeGpuModel() {
  static const pmpd_model_desc desc = make<kContext>(*fakeModel());
  return &desc;
}

const pmpd_model_desc *pmpd::test::fakeLongGpuModel() {
  static const pmpd_model_desc desc = make<kLongContext>(*fakeLongModel());
  return &desc;
}
