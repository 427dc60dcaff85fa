// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_PASSES_EMITLAUNCHES_H
#define PMPD_PASSES_EMITLAUNCHES_H

#include "passes/CInterfaceBuilder.h"

namespace pmpd {

/// Writes the launches of regions: what a region's entry does, and the
/// pmpd_kernels or pmpd_gpu_kernels that it runs.
class LaunchEmitter {
public:
  explicit LaunchEmitter(CInterfaceBuilder &b) : b(b) {}

  /// The function that runs the launches of `region` in their order.
  mlir::FailureOr<std::string> entry(RegionOp region);

  /// pmpd_kernels written so far, each with its name for people.
  llvm::ArrayRef<std::pair<std::string, std::string>> kernels() const {
    return names;
  }

  /// The pmpd_gpu_kernel of a kernel of a device.
  std::string deviceKernel(mlir::LLVM::LLVMFuncOp kernel);

  /// pmpd_gpu_kernels written so far.
  llvm::ArrayRef<std::string> deviceKernels() const { return onDevice; }

private:
  /// Launches that run as one.
  using Group = llvm::SmallVector<LaunchOp>;

  std::string task(llvm::StringRef kernel);
  std::string byRows(const Group &group);
  std::string sideBySide(const Group &group);
  mlir::LLVM::LLVMFuncOp begin(llvm::StringRef name);
  void call(LaunchOp launch, mlir::Value args, unsigned index,
            mlir::Value first, mlir::Value end);
  void fillArgs(LaunchOp launch, mlir::Value region, mlir::Value args);
  mlir::Value count(const Group &group, mlir::Value rows);
  void launch(const Group &group, mlir::Value region, mlir::Value args);
  void launchOnDevice(LaunchOp launch, mlir::Value region, mlir::Value args);

  CInterfaceBuilder &b;
  llvm::StringMap<std::string> tasks; // what it runs -> its pmpd_kernel
  llvm::SmallVector<std::pair<std::string, std::string>> names;
  llvm::SmallVector<std::string> onDevice;
};

} // namespace pmpd

#endif // PMPD_PASSES_EMITLAUNCHES_H
