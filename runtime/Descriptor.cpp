// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Descriptor.h"

#include "pmpd/layout.h"
#include "runtime/CpuFeatures.h"

#include <algorithm>

using namespace pmpd::rt;

namespace {

const char *phaseName(int32_t phase) {
  return phase == PMPD_PREFILL ? "prefill" : "decode";
}

pmpd_status bad(const pmpd_model_desc &desc, const std::string &text) {
  return fail(PMPD_BAD_MODEL, std::string(desc.name) + ": " + text +
                                  "; the library is corrupt, recompile it");
}

pmpd_status checkVersion(const pmpd_model_desc &desc) {
  if (desc.struct_bytes < sizeof(desc))
    return fail(PMPD_BAD_MODEL, "expected a model descriptor of " +
                                    std::to_string(sizeof(desc)) +
                                    " bytes, but got " +
                                    std::to_string(desc.struct_bytes) +
                                    "; recompile the model with this release");
  if (desc.abi_version != PMPD_ABI_VERSION)
    return fail(PMPD_BAD_MODEL, "expected model ABI version " +
                                    std::to_string(PMPD_ABI_VERSION) +
                                    ", but got " +
                                    std::to_string(desc.abi_version) +
                                    "; recompile the model with this release");
  if (!desc.name || !desc.triple || !desc.cpu_features)
    return fail(PMPD_BAD_MODEL, "the model descriptor lacks a name, triple or "
                                "feature list; recompile the model");
  return PMPD_OK;
}

pmpd_status checkSizes(const pmpd_model_desc &desc) {
  const struct {
    const char *name;
    int32_t value;
  } dimensions[] = {
      {"vocab", desc.vocab},       {"hidden", desc.hidden},
      {"layers", desc.layers},     {"heads", desc.heads},
      {"kv_heads", desc.kv_heads}, {"head_dim", desc.head_dim},
      {"context", desc.context},
  };
  for (const auto &dimension : dimensions)
    if (dimension.value < 1)
      return bad(desc, std::string("expected a positive ") + dimension.name +
                           ", but got " + std::to_string(dimension.value));
  if (desc.heads % desc.kv_heads != 0)
    return bad(desc, "expected heads to be a multiple of kv_heads, but got " +
                         std::to_string(desc.heads) + " and " +
                         std::to_string(desc.kv_heads));
  if (desc.kv_element != PMPD_F32 && desc.kv_element != PMPD_F16)
    return bad(desc, "expected KV elements of f32 or f16, but got element " +
                         std::to_string(desc.kv_element));
  // Cannot wrap: every factor is below 2^31 and is divided off in turn.
  uint64_t rest = desc.kv_bytes;
  for (uint64_t factor :
       {uint64_t(desc.kv_element == PMPD_F32 ? 4 : 2), uint64_t(2),
        uint64_t(desc.layers), uint64_t(desc.kv_heads), uint64_t(desc.head_dim),
        uint64_t(desc.context)}) {
    if (rest % factor != 0)
      rest = 0;
    rest /= factor;
  }
  if (rest != 1)
    return bad(desc, "the " + std::to_string(desc.kv_bytes) +
                         " bytes of KV cache do not match its dimensions");
  return PMPD_OK;
}

bool isCompilableBits(int32_t bits) {
  return (bits >= PMPD_MIN_BITS && bits <= PMPD_MAX_BITS) || bits == 16 ||
         bits == 32;
}

pmpd_status checkRegion(const pmpd_model_desc &desc, int32_t index) {
  const pmpd_region_desc &region = desc.regions[index];
  std::string label = "region " + std::to_string(index);
  if (region.phase != PMPD_PREFILL && region.phase != PMPD_DECODE)
    return bad(desc, label + " has the unknown phase " +
                         std::to_string(region.phase));
  if (!isCompilableBits(region.bits))
    return bad(desc, label + " has the bits " + std::to_string(region.bits));
  if (region.max_rows < 1 ||
      (region.phase == PMPD_DECODE && region.max_rows != 1))
    return bad(desc, label + " takes " + std::to_string(region.max_rows) +
                         " rows per call");
  if (findRegion(desc, pmpd_phase(region.phase), region.bits) != &region)
    return bad(desc, label + " repeats " + phaseName(region.phase) + " at " +
                         std::to_string(region.bits) + " bits");
  return PMPD_OK;
}

pmpd_status checkRegions(const pmpd_model_desc &desc) {
  if (desc.region_count < 1 || !desc.regions)
    return bad(desc, "the region table is empty");
  for (int32_t i = 0; i < desc.region_count; ++i)
    if (pmpd_status status = checkRegion(desc, i))
      return status;
  for (pmpd_phase phase : {PMPD_PREFILL, PMPD_DECODE})
    if (highestBits(desc, phase) == 0)
      return bad(desc,
                 std::string("there is no region for ") + phaseName(phase));
  return PMPD_OK;
}

pmpd_status checkClassifiers(const pmpd_model_desc &desc) {
  if (desc.classifier_count < 0 ||
      (desc.classifier_count > 0 && !desc.classifiers))
    return bad(desc, "the table of classifiers is missing");
  for (int32_t i = 0; i < desc.classifier_count; ++i) {
    const pmpd_classifier_desc &classifier = desc.classifiers[i];
    std::string label = "classifier " + std::to_string(i);
    if (!classifier.entry)
      return bad(desc, label + " has no entry point");
    if (classifier.classes < 2)
      return bad(desc, label + " has " + std::to_string(classifier.classes) +
                           " classes");
    if (classifier.from_bits <= classifier.to_bits ||
        !findRegion(desc, PMPD_DECODE, classifier.from_bits) ||
        !findRegion(desc, PMPD_DECODE, classifier.to_bits))
      return bad(desc, label + " switches from " +
                           std::to_string(classifier.from_bits) + " to " +
                           std::to_string(classifier.to_bits) + " bits");
  }
  return PMPD_OK;
}

pmpd_status checkEntries(const pmpd_model_desc &desc) {
  for (int32_t i = 0; i < desc.region_count; ++i)
    if (!desc.regions[i].entry)
      return bad(desc, "region " + std::to_string(i) + " has no entry point");
  return PMPD_OK;
}

pmpd_status checkKernels(const pmpd_model_desc &desc) {
  if (desc.kernel_count < 0 || (desc.kernel_count > 0 && !desc.kernels))
    return bad(desc, "the table of kernels is missing");
  for (int32_t i = 0; i < desc.kernel_count; ++i)
    if (!desc.kernels[i].kernel || !desc.kernels[i].name)
      return bad(desc, "kernel " + std::to_string(i) + " has no name");
  return PMPD_OK;
}

pmpd_status checkGpuKernels(const pmpd_model_desc &desc) {
  if (desc.gpu_kernel_count < 0 ||
      (desc.gpu_kernel_count > 0 && !desc.gpu_kernels))
    return bad(desc, "the table of GPU kernels is missing");
  for (int32_t i = 0; i < desc.gpu_kernel_count; ++i) {
    const pmpd_gpu_kernel *kernel = desc.gpu_kernels[i];
    std::string label = "GPU kernel " + std::to_string(i);
    if (!kernel || !kernel->name)
      return bad(desc, label + " has no name");
    if (kernel->threads < 1 || kernel->threads > 1024)
      return bad(desc, label + " has blocks of " +
                           std::to_string(kernel->threads) + " threads");
    if (kernel->pointers < 0 || kernel->pointers > PMPD_KERNEL_POINTERS)
      return bad(desc, label + " takes " + std::to_string(kernel->pointers) +
                           " pointers");
  }
  const auto *end = desc.gpu_kernels + desc.gpu_kernel_count;
  if (desc.gpu_sample &&
      std::find(desc.gpu_kernels, end, desc.gpu_sample) == end)
    return bad(desc, "the GPU kernel that chooses tokens is not listed");
  return PMPD_OK;
}

pmpd_status checkGpuImages(const pmpd_model_desc &desc) {
  if (desc.gpu_image_count < 0 ||
      (desc.gpu_image_count > 0 && !desc.gpu_images))
    return bad(desc, "the table of GPU images is missing");
  for (int32_t i = 0; i < desc.gpu_image_count; ++i) {
    const pmpd_gpu_image &image = desc.gpu_images[i];
    std::string label = "GPU image " + std::to_string(i);
    if (image.kind != PMPD_GPU_PTX && image.kind != PMPD_GPU_CUBIN)
      return bad(desc, label + " is of the unknown kind " +
                           std::to_string(image.kind));
    if (!image.data || image.bytes == 0)
      return bad(desc, label + " is empty");
    if (image.kind == PMPD_GPU_PTX &&
        static_cast<const char *>(image.data)[image.bytes - 1] != 0)
      return bad(desc, label + " is a text without an end");
  }
  return PMPD_OK;
}

pmpd_status checkCpu(const pmpd_model_desc &desc) {
  std::string list;
  for (const std::string &feature : missingCpuFeatures(desc.cpu_features))
    list += (list.empty() ? "" : ", ") + feature;
  if (list.empty())
    return PMPD_OK;
  return fail(PMPD_UNSUPPORTED_CPU,
              std::string(desc.name) + ": needs " + list +
                  ", this CPU lacks it; recompile with --cpu native on this "
                  "machine");
}

} // namespace

