// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/NpuInterpreter.h"

using namespace mlir;
using namespace pmpd;
using npu::SaluFn;

NpuCall pmpd::longestCall(npu::ProgramOp program, int64_t context) {
  int64_t rows = std::min<int64_t>(program.getMaxRows(), context);
  return {context - rows, rows, rows};
}

NpuInterpreter::NpuInterpreter(npu::ProgramOp program, const NpuCall &call)
    : program(program) {
  registers[PMPD_NPU_R_POSITION] = call.position;
  registers[PMPD_NPU_R_ROWS] = call.rows;
  registers[PMPD_NPU_R_LOGIT_ROWS] = call.logitRows;
}

int64_t NpuInterpreter::rowsOf(npu::InstructionOpInterface op) const {
  Value rows = op.getRowsFrom();
  return rows ? valueOf(rows) : 1;
}

LogicalResult NpuInterpreter::compute(npu::SaluOp op) {
  uint64_t x = valueOf(op.getRa());
  uint64_t y = valueOf(op.getRb()) + static_cast<uint64_t>(op.getImm());
  auto sx = static_cast<int64_t>(x), sy = static_cast<int64_t>(y);
  uint64_t result = 0;
  switch (op.getFn()) {
  case SaluFn::Mov:
    result = y;
    break;
  case SaluFn::Add:
    result = x + y;
    break;
  case SaluFn::Sub:
    result = x - y;
    break;
  case SaluFn::Mul:
    result = x * y;
    break;
  case SaluFn::Min:
    result = std::min(sx, sy);
    break;
  case SaluFn::Max:
    result = std::max(sx, sy);
    break;
  case SaluFn::Shl:
    result = x << (y & 63);
    break;
  case SaluFn::Shr:
    result = x >> (y & 63);
    break;
  case SaluFn::And:
    result = x & y;
    break;
  case SaluFn::CeilDiv:
  case SaluFn::Rem:
    if (y == 0)
      return op.emitOpError("divides by zero");
    result = op.getFn() == SaluFn::Rem ? x % y : x / y + (x % y != 0);
    break;
  case SaluFn::Ld32:
    break;
  }
  registers[npu::getNumber(op.getRd())] = result;
  return success();
}

LogicalResult NpuInterpreter::run(Block &block, Visit visit) {
  for (Operation &op : block) {
    if (auto loop = dyn_cast<npu::LoopOp>(op)) {
      int64_t times = loop.getTimes() ? valueOf(loop.getTimes())
                                      : static_cast<int64_t>(*loop.getCount());
      if (times < 0 || times > INT32_MAX)
        return loop.emitOpError("runs ") << times << " times";
      for (++count; times > 0; --times, ++count)
        if (failed(run(*loop.getBody(), visit)))
          return failure();
      continue;
    }
    auto instruction = dyn_cast<npu::InstructionOpInterface>(op);
    if (!instruction)
      continue;
    ++count;
    if (auto salu = dyn_cast<npu::SaluOp>(op))
      if (failed(compute(salu)))
        return failure();
    if (failed(visit(instruction)))
      return failure();
  }
  return success();
}

LogicalResult NpuInterpreter::run(Visit visit) {
  return run(*program.getBody(), visit);
}
