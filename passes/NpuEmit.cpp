// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/NpuProgram.h"
#include "lib/Pack/AtomicFile.h"
#include "passes/Model.h"
#include "passes/NpuInterpreter.h"
#include "passes/Passes.h"
#include "pmpd/kernel.h"
#include "pmpd/npu_layout.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace pmpd {
#define GEN_PASS_DEF_NPUEMIT
#include "passes/Passes.h.inc"

namespace {
/// The instructions of a program one after the other.
class Encoder {
public:
  explicit Encoder(emit::NpuRegion &region) : region(region) {}

  void append(Block &block, uint8_t level = 0) {
    for (Operation &op : block) {
      if (auto loop = dyn_cast<npu::LoopOp>(op))
        append(loop, level);
      else if (auto instruction = dyn_cast<npu::InstructionOpInterface>(op))
        append(npu::encode(instruction), op.getLoc());
    }
  }

private:
  void append(npu::LoopOp op, uint8_t level) {
    size_t at = region.code.size();
    append(npu::encodeLoop(op, level), op.getLoc());
    append(*op.getBody(), level + 1);
    region.code[at].loop.body = region.code.size() - at - 1;
    append(npu::encodeLoopEnd(level), op.getLoc());
  }

  void append(const pmpd_npu_instruction &instruction, Location loc) {
    auto name = dyn_cast<NameLoc>(loc);
    std::string text = name ? name.getName().str() : "";
    if (text != latest)
      region.lines.emplace_back(region.code.size(), text);
    latest = text;
    region.code.push_back(instruction);
  }

  emit::NpuRegion &region;
  std::string latest;
};

struct NpuEmit : impl::NpuEmitBase<NpuEmit> {
  using NpuEmitBase::NpuEmitBase;

  void runOnOperation() override {
    FailureOr<ModelOp> model = getOnlyModel(getOperation());
    if (failed(model) || failed(write(*model)))
      signalPassFailure();
  }

  LogicalResult write(ModelOp model);
  FailureOr<emit::NpuRegion> emitRegion(npu::ProgramOp program,
                                        int64_t context);
  static void describe(ModelOp model, emit::NpuProgram &file);
};
} // namespace

/// The model's dimensions and weights.
void NpuEmit::describe(ModelOp model, emit::NpuProgram &file) {
  pmpd_npu_abi &abi = file.abi;
  abi.version = PMPD_NPU_ABI_VERSION;
  abi.kv_format = PMPD_NPU_KV_F16;
  abi.vocab = model.getVocab();
  abi.hidden = model.getHidden();
  abi.layers = model.getLayers();
  abi.heads = model.getHeads();
  abi.kv_heads = model.getKvHeads();
  abi.head_dim = model.getHeadDim();
  abi.context = model.getContext();
  abi.kv_bytes = abi.layers * abi.kv_heads *
                 llvm::divideCeil(abi.context, PMPD_NPU_ATT_TOKENS) *
                 pmpd_npu_kv_tile_bytes(abi.kv_format, abi.head_dim);
  for (WeightOp weight : model.getBody()->getOps<WeightOp>()) {
    if (!weight.getAt())
      continue;
    emit::NpuTensor tensor;
    tensor.name = weight.getSymName().str();
    tensor.facts.rows = weight.getRows();
    tensor.facts.cols = weight.getCols();
    tensor.facts.offset = *weight.getAt();
    if (NestedType nested = weight.getNested()) {
      tensor.facts.group = nested.getGroup();
      tensor.facts.bits = nested.getBits();
      tensor.facts.flags = PMPD_NPU_F_AFFINE;
      tensor.facts.bytes = pmpd_npu_tensor_bytes(
          nested.getRows(), nested.getCols(), nested.getGroup(),
          nested.getBits(), nested.getPrefixes().size());
    } else {
      tensor.facts.bits =
          cast<RankedTensorType>(weight.getType()).getElementTypeBitWidth();
      tensor.facts.bytes =
          weight.getRows() * weight.getCols() * tensor.facts.bits / 8;
    }
    file.tensors.push_back(tensor);
  }
}

FailureOr<emit::NpuRegion> NpuEmit::emitRegion(npu::ProgramOp program,
                                               int64_t context) {
  if (!program.getScratchpad())
    return program.emitError("expected buffers with addresses; run "
                             "--npu-allocate first");
  emit::NpuRegion region;
  region.name = program.getSymName().str();
  region.facts.phase =
      program.getPhase() == Phase::Decode ? PMPD_DECODE : PMPD_PREFILL;
  region.facts.bits = program.getWbits();
  region.facts.activation_bits = 32;
  program.walk(
      [&](npu::QactOp op) { region.facts.activation_bits = op.getAbits(); });
  region.facts.max_rows = program.getMaxRows();
  region.facts.scratchpad_peak = *program.getScratchpad();
  Encoder(region).append(*program.getBody());

  NpuInterpreter interpreter(program, longestCall(program, context));
  npu::Cost longest;
  LogicalResult ran = interpreter.run([&](npu::InstructionOpInterface op) {
    npu::Cost cost = op.getCost(interpreter.rowsOf(op));
    longest.dramBytes += cost.dramBytes;
    longest.operations += cost.operations;
    auto load = dyn_cast<npu::LdOp>(op.getOperation());
    if (load && load.getBase() == npu::Base::Weights)
      region.facts.weight_bytes += cost.dramBytes;
    return success();
  });
  region.facts.budget = interpreter.executed();
  if (report)
    program.emitRemark() << region.code.size() * PMPD_NPU_INSTRUCTION_BYTES
                         << " bytes of code; the longest call executes "
                         << interpreter.executed() << " instructions, moves "
                         << longest.dramBytes << " bytes and does "
                         << longest.operations << " operations";
  return failed(ran) ? FailureOr<emit::NpuRegion>(failure()) : region;
}

LogicalResult NpuEmit::write(ModelOp model) {
  if (output.empty())
    return model.emitError("expected a file to write to; set output");
  llvm::Expected<emit::NpuHardware> hardware = emit::findNpuHardware(config);
  if (!hardware)
    return model.emitError(llvm::toString(hardware.takeError()));
  emit::NpuProgram file;
  file.hardware = *hardware;
  describe(model, file);
  std::string digest;
  if (llvm::tryGetFromHex(model.getWeightsDigest().value_or(""), digest) &&
      digest.size() == file.weights.size())
    llvm::copy(digest, file.weights.begin());
  else
    return model.emitError("expected the digest of a weight file; run "
                           "--pmpd-pack first");
  for (npu::ProgramOp program : model.getBody()->getOps<npu::ProgramOp>()) {
    FailureOr<emit::NpuRegion> region = emitRegion(program, model.getContext());
    if (failed(region))
      return failure();
    if (region->facts.scratchpad_peak >
        static_cast<uint64_t>(hardware->scratchpadBytes))
      return program.emitError("expected at most ")
             << hardware->scratchpadBytes << " bytes of scratchpad, as "
             << hardware->name << " has, but " << region->name << " uses "
             << region->facts.scratchpad_peak;
    file.regions.push_back(*region);
  }
  std::vector<uint8_t> bytes = emit::makeNpuProgram(file);
  std::string error;
  if (!writeFileAtomically(output, bytes.data(), bytes.size(), error))
    return model.emitError(error);
  return success();
}
} // namespace pmpd
