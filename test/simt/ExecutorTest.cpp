// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The executor on small kernels, right ones and every kind of wrong ones.
#include "lib/Quant/Half.h"
#include "test/simt/LoadedModule.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Parser/Parser.h"

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

using namespace pmpd::simt;
using ::testing::HasSubstr;

namespace {

class Simt : public ::testing::Test {
protected:
  /// Compiles a kernel @k of NVVM; `globals` stand before it.
  llvm::Expected<LoadedModule> load(const std::string &body,
                                    const std::string &globals = "") {
    context.loadDialect<mlir::gpu::GPUDialect, mlir::LLVM::LLVMDialect,
                        mlir::NVVM::NVVMDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(
        "gpu.module @kernels {" + globals +
            "llvm.func @k(%a: !llvm.ptr<1>, %b: !llvm.ptr<1>) attributes "
            "{gpu.kernel, nvvm.kernel} {" +
            body + "}}",
        &context);
    if (!module)
      return llvm::createStringError("no module");
    return LoadedModule::create(
        *module->getOps<mlir::gpu::GPUModuleOp>().begin());
  }

  /// What the executor says of the kernel in both orders, which is the same.
  std::string run(const std::string &body, const std::string &globals = "",
                  uint32_t blocks = 1, uint32_t threads = 64) {
    auto loaded = load(body, globals);
    if (!loaded)
      return llvm::toString(loaded.takeError());
    const Kernel *kernel = loaded->find("k");
    if (!kernel)
      return "no kernel";
    void *arguments[] = {a.data(), b.data()};
    std::string result = launch(*kernel, arguments, blocks, threads);
    std::vector<int32_t> first = b;
    std::string again =
        launch(*kernel, arguments, blocks, threads, Order::Descending);
    EXPECT_EQ(result.empty(), again.empty());
    if (result.empty())
      EXPECT_EQ(first, b);
    return result;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<int32_t> a = std::vector<int32_t>(1024),
                       b = std::vector<int32_t>(1024);
};

constexpr char ids[] = R"(
  %t = nvvm.read.ptx.sreg.tid.x : i32
  %one = llvm.mlir.constant(1 : i32) : i32
  %zero = llvm.mlir.constant(0 : i32) : i32
  %all = llvm.mlir.constant(-1 : i32) : i32
  %clamp = llvm.mlir.constant(31 : i32) : i32
  %pa = llvm.getelementptr %a[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
  %pb = llvm.getelementptr %b[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
)";
constexpr char shared[] =
    "llvm.mlir.global internal @s() {addr_space = 3 : i32, alignment = 16 : "
    "i64} : !llvm.array<64 x i32>\n";
constexpr char sharedPlaces[] = R"(
  %s = llvm.mlir.addressof @s : !llvm.ptr<3>
  %ps = llvm.getelementptr %s[%t] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
  %other = llvm.xor %t, %clamp : i32
  %po = llvm.getelementptr %s[%other] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
)";

TEST_F(Simt, blocks_and_threads) {
  ASSERT_EQ(run(std::string(ids) + R"(
    %c = nvvm.read.ptx.sreg.ctaid.x : i32
    %n = nvvm.read.ptx.sreg.ntid.x : i32
    %first = llvm.mul %c, %n : i32
    %i = llvm.add %first, %t : i32
    %p = llvm.getelementptr %b[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
    llvm.store %i, %p : i32, !llvm.ptr<1>
    llvm.return)",
                "", 3, 96),
            "");
  for (int32_t i = 0; i < 3 * 96; ++i)
    EXPECT_EQ(b[i], i);
}

TEST_F(Simt, shuffles) {
  for (int32_t i = 0; i < 64; ++i)
    a[i] = 100 + i;
  ASSERT_EQ(run(std::string(ids) + R"(
    %x = llvm.load %pa : !llvm.ptr<1> -> i32
    %y = nvvm.shfl.sync bfly %all, %x, %one, %clamp : i32 -> i32
    %z = nvvm.shfl.sync idx %all, %y, %t, %clamp : i32 -> i32
    llvm.store %z, %pb : i32, !llvm.ptr<1>
    llvm.return)"),
            "");
  for (int32_t i = 0; i < 64; ++i)
    EXPECT_EQ(b[i], 100 + (i ^ 1));
}

TEST_F(Simt, reductions) {
  for (int32_t i = 0; i < 64; ++i)
    a[i] = i % 32 == 9 ? -1 : 100 + i;
  auto reduce = [&](const std::string &kind, const std::string &mask) {
    return run(std::string(ids) + "%x = llvm.load %pa : !llvm.ptr<1> -> i32\n" +
               "%y = nvvm.redux.sync " + kind + " %x, " + mask +
               " : i32 -> i32\n" +
               "llvm.store %y, %pb : i32, !llvm.ptr<1>\nllvm.return");
  };
  ASSERT_EQ(reduce("add", "%all"), "");
  for (int32_t i = 0; i < 64; ++i)
    EXPECT_EQ(b[i], (i < 32 ? 3696 : 4720) - (i < 32 ? 109 : 141) - 1);
  ASSERT_EQ(reduce("umin", "%all"), ""); // -1 is the largest
  for (int32_t i = 0; i < 64; ++i)
    EXPECT_EQ(b[i], i < 32 ? 100 : 132);
  EXPECT_THAT(reduce("add", "%clamp"),
              HasSubstr("expected a reduction over all lanes"));
}

TEST_F(Simt, barrier_orders_shared_memory) {
  ASSERT_EQ(run(std::string(ids) + sharedPlaces + R"(
    llvm.store %t, %ps : i32, !llvm.ptr<3>
    nvvm.barrier
    %x = llvm.load %po : !llvm.ptr<3> -> i32
    llvm.store %x, %pb : i32, !llvm.ptr<1>
    llvm.return)",
                shared),
            "");
  for (int32_t i = 0; i < 64; ++i)
    EXPECT_EQ(b[i], i ^ 31);
  // A barrier of the warp is enough where only its lanes are meant.
  EXPECT_EQ(run(std::string(ids) + sharedPlaces + R"(
    llvm.store %t, %ps : i32, !llvm.ptr<3>
    nvvm.bar.warp.sync %all : i32
    %x = llvm.load %po : !llvm.ptr<3> -> i32
    llvm.store %x, %pb : i32, !llvm.ptr<1>
    llvm.return)",
                shared),
            "");
}

