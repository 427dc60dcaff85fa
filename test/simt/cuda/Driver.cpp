// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/cuda/Fake.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sstream>
#include <unistd.h>

using namespace pmpd;
using namespace pmpd::fakecuda;

void pmpd::fakecuda::misuse(const std::string &text) {
  std::fprintf(stderr, "fake CUDA driver: %s\n", text.c_str());
  std::abort();
}

static const char *runningKernel = nullptr;

static void reportFault(int) {
  for (const char *part :
       {"fake CUDA driver: outside of device memory: ", runningKernel, "\n"})
    if (write(STDERR_FILENO, part, std::strlen(part)) < 0)
      break;
  std::abort();
}

std::string pmpd::fakecuda::runKernel(const simt::Kernel &kernel,
                                      const std::vector<Address> &arguments,
                                      uint32_t blocks, uint32_t threads) {
  struct sigaction action = {}, before;
  action.sa_handler = reportFault;
  sigaction(SIGSEGV, &action, &before);
  std::vector<void *> pointers;
  for (Address argument : arguments)
    pointers.push_back(driver().memory.at(argument, 1, kernel.name));
  runningKernel = kernel.name;
  std::string wrong = simt::launch(kernel, pointers.data(), blocks, threads);
  sigaction(SIGSEGV, &before, nullptr);
  return wrong;
}

long pmpd::fakecuda::setting(const char *name, long otherwise) {
  const char *text = std::getenv(name);
  return text ? std::strtol(text, nullptr, 10) : otherwise;
}

Driver &pmpd::fakecuda::driver() {
  static Driver instance;
  return instance;
}

Driver::~Driver() {
  if (!memory.empty() || !pinned.empty() || !modules.empty() ||
      !streams.empty() || !events.empty() || !graphs.empty() ||
      !graphExecs.empty() || retained != 0)
    misuse("something was not given back at the end");
}

Result Driver::drain(WorkQueue &queue) {
  std::vector<Work> work = std::move(queue.pending);
  queue.pending.clear();
  for (const Work &piece : work) {
    if (sticky)
      break;
    stickyText = piece();
    if (!stickyText.empty())
      sticky = kLaunchFailed;
  }
  return sticky;
}

bool Driver::isPinned(const void *data, uint64_t bytes) const {
  auto block = pinned.upper_bound(const_cast<void *>(data));
  if (block == pinned.begin())
    return false;
  --block;
  return static_cast<const char *>(data) + bytes <=
         static_cast<const char *>(block->first) + block->second;
}

Result pmpd::fakecuda::loadImage(const void *data, std::string &log,
                                 std::unique_ptr<LoadedImage> &image) {
  auto loaded = std::make_unique<LoadedImage>();
  const char *text = static_cast<const char *>(data);
  if (std::strncmp(text, "\177ELF", 4) != 0) {
    loaded->text = text;
    size_t target = loaded->text.find("\n.target sm_");
    if (target == std::string::npos) {
      log = "ptxas application ptx input, line 1; fatal   : Missing .target "
            "directive";
      return kInvalidPtx;
    }
    if (std::atoi(text + target + 12) > setting("PMPD_FAKE_CUDA_SM", 90))
      return Result(209); // CUDA_ERROR_NO_BINARY_FOR_GPU
  }
  image = std::move(loaded);
  return kSuccess;
}

/// Parameters of an entry of PTX; -1 if there is no such entry.
static int parametersOf(const std::string &text, const std::string &name) {
  size_t at = text.find(".entry " + name + "(");
  if (at == std::string::npos)
    return -1;
  size_t end = text.find(')', at);
  int count = 0;
  while ((at = text.find(".param ", at + 1)) < end)
    ++count;
  return count;
}

/// Looks a kernel up in the objects of PMPD_SIMT_KERNELS.
static const simt::Kernel *findKernel(const std::string &name) {
  const char *setting = std::getenv("PMPD_SIMT_KERNELS");
  if (!setting)
    misuse("PMPD_SIMT_KERNELS is not set");
  std::istringstream paths(setting);
  for (std::string path; std::getline(paths, path, ':');) {
    void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library)
      misuse(std::string("PMPD_SIMT_KERNELS: ") + dlerror());
    auto *kernels =
        static_cast<const simt::Kernel *>(dlsym(library, "simt_kernels"));
    auto *count =
        static_cast<const uint32_t *>(dlsym(library, "simt_kernel_count"));
    for (uint32_t i = 0; kernels && count && i < *count; ++i)
      if (kernels[i].name == name)
        return &kernels[i];
  }
  return nullptr;
}

Result pmpd::fakecuda::findFunction(LoadedImage &image, const std::string &name,
                                    Function **function) {
  const simt::Kernel *kernel = findKernel(name);
  if (!kernel)
    return kNotFound;
  if (!image.text.empty()) {
    int parameters = parametersOf(image.text, name);
    if (parameters < 0)
      return kNotFound;
    if (parameters != int(kernel->arguments))
      misuse(name + " has " + std::to_string(parameters) +
             " parameters in PTX and " + std::to_string(kernel->arguments) +
             " on the host");
  }
  image.functions[name] = {kernel};
  *function = &image.functions[name];
  return kSuccess;
}
