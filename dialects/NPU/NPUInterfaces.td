// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NPU_INTERFACES_TD
#define NPU_INTERFACES_TD

include "mlir/IR/OpBase.td"

def NPU_InstructionOpInterface : OpInterface<"InstructionOpInterface"> {
  let cppNamespace = "::pmpd::npu";
  let description = [{
    What all instructions share: the unit they run on, their 32 bytes, the
    bytes of the scratchpad they touch and what they cost.
  }];
  let methods = [
    InterfaceMethod<"The unit that executes it.", "::pmpd::npu::Unit",
                    "getExecutingUnit">,
    InterfaceMethod<"The register with the number of rows, or null.",
        "::mlir::Value", "getRowsFrom", (ins), "return $_op.getRowsFrom();">,
    InterfaceMethod<"The semaphores that it waits for.",
        "::mlir::MutableOperandRange", "getWaitsMutable", (ins),
        "return $_op.getWaitsMutable();">,
    InterfaceMethod<"The semaphores that it posts.",
        "::mlir::MutableOperandRange", "getPostsMutable", (ins),
        "return $_op.getPostsMutable();">,
    InterfaceMethod<[{
      Fills `insn`, zero so far and without semaphores. Buffers, registers and
      semaphores have numbers.
    }], "void", "encodeOperands", (ins "pmpd_npu_instruction &":$insn)>,
    InterfaceMethod<[{
      Scratchpad accesses of one execution. `rows` is the value of the row
      register, or 1 without one.
    }], "void", "getAccesses",
        (ins "int64_t":$rows, "::llvm::SmallVectorImpl<::pmpd::npu::Access> &":$accesses)>,
    InterfaceMethod<"Work of one execution.", "::pmpd::npu::Cost", "getCost",
        (ins "int64_t":$rows)>
  ];
}

#endif // NPU_INTERFACES_TD