TEST_F(Simt, shared_memory_is_new_in_every_block) {
  ASSERT_EQ(run(std::string(ids) + sharedPlaces + R"(
    %x = llvm.load %ps : !llvm.ptr<3> -> i32
    llvm.store %x, %pb : i32, !llvm.ptr<1>
    llvm.store %one, %ps : i32, !llvm.ptr<3>
    llvm.return)",
                shared, 2),
            "");
  EXPECT_EQ(b[0], -1);
}

TEST_F(Simt, refuses_races) {
  EXPECT_THAT(run(std::string(ids) + sharedPlaces + R"(
    llvm.store %t, %ps : i32, !llvm.ptr<3>
    %x = llvm.load %po : !llvm.ptr<3> -> i32
    llvm.store %x, %pb : i32, !llvm.ptr<1>
    llvm.return)",
                  shared),
              HasSubstr("a race on shared memory"));
  // What is read must not be written before the readers are done.
  EXPECT_THAT(run(std::string(ids) + sharedPlaces + R"(
    llvm.store %t, %ps : i32, !llvm.ptr<3>
    nvvm.barrier
    %x = llvm.load %po : !llvm.ptr<3> -> i32
    llvm.store %x, %ps : i32, !llvm.ptr<3>
    llvm.return)",
                  shared),
              HasSubstr("a race on shared memory"));
}