pmpd_status pmpd::rt::checkDimensions(const pmpd_model_desc &desc) {
  for (auto check : {checkSizes, checkRegions, checkClassifiers})
    if (pmpd_status status = check(desc))
      return status;
  return PMPD_OK;
}

pmpd_status pmpd::rt::checkDescriptor(const pmpd_model_desc &desc) {
  for (auto check : {checkVersion, checkDimensions, checkEntries, checkKernels,
                     checkGpuKernels, checkGpuImages, checkCpu})
    if (pmpd_status status = check(desc))
      return status;
  return PMPD_OK;
}

uint64_t pmpd::rt::kvBytesPerToken(const pmpd_model_desc &desc) {
  return desc.kv_bytes / desc.context;
}

uint64_t pmpd::rt::kvLayerBytes(const pmpd_model_desc &desc) {
  return desc.kv_bytes / desc.layers;
}

const pmpd_region_desc *pmpd::rt::findRegion(const pmpd_model_desc &desc,
                                             pmpd_phase phase, int32_t bits) {
  for (int32_t i = 0; i < desc.region_count; ++i)
    if (desc.regions[i].phase == phase && desc.regions[i].bits == bits)
      return &desc.regions[i];
  return nullptr;
}

int32_t pmpd::rt::highestBits(const pmpd_model_desc &desc, pmpd_phase phase) {
  int32_t highest = 0;
  for (int32_t i = 0; i < desc.region_count; ++i)
    if (desc.regions[i].phase == phase)
      highest = std::max(highest, desc.regions[i].bits);
  return highest;
}

pmpd_status pmpd::rt::failUnsupportedBits(const pmpd_model_desc &desc,
                                          pmpd_phase phase, int32_t bits) {
  std::string compiled;
  for (int32_t i = 0; i < desc.region_count; ++i)
    if (desc.regions[i].phase == phase)
      compiled +=
          (compiled.empty() ? "" : ", ") + std::to_string(desc.regions[i].bits);
  return fail(PMPD_UNSUPPORTED_BITS,
              std::string(desc.name) + ": expected " + phaseName(phase) +
                  " bits of " + compiled + ", but got " + std::to_string(bits) +
                  "; recompile with --" + phaseName(phase) + "-bits");
}
