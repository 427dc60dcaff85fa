// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Model.h"

#include "runtime/Descriptor.h"
#include "runtime/Manifest.h"

using namespace pmpd::rt;

#if defined(__aarch64__)
static constexpr const char *kHostTarget = "aarch64";
#else
static constexpr const char *kHostTarget = "x86-64";
#endif

pmpd_status Model::open(const pmpd_model_desc *desc, const std::string &weights,
                        pmpd_verify verify, Model &model) {
  if (pmpd_status status = checkDescriptor(*desc))
    return status;
  if (pmpd_status status = WeightFile::open(weights, desc->weights_digest,
                                            verify, model.weightFile))
    return status;
  model.descriptor = desc;
  return PMPD_OK;
}

pmpd_status Model::openDirectory(const std::string &directory,
                                 pmpd_verify verify, Model &model) {
  Manifest manifest;
  if (pmpd_status status = Manifest::read(directory, manifest))
    return status;
  if (manifest.target != kHostTarget)
    return fail(PMPD_UNSUPPORTED_CPU,
                manifest.name + ": compiled for " + manifest.target +
                    ", this machine is " + kHostTarget +
                    "; recompile with --target " + kHostTarget);
  if (manifest.library.empty())
    return fail(PMPD_BAD_MODEL, manifest.name +
                                    ": compiled without a shared library; "
                                    "recompile with --emit shared");
  if (pmpd_status status = SharedLibrary::open(manifest.library, model.library))
    return status;
  using Describe = const pmpd_model_desc *(*)();
  auto describe =
      reinterpret_cast<Describe>(model.library.find(manifest.symbol));
  const pmpd_model_desc *desc = describe ? describe() : nullptr;
  if (!desc)
    return fail(PMPD_BAD_MODEL, manifest.library + ": expected a model at " +
                                    manifest.symbol +
                                    ", but there is none; recompile it");
  model.tokenizerPath = manifest.tokenizer;
  return open(desc, manifest.weights, verify, model);
}