TEST_F(Simt, refuses_divergence) {
  constexpr char half[] = R"(
    %half = llvm.icmp "ult" %t, %clamp : i32
    llvm.cond_br %half, ^then, ^end)";
  EXPECT_THAT(run(std::string(ids) + half + R"(
    ^then:
      %y = nvvm.shfl.sync bfly %all, %t, %one, %clamp : i32 -> i32
      llvm.store %y, %pb : i32, !llvm.ptr<1>
      llvm.br ^end
    ^end:
      llvm.return)"),
              HasSubstr("diverge at a warp operation"));
  EXPECT_THAT(run(std::string(ids) + half + R"(
    ^then:
      nvvm.barrier
      llvm.br ^end
    ^end:
      llvm.return)"),
              HasSubstr("31 of 64 threads wait at a barrier"));
}

TEST_F(Simt, refuses_bad_addresses) {
  EXPECT_THAT(run(std::string(ids) + sharedPlaces + R"(
    %p = llvm.getelementptr %ps[1] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i32
    llvm.store %t, %p : i32, !llvm.ptr<3>
    llvm.return)",
                  shared),
              HasSubstr("out of the bounds of shared memory"));
  EXPECT_THAT(run(std::string(ids) + R"(
    %x = llvm.load %pa {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
    llvm.store %x, %pb {alignment = 4 : i64} : vector<4xi32>, !llvm.ptr<1>
    llvm.return)"),
              HasSubstr("thread 1: an address that is not aligned to 16"));
}

TEST_F(Simt, copies_arrive_when_waited_for) {
  for (int32_t i = 0; i < 64; ++i)
    a[i] = i;
  auto copy = [&](const char *wait) {
    return run(std::string(ids) + sharedPlaces +
                   "nvvm.cp.async.shared.global %ps, %pa, 4, cache = ca : "
                   "!llvm.ptr<3>, !llvm.ptr<1>\n"
                   "nvvm.cp.async.commit.group\n" +
                   wait + R"(
      %x = llvm.load %ps : !llvm.ptr<3> -> i32
      llvm.store %x, %pb : i32, !llvm.ptr<1>
      llvm.return)",
               shared);
  };
  ASSERT_EQ(copy("nvvm.cp.async.wait.group 0"), "");
  EXPECT_EQ(b[7], 7);
  ASSERT_EQ(copy("nvvm.cp.async.wait.group 1"), "");
  EXPECT_EQ(b[7], -1);
}

/// %w0, %w1 ...: the words of %a that are this thread's.
std::string loadWords(int count) {
  std::string n = std::to_string(count);
  std::string body = std::string(ids) + "%n = llvm.mlir.constant(" + n +
                     " : i32) : i32\n"
                     "%ti = llvm.mul %t, %n : i32\n"
                     "%in = llvm.getelementptr %a[%ti] : (!llvm.ptr<1>, i32) "
                     "-> !llvm.ptr<1>, i32\n";
  for (int i = 0; i < count; ++i) {
    std::string n = std::to_string(i);
    body += "%q" + n + " = llvm.getelementptr %in[" + n +
            "] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i32\n%w" + n +
            " = llvm.load %q" + n + " : !llvm.ptr<1> -> i32\n";
  }
  return body;
}

/// Writes the four words of %d, each a `type`, to those of %b that are this
/// thread's.
std::string storeResult(const std::string &type) {
  std::string structure =
      "!llvm.struct<(" + type + ", " + type + ", " + type + ", " + type + ")>";
  std::string body =
      "%four = llvm.mlir.constant(4 : i32) : i32\n"
      "%to = llvm.mul %t, %four : i32\n"
      "%out = llvm.getelementptr %b[%to] : (!llvm.ptr<1>, i32) -> "
      "!llvm.ptr<1>, i32\n";
  for (int i = 0; i < 4; ++i) {
    std::string n = std::to_string(i);
    body += "%r" + n + " = llvm.extractvalue %d[" + n + "] : " + structure +
            "\n%o" + n + " = llvm.getelementptr %out[" + n +
            "] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i32\nllvm.store %r" + n +
            ", %o" + n + " : " + type + ", !llvm.ptr<1>\n";
  }
  return body + "llvm.return";
}

