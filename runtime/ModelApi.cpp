// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The model part of runtime.h.
#include "runtime/Model.h"

using namespace pmpd::rt;

namespace {

/// Shared by both ways to open: options in, a handle out.
template <typename Open>
pmpd_status openModel(const pmpd_model_options *given, pmpd_model **model,
                      Open open) {
  if (!model)
    return fail(PMPD_BAD_ARGUMENT, "expected a place for the model, but got "
                                   "NULL");
  pmpd_model_options options = PMPD_MODEL_OPTIONS_INIT;
  if (pmpd_status status = readOptions(given, options))
    return status;
  if (options.verify < PMPD_VERIFY_AUTO || options.verify > PMPD_VERIFY_FULL)
    return fail(PMPD_BAD_ARGUMENT, "expected verify of 0, 1 or 2, but got " +
                                       std::to_string(options.verify));
  auto opened = std::make_shared<Model>();
  if (pmpd_status status = open(options, *opened))
    return status;
  *model = new pmpd_model{std::move(opened)};
  return PMPD_OK;
}

} // namespace

pmpd_status pmpd_model_open(const pmpd_model_desc *desc, const char *weights,
                            const pmpd_model_options *options,
                            pmpd_model **model) {
  return guard([&] {
    if (!desc || !weights)
      return fail(PMPD_BAD_ARGUMENT,
                  "expected a descriptor and a weight file, but got NULL");
    return openModel(options, model,
                     [&](const pmpd_model_options &checked, Model &opened) {
                       return Model::open(desc, weights, checked, opened);
                     });
  });
}

pmpd_status pmpd_model_open_directory(const char *directory,
                                      const pmpd_model_options *options,
                                      pmpd_model **model) {
  return guard([&] {
    if (!directory)
      return fail(PMPD_BAD_ARGUMENT, "expected a directory, but got NULL");
    return openModel(options, model,
                     [&](const pmpd_model_options &checked, Model &opened) {
                       return Model::openDirectory(directory, checked, opened);
                     });
  });
}

void pmpd_model_close(pmpd_model *model) { delete model; }

const pmpd_model_desc *pmpd_model_describe(const pmpd_model *model) {
  return &model->shared->desc();
}

const char *pmpd_model_tokenizer(const pmpd_model *model) {
  const std::string &path = model->shared->tokenizer();
  return path.empty() ? nullptr : path.c_str();
}
