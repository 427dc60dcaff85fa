// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A CUDA driver without a GPU: a libcuda.so.1 whose device memory is memory of
// the host and whose kernels are those of the shared objects that
// PMPD_SIMT_KERNELS names, separated by colons, which pmpd-simt made; the
// executor runs them.
//
// It is stricter than a driver. Work happens only when something waits for it,
// device addresses fault where the host uses them, device memory begins as 0xFF
// bytes and ends at a page that faults, and what would be a wrong use ends the
// process with a text. The environment says what the machine is:
//     PMPD_FAKE_CUDA_DEVICES  number of GPUs (1)
//     PMPD_FAKE_CUDA_SM       their compute capability (90)
//     PMPD_FAKE_CUDA_MEMORY   KiB of each (4194304)
//     PMPD_FAKE_CUDA_DRIVER   version of the driver (13000)
//     PMPD_FAKE_CUDA_FAIL     CALL=ERROR[@N],...: the N-th call since the
//                             variable was set fails, or every one
//     PMPD_FAKE_CUDA_LOG      file to which the name of every call is added,
//     and
//                             "N bytes to the host" when a copy has run
//     PMPD_FAKE_CUDA_KERNELS  file to which that of every kernel launched is
//                             added
#ifndef PMPD_TEST_SIMT_CUDA_FAKE_H
#define PMPD_TEST_SIMT_CUDA_FAKE_H

#include "runtime/targets/cuda/Api.h"
#include "test/simt/Executor.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace pmpd::fakecuda {

using namespace pmpd::cuda;

enum : Result {
  kInvalidValue = 1,
  kNotInitialized = 3,
  kInvalidPtx = 218,
  kNotFound = 500,
  kNotReady = 600,
  kIllegalAddress = 700,
  kLaunchFailed = 719,
  kCaptureInvalidated = 901
};

/// Ends the process: the runtime used the driver wrongly.
[[noreturn]] void misuse(const std::string &text);

/// Runs a kernel; what it touches outside of device memory is a misuse that
/// names it.
std::string runKernel(const simt::Kernel &kernel,
                      const std::vector<Address> &arguments, uint32_t blocks,
                      uint32_t threads);

/// A whole number from the environment.
long setting(const char *name, long otherwise);

/// Device memory: allocations, reserved addresses and what is mapped there.
class Memory {
public:
  static constexpr uint64_t kPageBytes = 4 << 10; // what can be mapped

  Result allocate(Address *address, uint64_t bytes);
  void free(Address address);
  Result create(AllocationHandle *handle, uint64_t bytes);
  void release(AllocationHandle handle);
  Result reserve(Address *address, uint64_t bytes);
  void unreserve(Address address, uint64_t bytes);
  void map(Address address, uint64_t bytes, AllocationHandle handle);
  void setAccess(Address address, uint64_t bytes);
  void unmap(Address address, uint64_t bytes);

  /// The host's pointer to `bytes` of live device memory; `what` is for the
  /// text of a misuse.
  uint8_t *at(Address address, uint64_t bytes, const char *what) const;

  uint64_t total() const;
  uint64_t free() const { return total() - used; }
  bool empty() const { return blocks.empty() && handles.empty(); }

private:
  struct Block {
    uint8_t *pages; // of the host, a guard behind them
    uint64_t pageBytes;
    uint64_t bytes;
    bool reserved; // addresses only
  };
  struct Mapping {
    uint64_t bytes;
    bool accessible;
  };
  struct Allocation {
    uint64_t bytes;
    bool released;
    int mappings;
  };
  Result add(Address *address, uint64_t bytes, bool reserved);
  void dropIfUnused(AllocationHandle handle);

  std::map<Address, Block> blocks; // by the first address
  std::map<Address, std::pair<Mapping, AllocationHandle>> mappings;
  std::map<AllocationHandle, Allocation> handles;
  AllocationHandle nextHandle = 1;
  uint64_t used = 0;
};

struct Function {
  const simt::Kernel *kernel;
};

/// An image and the kernels that were asked for.
struct LoadedImage {
  std::string text; // of PTX; "" for a cubin
  std::map<std::string, Function> functions;
};

/// Loads an image; what is wrong with it is written to `log`.
Result loadImage(const void *data, std::string &log,
                 std::unique_ptr<LoadedImage> &image);

/// Finds a kernel in the image and in PMPD_SIMT_KERNELS.
Result findFunction(LoadedImage &image, const std::string &name,
                    Function **function);

/// A piece of work of a stream: empty text, or what went wrong.
using Work = std::function<std::string()>;

struct RecordedGraph {
  std::vector<Work> work;
};

struct WorkQueue {
  std::vector<Work> pending;
  std::unique_ptr<RecordedGraph> capture; // while one is recorded

  /// Adds work to what is pending, or to what is recorded.
  void add(Work work) {
    (capture ? capture->work : pending).push_back(std::move(work));
  }
};

struct RecordedEvent {
  WorkQueue *queue = nullptr; // where it was recorded last
  bool done = false;
  double milliseconds = 0;
};

/// Everything there is, under one lock.
struct Driver {
  std::recursive_mutex mutex;
  bool initialized = false;
  int retained = 0; // primary contexts
  Memory memory;
  std::map<void *, uint64_t> pinned; // bytes
  std::map<ModuleHandle, std::unique_ptr<LoadedImage>> modules;
  std::map<StreamHandle, std::unique_ptr<WorkQueue>> streams;
  std::map<EventHandle, std::unique_ptr<RecordedEvent>> events;
  std::map<GraphHandle, std::unique_ptr<RecordedGraph>> graphs;
  std::map<GraphExecHandle, std::unique_ptr<RecordedGraph>> graphExecs;
  Result sticky = kSuccess; // a failed kernel ends the context
  std::string stickyText;

  ~Driver();
  /// Runs what is pending; the result is sticky.
  Result drain(WorkQueue &queue);
  bool isPinned(const void *data, uint64_t bytes) const;
};

Driver &driver();

/// The work of a live stream.
WorkQueue &queueOf(StreamHandle stream);

} // namespace pmpd::fakecuda

#endif // PMPD_TEST_SIMT_CUDA_FAKE_H
