// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PASSES_PIPELINES_H
#define PASSES_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

#include <string>

namespace pmpd {

/// Options of `pmpd-compile-cpu`, `-gpu` and `-npu`; each is that of the
/// pass it is named for.
struct CompileOptions : public mlir::PassPipelineOptions<CompileOptions> {
  Option<std::string> name{*this, "name",
                           llvm::cl::desc("name of the model and its symbols")};
  Option<int64_t> context{*this, "ctx",
                          llvm::cl::desc("most tokens in the KV cache"),
                          llvm::cl::init(0)};
  ListOption<int32_t> prefill{*this, "prefill",
                              llvm::cl::desc("bits of the prefill phase")};
  ListOption<int32_t> decode{*this, "decode",
                             llvm::cl::desc("bits of the decode phase")};
  ListOption<std::string> rules{*this, "rules",
                                llvm::cl::desc("REGEX=BITS for single layers")};
  Option<std::string> scheduler{
      *this, "scheduler",
      llvm::cl::desc("the ONNX network of a learned scheduler, or nothing")};
  Option<std::string> kv{*this, "kv",
                         llvm::cl::desc("element of the KV cache: f16 or f32")};
  Option<std::string> calibration{
      *this, "calibration", llvm::cl::desc("text to calibrate on, or nothing")};
  Option<std::string> tokenizer{*this, "tokenizer",
                                llvm::cl::desc("tokenizer.json for the text")};
  Option<int64_t> calibrationTokens{
      *this, "calibration-tokens",
      llvm::cl::desc("most tokens to calibrate on"), llvm::cl::init(4096)};
  Option<std::string> statistics{
      *this, "statistics",
      llvm::cl::desc("file of statistics: with a calibration text it is "
                     "written and kept, without it is read")};
  Option<std::string> quantizer{*this, "quantizer",
                                llvm::cl::desc("name of the quantizer"),
                                llvm::cl::init("nldlq")};
  Option<int64_t> group{*this, "group",
                        llvm::cl::desc("columns per scale and minimum"),
                        llvm::cl::init(128)};
  Option<int32_t> simulate{
      *this, "simulate",
      llvm::cl::desc("bits whose values are stored unquantized"),
      llvm::cl::init(0)};
  Option<unsigned> threads{*this, "threads",
                           llvm::cl::desc("threads, 0 for all"),
                           llvm::cl::init(0)};
  Option<std::string> activations{*this, "activations",
                                  llvm::cl::desc("q8, q16 or f32"),
                                  llvm::cl::init("q8")};
  Option<std::string> layout{*this, "layout",
                             llvm::cl::desc("of nested weights: s or plain"),
                             llvm::cl::init("s")};
  Option<int64_t> prefillRows{*this, "prefill-rows",
                              llvm::cl::desc("most tokens per prefill call"),
                              llvm::cl::init(64)};
  Option<std::string> weights{*this, "weights",
                              llvm::cl::desc("the weight file to write"),
                              llvm::cl::init("model.pmpdw")};
  Option<std::string> isa{
      *this, "isa",
      llvm::cl::desc("portable, avx2, avxvnni, avx512vnni or amx"),
      llvm::cl::init("portable")};
  Option<bool> nativeHalf{
      *this, "native-half",
      llvm::cl::desc("the CPU converts between f16 and f32 in hardware")};
  Option<std::string> features{
      *this, "features", llvm::cl::desc("CPU features that the code needs")};
  Option<std::string> triple{*this, "triple", llvm::cl::desc("target triple")};
  ListOption<std::string> gpus{
      *this, "gpu", llvm::cl::desc("GPUs to emit code for, such as sm_90")};
  Option<std::string> program{*this, "program",
                              llvm::cl::desc("the NPU program file to write"),
                              llvm::cl::init("model.pnpu")};
  Option<std::string> npuConfig{
      *this, "npu-config",
      llvm::cl::desc("NPU hardware: ref, edge or a JSON file"),
      llvm::cl::init("ref")};
  Option<int64_t> scratchpad{*this, "scratchpad",
                             llvm::cl::desc("bytes of the NPU's scratchpad"),
                             llvm::cl::init(2359296)};
};

/// From a graph in the onnx dialect to the LLVM dialect: the whole compiler
/// between the importer and the object emitter. Intermediate files are put
/// beside the weight file and are not removed.
void buildCompileCPUPipeline(mlir::OpPassManager &pm,
                             const CompileOptions &options);

/// The same for NVIDIA GPUs, kernels embedded as PTX and machine code. Without
/// any GPU to emit code for it ends with kernels in the nvvm dialect.
void buildCompileGPUPipeline(mlir::OpPassManager &pm,
                             const CompileOptions &options);

/// From a graph in the onnx dialect to the npu dialect and the program file:
/// the same as for CPUs up to the regions, which become programs.
void buildCompileNPUPipeline(mlir::OpPassManager &pm,
                             const CompileOptions &options);

/// `pmpd-lower-classifiers`: networks that pmpd-attach-scheduler added, from
/// onnx through linalg to loops on memory of the caller. A module without one
/// is left as it is.
void buildLowerClassifiersPipeline(mlir::OpPassManager &pm);

/// Registers `pmpd-compile-cpu`, `pmpd-compile-gpu`, `pmpd-compile-npu` and
/// `pmpd-lower-classifiers`.
void registerPipelines();

} // namespace pmpd

#endif // PASSES_PIPELINES_H