TEST_F(Simt, multiplies_tiles) {
  std::string body =
      loadWords(10) +
      "%d = nvvm.mma.sync A[%w0, %w1, %w2, %w3] B[%w4, %w5] C[%w6, %w7, "
      "%w8, %w9] {layoutA = #nvvm.mma_layout<row>, layoutB = "
      "#nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<u8>, "
      "multiplicandBPtxType = #nvvm.mma_type<s8>, intOverflowBehavior = "
      "#nvvm.mma_int_overflow<wrapped>, shape = #nvvm.shape<m = 16, n = 8, "
      "k = 32>} : (i32, i32, i32) -> !llvm.struct<(i32, i32, i32, i32)>\n" +
      storeResult("i32");
  std::mt19937 random(1);
  for (int32_t &word : a)
    word = random();
  ASSERT_EQ(run(body, "", 1, 32), "");
  auto byteOf = [&](int lane, int word, int byte) {
    return static_cast<uint8_t>(a[lane * 10 + word] >> 8 * byte);
  };
  // Figures of the PTX manual, "Matrix Fragments for mma.m16n8k32".
  for (int row = 0; row < 16; ++row)
    for (int col = 0; col < 8; ++col) {
      int lane = row % 8 * 4 + col / 2, i = row / 8 * 2 + col % 2;
      int64_t sum = a[lane * 10 + 6 + i];
      for (int k = 0; k < 32; ++k) {
        uint8_t x =
            byteOf(row % 8 * 4 + k % 16 / 4, k / 16 * 2 + row / 8, k % 4);
        int8_t y = byteOf(col * 4 + k % 16 / 4, 4 + k / 16, k % 4);
        sum += x * y;
      }
      EXPECT_EQ(b[lane * 4 + i], static_cast<int32_t>(sum));
    }
}

TEST_F(Simt, multiplies_tiles_of_halves) {
  std::string body = loadWords(10);
  for (int i = 0; i < 10; ++i) {
    std::string n = std::to_string(i);
    body += "%x" + n + " = llvm.bitcast %w" + n + " : i32 to " +
            (i < 6 ? "vector<2xf16>" : "f32") + "\n";
  }
  body += "%d = nvvm.mma.sync A[%x0, %x1, %x2, %x3] B[%x4, %x5] C[%x6, %x7, "
          "%x8, %x9] {layoutA = #nvvm.mma_layout<row>, layoutB = "
          "#nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>} "
          ": (vector<2xf16>, vector<2xf16>, f32) -> "
          "!llvm.struct<(f32, f32, f32, f32)>\n" +
          storeResult("f32");
  // Sums of these are exact in f32, in any order.
  std::mt19937 random(1);
  std::uniform_int_distribution<int> numbers(-800, 800);
  for (size_t i = 0; i < a.size(); ++i)
    if (i % 10 < 6) {
      uint32_t low = pmpd::floatToHalf(numbers(random) / 64.0f);
      a[i] = low | pmpd::floatToHalf(numbers(random) / 64.0f) << 16;
    } else {
      float addend = numbers(random);
      std::memcpy(&a[i], &addend, sizeof(addend));
    }
  ASSERT_EQ(run(body, "", 1, 32), "");
  auto halfOf = [&](int lane, int word, int half) -> double {
    return pmpd::halfToFloat(a[lane * 10 + word] >> 16 * half);
  };
  auto floatOf = [](int32_t word) {
    float value;
    std::memcpy(&value, &word, sizeof(value));
    return value;
  };
  // Figures of the PTX manual, "Matrix Fragments for mma.m16n8k16 with
  // floating point type".
  for (int row = 0; row < 16; ++row)
    for (int col = 0; col < 8; ++col) {
      int lane = row % 8 * 4 + col / 2, i = row / 8 * 2 + col % 2;
      double sum = floatOf(a[lane * 10 + 6 + i]);
      for (int k = 0; k < 16; ++k)
        sum += halfOf(row % 8 * 4 + k % 8 / 2, k / 8 * 2 + row / 8, k % 2) *
               halfOf(col * 4 + k % 8 / 2, 4 + k / 8, k % 2);
      EXPECT_EQ(floatOf(b[lane * 4 + i]), sum);
    }
}

