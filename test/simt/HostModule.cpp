// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/HostModule.h"
#include "lib/Emit/CpuTarget.h"
#include "lib/Emit/Object.h"
#include "test/simt/Calls.h"
#include "test/simt/Executor.h"

#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace pmpd::simt {
namespace {

constexpr unsigned sharedSpace = 3;

/// Makes one module of a GPU one of the host.
class Transformation {
public:
  Transformation(Module &module)
      : module(module), builder(module.getContext()),
        pointer(builder.getPtrTy()), word(builder.getInt32Ty()) {}

  Error run();

private:
  FunctionCallee call(const char *symbol, ArrayRef<Type *> arguments) {
    auto callee = module.getOrInsertFunction(
        symbol, FunctionType::get(builder.getVoidTy(), arguments, false));
    cast<Function>(callee.getCallee())->setConvergent();
    return callee;
  }
  void checkAccesses(Function &function);
  void checkAccess(Instruction &access, Value *address, Type *type,
                   Align alignment, bool writes);
  Error replaceIntrinsics();
  void replace(Function &intrinsic, const Call &call);
  void pack(CallInst &call, FunctionCallee callee);
  Constant *describe(Function &kernel);
  Constant *sharedArrays(Function &kernel, uint32_t &count);
  Function *entry(Function &kernel);
  Constant *global(Constant *value, const Twine &name,
                   GlobalValue::LinkageTypes linkage);

  Module &module;
  IRBuilder<> builder;
  Type *pointer;
  Type *word;
};

Constant *Transformation::global(Constant *value, const Twine &name,
                                 GlobalValue::LinkageTypes linkage) {
  return new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                            linkage, value, name);
}

void Transformation::checkAccess(Instruction &access, Value *address,
                                 Type *type, Align alignment, bool writes) {
  if (alignment > 1) {
    builder.SetInsertPoint(&access);
    Type *size = builder.getInt64Ty();
    Value *low = builder.CreateAnd(builder.CreatePtrToInt(address, size),
                                   alignment.value() - 1);
    Instruction *then =
        SplitBlockAndInsertIfThen(builder.CreateIsNotNull(low), &access,
                                  /*Unreachable=*/false);
    builder.SetInsertPoint(then);
    builder.CreateCall(call("simt_misaligned", {word}),
                       builder.getInt32(alignment.value()));
  }
  if (address->getType()->getPointerAddressSpace() != sharedSpace)
    return;
  builder.SetInsertPoint(&access);
  builder.CreateCall(
      call("simt_access_shared", {pointer, word, word}),
      {builder.CreateAddrSpaceCast(address, pointer),
       builder.getInt32(module.getDataLayout().getTypeStoreSize(type)),
       builder.getInt32(writes)});
}

void Transformation::checkAccesses(Function &function) {
  SmallVector<Instruction *> accesses;
  for (BasicBlock &block : function)
    for (Instruction &instruction : block)
      if (isa<LoadInst, StoreInst>(instruction))
        accesses.push_back(&instruction);
  for (Instruction *access : accesses) {
    if (auto *load = dyn_cast<LoadInst>(access))
      checkAccess(*load, load->getPointerOperand(), load->getType(),
                  load->getAlign(), false);
    else if (auto *store = dyn_cast<StoreInst>(access))
      checkAccess(*store, store->getPointerOperand(),
                  store->getValueOperand()->getType(), store->getAlign(), true);
  }
}

