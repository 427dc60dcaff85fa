// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/ThreadPool.h"
#include "runtime/targets/Target.h"

#include <algorithm>

using namespace pmpd::rt;

namespace {

void parallelFor(void *pool, pmpd_kernel kernel, const pmpd_kernel_args *args,
                 int64_t tasks) {
  static_cast<ThreadPool *>(pool)->run(kernel, args, tasks);
}

class CpuTarget : public Target {
public:
  CpuTarget(const Model &model, int threads, Mapping kvPages,
            Mapping scratchPages)
      : weights(model.weights()), kvPages(std::move(kvPages)),
        scratchPages(std::move(scratchPages)), pool(threads) {}

  pmpd_status run(const RegionCall &call) override {
    pmpd_region_args args = {};
    args.weights = weights;
    args.scratch = scratchPages.data();
    args.kv = kvPages.data();
    args.tokens = call.tokens;
    args.logits = call.logits;
    args.rows = call.rows;
    args.position = call.position;
    args.logit_rows = call.logitRows;
    args.parallel_for = parallelFor;
    args.pool = &pool;
    call.region->entry(&args);
    return PMPD_OK;
  }

  const uint8_t *kv() const override { return kvPages.data(); }

  void clearKv() override { kvPages.clear(); }

private:
  const uint8_t *weights;
  Mapping kvPages;
  Mapping scratchPages; // shared by all regions: one runs at a time
  ThreadPool pool;
};

} // namespace

pmpd_status pmpd::rt::createCpuTarget(const Model &model, int threads,
                                      std::unique_ptr<Target> &target) {
  const pmpd_model_desc &desc = model.desc();
  uint64_t scratchBytes = 0;
  for (int32_t i = 0; i < desc.region_count; ++i)
    scratchBytes = std::max(scratchBytes, desc.regions[i].scratch_bytes);
  Mapping kvPages, scratchPages;
  if (pmpd_status status = Mapping::ofZeros(desc.kv_bytes, "KV cache", kvPages))
    return status;
  // Every head has its own stretch of the context, so that huge pages would
  // make nearly the whole cache resident with the first token.
  kvPages.useSmallPages();
  if (pmpd_status status =
          Mapping::ofZeros(scratchBytes, "scratch memory", scratchPages))
    return status;
  target = std::make_unique<CpuTarget>(model, threads, std::move(kvPages),
                                       std::move(scratchPages));
  return PMPD_OK;
}