TEST_F(Simt, loads_matrices) {
  constexpr char memory[] =
      "llvm.mlir.global internal @s() {addr_space = 3 : i32, alignment = 16 : "
      "i64} : !llvm.array<128 x i32>\n";
  // Row t % 8 of matrix t / 8 is the 16 bytes of lane t.
  auto load = [&](const std::string &layout, const std::string &barrier,
                  int places) {
    std::string body = loadWords(4) +
                       "%s = llvm.mlir.addressof @s : !llvm.ptr<3>\n"
                       "%ps = llvm.getelementptr %s[%ti] : (!llvm.ptr<3>, i32) "
                       "-> !llvm.ptr<3>, i32\n";
    for (int i = 0; i < 4; ++i) {
      std::string n = std::to_string(i);
      body += "%p" + n + " = llvm.getelementptr %ps[" + n +
              "] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i32\nllvm.store %w" + n +
              ", %p" + n + " : i32, !llvm.ptr<3>\n";
    }
    body += barrier + "%from = llvm.getelementptr %ps[" +
            std::to_string(places) +
            "] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i32\n"
            "%d = nvvm.ldmatrix %from {num = 4 : i32, layout = "
            "#nvvm.mma_layout<" +
            layout +
            ">, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = "
            "#nvvm.ld_st_matrix_elt_type<b16>} : (!llvm.ptr<3>) -> "
            "!llvm.struct<(i32, i32, i32, i32)>\n" +
            storeResult("i32");
    return run(body, memory, 1, 32);
  };
  std::mt19937 random(1);
  for (int32_t &word : a)
    word = random();
  auto half = [](const std::vector<int32_t> &words, int word, int i) {
    return static_cast<uint16_t>(words[word] >> 16 * i);
  };
  for (bool transposed : {false, true}) {
    ASSERT_EQ(load(transposed ? "col" : "row", "nvvm.barrier\n", 0), "");
    for (int lane = 0; lane < 32; ++lane)
      for (int matrix = 0; matrix < 4; ++matrix)
        for (int i = 0; i < 2; ++i) {
          int row = lane / 4, col = lane % 4 * 2 + i;
          if (transposed)
            std::swap(row, col);
          EXPECT_EQ(half(b, lane * 4 + matrix, i),
                    half(a, matrix * 32 + row * 4 + col / 2, col % 2));
        }
  }
  EXPECT_THAT(load("row", "nvvm.barrier\n", 2), HasSubstr("not aligned to 16"));
  EXPECT_THAT(load("row", "nvvm.barrier\n", 4), HasSubstr("out of the bounds"));
}

TEST_F(Simt, refuses_matrices_of_others_before_a_barrier) {
  EXPECT_THAT(run(std::string(ids) + sharedPlaces + R"(
    llvm.store %t, %ps : i32, !llvm.ptr<3>
    %d = nvvm.ldmatrix %s {num = 4 : i32, layout = #nvvm.mma_layout<row>,
      shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>,
      eltType = #nvvm.ld_st_matrix_elt_type<b16>} :
      (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
    llvm.return)",
                  shared),
              HasSubstr("a race on shared memory"));
}

TEST_F(Simt, refuses_what_it_does_not_know) {
  EXPECT_THAT(run(std::string(ids) + R"(
    %x = nvvm.read.ptx.sreg.smid : i32
    llvm.store %x, %pb : i32, !llvm.ptr<1>
    llvm.return)"),
              HasSubstr("but got llvm.nvvm.read.ptx.sreg.smid"));
  EXPECT_THAT(run("llvm.return", "", 1, 33), HasSubstr("multiple of 32"));
}

} // namespace