/// A struct of words is not returned as C++ returns one, so operands and
/// results go through memory.
void Transformation::pack(CallInst &call, FunctionCallee callee) {
  BasicBlock &first = call.getFunction()->getEntryBlock();
  auto *structure = dyn_cast<StructType>(call.getType());
  bool hasResult = !call.getType()->isVoidTy();
  unsigned results = structure ? structure->getNumElements() : hasResult;
  auto slots = [&](unsigned count) {
    builder.SetInsertPoint(&first, first.begin());
    return builder.CreateAlloca(ArrayType::get(word, std::max(count, 1u)));
  };
  constexpr unsigned pointerWords = sizeof(void *) / sizeof(uint32_t);
  unsigned operands = 0;
  for (Value *operand : call.args())
    operands += operand->getType()->isPointerTy() ? pointerWords : 1;
  Value *in = slots(operands), *out = slots(results);
  auto at = [&](Value *words, unsigned i) {
    return builder.CreateConstInBoundsGEP1_32(word, words, i);
  };
  builder.SetInsertPoint(&call);
  unsigned place = 0;
  for (Value *operand : call.args()) {
    bool isPointer = operand->getType()->isPointerTy();
    builder.CreateAlignedStore(
        isPointer ? builder.CreateAddrSpaceCast(operand, pointer) : operand,
        at(in, place), Align(sizeof(uint32_t)));
    place += isPointer ? pointerWords : 1;
  }
  builder.CreateCall(callee, {in, out});
  if (hasResult) {
    Value *result = PoisonValue::get(call.getType());
    for (unsigned i = 0; i < results; ++i) {
      Type *type = structure ? structure->getElementType(i) : call.getType();
      Value *each = builder.CreateLoad(type, at(out, i));
      result = structure ? builder.CreateInsertValue(result, each, i) : each;
    }
    call.replaceAllUsesWith(result);
  }
  call.eraseFromParent();
}

void Transformation::replace(Function &intrinsic, const Call &target) {
  bool packed = target.form == Form::Packed;
  SmallVector<Type *> types;
  if (packed)
    types = {pointer, pointer};
  else
    for (Type *type : intrinsic.getFunctionType()->params())
      types.push_back(type->isPointerTy() ? pointer : type);
  FunctionCallee callee = module.getOrInsertFunction(
      target.symbol, FunctionType::get(packed ? builder.getVoidTy()
                                              : intrinsic.getReturnType(),
                                       types, false));
  auto *function = cast<Function>(callee.getCallee());
  function->setConvergent();
  // The same for a thread wherever it asks.
  if (intrinsic.doesNotAccessMemory() && !packed) {
    function->setDoesNotAccessMemory();
    function->setWillReturn();
    function->setDoesNotThrow();
  }
  for (User *user : make_early_inc_range(intrinsic.users())) {
    auto *call = cast<CallInst>(user);
    if (packed) {
      pack(*call, callee);
      continue;
    }
    builder.SetInsertPoint(call);
    SmallVector<Value *> operands;
    for (auto [operand, type] : zip(call->args(), types))
      operands.push_back(type->isPointerTy()
                             ? builder.CreateAddrSpaceCast(operand, type)
                             : operand);
    call->replaceAllUsesWith(builder.CreateCall(callee, operands));
    call->eraseFromParent();
  }
}

Error Transformation::replaceIntrinsics() {
  uint32_t count;
  const Call *table = calls(count);
  for (Function &function : make_early_inc_range(module)) {
    if (!function.isDeclaration() || function.use_empty())
      continue;
    StringRef name = function.getName();
    const Call *found = std::find_if(table, table + count, [&](const Call &c) {
      return c.intrinsic && name == c.intrinsic;
    });
    if (found != table + count) {
      replace(function, *found);
      function.eraseFromParent();
      continue;
    }
    bool isAdded = std::any_of(table, table + count,
                               [&](const Call &c) { return name == c.symbol; });
    if (name.starts_with("llvm.nvvm.") || (!function.isIntrinsic() && !isAdded))
      return createStringError(
          "expected kernels to call only what the executor of test/simt knows, "
          "but got " +
          name + "; add it to test/simt/Calls.cpp");
  }
  return Error::success();
}

/// Whether `value` is used in `function`, through constants too.
bool isUsedIn(const Value &value, const Function &function) {
  return any_of(value.users(), [&](const User *user) {
    if (auto *instruction = dyn_cast<Instruction>(user))
      return instruction->getFunction() == &function;
    return isa<Constant>(user) && isUsedIn(*user, function);
  });
}

