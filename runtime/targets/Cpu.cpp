// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Descriptor.h"
#include "runtime/ThreadPool.h"
#include "runtime/Trace.h"
#include "runtime/targets/Target.h"

#include <algorithm>

using namespace pmpd::rt;

namespace {

void parallelFor(void *pool, pmpd_kernel kernel, const pmpd_kernel_args *args,
                 int64_t tasks) {
  static_cast<ThreadPool *>(pool)->run(kernel, args, tasks);
}

/// A kernel whose time is recorded.
struct TracedKernel {
  Trace &trace;
  pmpd_kernel kernel;
  const pmpd_kernel_args *args;

  static void run(const pmpd_kernel_args *wrapped, int64_t begin, int64_t end) {
    auto *self = static_cast<const TracedKernel *>(wrapped->ptr[0]);
    Trace::Clock::time_point start = Trace::Clock::now();
    self->kernel(self->args, begin, end);
    self->trace.addTasks(self->kernel, end - begin, start, Trace::Clock::now());
  }
};

struct TracedPool {
  ThreadPool &pool;
  Trace &trace;

  static void parallelFor(void *self, pmpd_kernel kernel,
                          const pmpd_kernel_args *args, int64_t tasks) {
    auto *traced = static_cast<TracedPool *>(self);
    TracedKernel wrapped = {traced->trace, kernel, args};
    pmpd_kernel_args wrappedArgs = {};
    wrappedArgs.ptr[0] = &wrapped;
    traced->pool.run(TracedKernel::run, &wrappedArgs, tasks);
  }
};

class CpuTarget : public Target {
public:
  CpuTarget(const Model &model, int threads, bool record, Mapping kvPages,
            Mapping scratchPages)
      : desc(model.desc()), weights(model.weights()),
        kvPages(std::move(kvPages)), scratchPages(std::move(scratchPages)),
        pool(threads), trace(record ? std::make_unique<Trace>() : nullptr) {}

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
    if (trace)
      runTraced(args, call);
    else
      call.region->entry(&args);
    return PMPD_OK;
  }

  pmpd_status kv(int32_t layer, int64_t, const uint8_t *&keys) override {
    keys = kvPages.data() + layer * kvLayerBytes(desc);
    return PMPD_OK;
  }

  void clearKv() override { kvPages.clear(); }

  void clearTotals() override {
    if (trace)
      trace->clear();
  }

  pmpd_status writeTrace(const std::string &path) const override {
    if (!trace)
      return failUnrecorded();
    return trace->write(path, desc);
  }

private:
  void runTraced(pmpd_region_args &args, const RegionCall &call) {
    TracedPool traced = {pool, *trace};
    args.parallel_for = TracedPool::parallelFor;
    args.pool = &traced;
    Trace::Clock::time_point start = Trace::Clock::now();
    call.region->entry(&args);
    trace->addRegion(*call.region, call.rows, call.position, start,
                     Trace::Clock::now());
  }

  const pmpd_model_desc &desc;
  const uint8_t *weights;
  Mapping kvPages;
  Mapping scratchPages; // shared by all regions: one runs at a time
  ThreadPool pool;
  std::unique_ptr<Trace> trace; // or null
};

} // namespace

pmpd_status pmpd::rt::createCpuTarget(const Model &model, int threads,
                                      bool trace,
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
  target = std::make_unique<CpuTarget>(
      model, threads, trace, std::move(kvPages), std::move(scratchPages));
  return PMPD_OK;
}
