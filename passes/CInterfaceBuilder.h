// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PMPD_PASSES_CINTERFACEBUILDER_H
#define PMPD_PASSES_CINTERFACEBUILDER_H

#include "passes/Passes.h"

namespace pmpd {

/// Writes the structs of include/pmpd/kernel.h and code that reads them, in the
/// LLVM dialect.
class CInterfaceBuilder {
public:
  CInterfaceBuilder(mlir::ModuleOp module, mlir::Location loc)
      : builder(module.getContext()), symbols(module), loc(loc),
        ptr(mlir::LLVM::LLVMPointerType::get(module.getContext())),
        i8(builder.getI8Type()), i32(builder.getI32Type()),
        i64(builder.getI64Type()),
        nothing(mlir::LLVM::LLVMVoidType::get(module.getContext())) {
    builder.setInsertionPointToEnd(module.getBody());
  }

  mlir::MLIRContext &context() { return *builder.getContext(); }

  /// The kernel of a launch, null if it is not in the LLVM dialect.
  mlir::LLVM::LLVMFuncOp kernelOf(LaunchOp launch) {
    return mlir::dyn_cast_or_null<mlir::LLVM::LLVMFuncOp>(
        mlir::SymbolTable::lookupSymbolIn(symbols.getOp(),
                                          launch.getKernelAttr()));
  }

  mlir::Value constant(int64_t value) {
    return mlir::LLVM::ConstantOp::create(builder, loc, i64,
                                          builder.getI64IntegerAttr(value));
  }
  mlir::Value addressOf(llvm::StringRef symbol) {
    return mlir::LLVM::AddressOfOp::create(builder, loc, ptr, symbol);
  }
  mlir::Value offset(mlir::Value base, mlir::Value bytes) {
    return mlir::LLVM::GEPOp::create(builder, loc, ptr, i8, base,
                                     llvm::ArrayRef<mlir::LLVM::GEPArg>{bytes});
  }
  mlir::Value field(mlir::Value base, size_t bytes) {
    return mlir::LLVM::GEPOp::create(
        builder, loc, ptr, i8, base,
        llvm::ArrayRef<mlir::LLVM::GEPArg>{int32_t(bytes)});
  }
  mlir::Value load(mlir::Type type, mlir::Value base, size_t bytes) {
    return mlir::LLVM::LoadOp::create(builder, loc, type, field(base, bytes));
  }
  void store(mlir::Value value, mlir::Value base, size_t bytes) {
    mlir::LLVM::StoreOp::create(builder, loc, value, field(base, bytes));
  }

  /// A field of a constant struct.
  mlir::Value literal(mlir::Type type, int64_t value) {
    return mlir::LLVM::ConstantOp::create(builder, loc, type,
                                          builder.getIntegerAttr(type, value));
  }
  /// A struct or an array of `fields`.
  mlir::Value fill(mlir::Type type, llvm::ArrayRef<mlir::Value> fields) {
    mlir::Value result = mlir::LLVM::UndefOp::create(builder, loc, type);
    for (auto [index, value] : llvm::enumerate(fields))
      result = mlir::LLVM::InsertValueOp::create(builder, loc, result, value,
                                                 int64_t(index));
    return result;
  }

  mlir::LLVM::LLVMFuncOp function(const llvm::Twine &name,
                                  mlir::LLVM::LLVMFunctionType type,
                                  mlir::LLVM::Linkage linkage) {
    auto func =
        mlir::LLVM::LLVMFuncOp::create(builder, loc, name.str(), type, linkage);
    symbols.insert(func);
    return func;
  }
  /// A constant global whose initializer `fill` returns.
  std::string global(const llvm::Twine &name, mlir::Type type,
                     llvm::function_ref<mlir::Value()> fill) {
    auto op = mlir::LLVM::GlobalOp::create(
        builder, loc, type, /*isConstant=*/true, mlir::LLVM::Linkage::Internal,
        name.str(), mlir::Attribute());
    symbols.insert(op);
    mlir::OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&op.getInitializerRegion());
    mlir::LLVM::ReturnOp::create(builder, loc, fill());
    return op.getSymName().str();
  }
  std::string text(llvm::StringRef value) {
    std::string terminated = value.str();
    terminated.push_back('\0');
    return bytes(terminated);
  }
  std::string bytes(llvm::StringRef bytes) {
    auto op = mlir::LLVM::GlobalOp::create(
        builder, loc, mlir::LLVM::LLVMArrayType::get(i8, bytes.size()),
        /*isConstant=*/true, mlir::LLVM::Linkage::Internal, "pmpd_text",
        builder.getStringAttr(bytes));
    symbols.insert(op);
    return op.getSymName().str();
  }

  mlir::OpBuilder builder;
  mlir::SymbolTable symbols;
  mlir::Location loc;
  mlir::Type ptr, i8, i32, i64, nothing;
};

} // namespace pmpd

#endif // PMPD_PASSES_CINTERFACEBUILDER_H