Constant *Transformation::sharedArrays(Function &kernel, uint32_t &count) {
  auto *type = StructType::get(pointer, builder.getInt64Ty());
  SmallVector<Constant *> arrays;
  for (GlobalVariable &variable : module.globals())
    if (variable.getAddressSpace() == sharedSpace && isUsedIn(variable, kernel))
      arrays.push_back(ConstantStruct::get(
          type, ConstantExpr::getAddrSpaceCast(&variable, pointer),
          builder.getInt64(module.getDataLayout().getTypeAllocSize(
              variable.getValueType()))));
  count = arrays.size();
  return global(ConstantArray::get(ArrayType::get(type, arrays.size()), arrays),
                kernel.getName() + "_shared", GlobalValue::InternalLinkage);
}

/// void(arguments): calls the kernel with what the array holds.
Function *Transformation::entry(Function &kernel) {
  auto *function = Function::Create(
      FunctionType::get(builder.getVoidTy(), {pointer}, false),
      GlobalValue::InternalLinkage, kernel.getName() + "_entry", module);
  builder.SetInsertPoint(BasicBlock::Create(module.getContext(), "", function));
  SmallVector<Value *> arguments;
  for (Argument &argument : kernel.args())
    arguments.push_back(builder.CreateAddrSpaceCast(
        builder.CreateLoad(
            pointer, builder.CreateConstInBoundsGEP1_32(
                         pointer, function->getArg(0), argument.getArgNo())),
        argument.getType()));
  builder.CreateCall(&kernel, arguments);
  builder.CreateRetVoid();
  return function;
}

/// A Kernel of Executor.h.
Constant *Transformation::describe(Function &kernel) {
  uint32_t count;
  Constant *shared = sharedArrays(kernel, count);
  Constant *name = global(
      ConstantDataArray::getString(module.getContext(), kernel.getName()),
      kernel.getName() + "_name", GlobalValue::InternalLinkage);
  return ConstantStruct::getAnon({name, entry(kernel), shared,
                                  builder.getInt32(count),
                                  builder.getInt32(kernel.arg_size())});
}

Error Transformation::run() {
  SmallVector<Function *> kernels;
  for (Function &function : module)
    if (function.getCallingConv() == CallingConv::PTX_Kernel)
      kernels.push_back(&function);
  for (Function *kernel : kernels) {
    kernel->setCallingConv(CallingConv::C);
    for (Argument &argument : kernel->args())
      if (!argument.getType()->isPointerTy())
        return createStringError("expected pointers as arguments of kernel '" +
                                 kernel->getName() + "'");
    checkAccesses(*kernel);
  }
  if (Error failed = replaceIntrinsics())
    return failed;
  SmallVector<Constant *> descriptions;
  for (Function *kernel : kernels)
    descriptions.push_back(describe(*kernel));
  for (GlobalVariable &variable : module.globals())
    if (variable.getAddressSpace() == sharedSpace) {
      variable.setInitializer(Constant::getNullValue(variable.getValueType()));
      variable.setLinkage(GlobalValue::InternalLinkage);
    }
  // The type of Kernel, as there may be none.
  auto *type = StructType::get(pointer, pointer, pointer, word, word);
  global(ConstantArray::get(ArrayType::get(type, descriptions.size()),
                            descriptions),
         "simt_kernels", GlobalValue::ExternalLinkage);
  global(builder.getInt32(descriptions.size()), "simt_kernel_count",
         GlobalValue::ExternalLinkage);
  return Error::success();
}

} // namespace

Expected<SmallVector<char, 0>> compileForHost(mlir::gpu::GPUModuleOp kernels) {
  Triple triple(sys::getProcessTriple());
  auto host = emit::resolveCpu(triple.isX86() ? "x86-64" : "aarch64", "native");
  if (!host)
    return host.takeError();
  mlir::DialectRegistry registry;
  mlir::registerAllToLLVMIRTranslations(registry);
  kernels.getContext()->appendDialectRegistry(registry);
  LLVMContext context;
  std::unique_ptr<Module> module =
      mlir::translateModuleToLLVMIR(kernels, context, "simt");
  if (!module)
    return createStringError("kernels cannot be translated to LLVM");
  module->setDataLayout(host->machine->createDataLayout());
  if (Error failed = Transformation(*module).run())
    return failed;
  emit::optimize(*module, *host->machine);
  return emit::compile(*module, *host->machine);
}

} // namespace pmpd::simt
