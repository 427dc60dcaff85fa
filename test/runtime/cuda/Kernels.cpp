// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels of the fake model for the fake driver: thread 0 of a block works.
#include "test/runtime/FakeKernels.h"
#include "test/runtime/cuda/GpuModel.h"
#include "test/simt/Block.h"
#include "test/simt/ChosenToken.h"

#include <cstring>

using namespace pmpd;
using namespace pmpd::test;

namespace {

/// The tasks of this block, by the function for the CPU.
template <pmpd_kernel Task, int Pointers>
void perBlock(void *const *arguments, int64_t tasksPerBlock = 1) {
  simt::Block &block = simt::Block::current();
  if (block.thread().index != 0)
    return;
  auto *call = static_cast<const pmpd_gpu_call *>(arguments[Pointers]);
  pmpd_kernel_args args = {};
  for (int i = 0; i < Pointers; ++i)
    args.ptr[i] = arguments[i];
  args.rows = call->rows;
  args.position = call->position;
  int64_t begin = block.index() * tasksPerBlock;
  Task(&args, begin, begin + tasksPerBlock);
}

template <int32_t Bits, int32_t Context> void append(void *const *arguments) {
  perBlock<test::append<Bits, Context>, 3>(arguments);
}

template <int32_t Context> void attend(void *const *arguments) {
  perBlock<test::attend<Context>, 2>(arguments);
}

/// One block per row with logits, which begin at the pointers.
template <int32_t Bits> void project(void *const *arguments) {
  auto *call = static_cast<const pmpd_gpu_call *>(arguments[3]);
  if (int32_t(simt::Block::current().index()) >= call->rows)
    simt::Block::current().fail("more blocks than rows with logits");
  pmpd_gpu_call inside = {0, call->position};
  void *pointers[] = {arguments[0], arguments[1], arguments[2], &inside};
  perBlock<test::project<Bits>, 3>(pointers, kVocab);
}

void sample(void *const *arguments) {
  if (simt::Block::current().thread().index != 0)
    return;
  auto *call = static_cast<const pmpd_gpu_call *>(arguments[4]);
  if (call->rows != 1)
    simt::Block::current().fail("a choice of other than one row");
  ChosenToken chosen(static_cast<const float *>(arguments[0]), kVocab,
                     *static_cast<const pmpd_gpu_sampling *>(arguments[1]));
  std::memset(arguments[2], 0xFF, kSampleScratch);
  *static_cast<int32_t *>(arguments[3]) = chosen.token;
}

/// As if no logit were finite.
void writeNothing(void *const *arguments) {
  *static_cast<int32_t *>(arguments[3]) = -1;
}

/// Reads behind the end of its first argument, 4 MiB at most.
void readPast(void *const *arguments) {
  auto *data = static_cast<volatile const uint8_t *>(arguments[0]);
  for (int64_t at = 0; at < 4 << 20; at += 4096)
    (void)data[at];
}

} // namespace

extern "C" {
extern const simt::Kernel simt_kernels[] = {
    {"append_4", append<4, kContext>, nullptr, 0, 4},
    {"append_3", append<3, kContext>, nullptr, 0, 4},
    {"append_2", append<2, kContext>, nullptr, 0, 4},
    {"append_4_long", append<4, kLongContext>, nullptr, 0, 4},
    {"append_3_long", append<3, kLongContext>, nullptr, 0, 4},
    {"append_2_long", append<2, kLongContext>, nullptr, 0, 4},
    {"attend", attend<kContext>, nullptr, 0, 3},
    {"attend_long", attend<kLongContext>, nullptr, 0, 3},
    {"project_4", project<4>, nullptr, 0, 4},
    {"project_3", project<3>, nullptr, 0, 4},
    {"project_2", project<2>, nullptr, 0, 4},
    {"sample", sample, nullptr, 0, 5},
    {"sample_nothing", writeNothing, nullptr, 0, 5},
    {"read_past", readPast, nullptr, 0, 2},
};
extern const uint32_t simt_kernel_count =
    sizeof(simt_kernels) / sizeof(simt_kernels[0]);
}
