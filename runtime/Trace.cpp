// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Trace.h"
#include "runtime/OutputFile.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

using namespace pmpd::rt;
using Json = nlohmann::ordered_json;

// The number of the GPU among the threads.
static constexpr int kGpu = 1 << 20;

void Trace::add(Event event) {
  std::lock_guard<std::mutex> lock(mutex);
  std::thread::id self = std::this_thread::get_id();
  auto known = std::find(threads.begin(), threads.end(), self);
  event.thread = event.launch ? kGpu : int(known - threads.begin());
  if (known == threads.end())
    threads.push_back(self);
  events.push_back(event);
}

void Trace::addRegion(const pmpd_region_desc &region, int64_t rows,
                      int64_t position, Clock::time_point begin,
                      Clock::time_point end) {
  add({nullptr, nullptr, &region, rows, position, 0, begin, end});
}

void Trace::addLaunch(const pmpd_gpu_kernel &kernel, int64_t blocks,
                      Clock::time_point begin, Clock::time_point end) {
  add({nullptr, &kernel, nullptr, blocks, 0, 0, begin, end});
}

void Trace::addTasks(pmpd_kernel kernel, int64_t tasks, Clock::time_point begin,
                     Clock::time_point end) {
  add({kernel, nullptr, nullptr, tasks, 0, 0, begin, end});
}

void Trace::clear() {
  std::lock_guard<std::mutex> lock(mutex);
  events.clear();
}

pmpd_status Trace::write(const std::string &path,
                         const pmpd_model_desc &desc) const {
  std::unordered_map<pmpd_kernel, const char *> names;
  for (int32_t i = 0; i < desc.kernel_count; ++i)
    names[desc.kernels[i].kernel] = desc.kernels[i].name;
  std::vector<Event> sorted = events;
  // Of two that begin together the longer one encloses the other.
  std::stable_sort(sorted.begin(), sorted.end(), [](auto &a, auto &b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
  });
  Json list = Json::array();
  list.push_back({{"ph", "M"},
                  {"pid", 1},
                  {"name", "process_name"},
                  {"args", {{"name", desc.name}}}});
  if (desc.gpu_image_count > 0)
    list.push_back({{"ph", "M"},
                    {"pid", 1},
                    {"tid", kGpu},
                    {"name", "thread_name"},
                    {"args", {{"name", "GPU"}}}});
  for (const Event &event : sorted) {
    Json json = {{"ph", "X"},
                 {"pid", 1},
                 {"tid", event.thread},
                 {"ts", microseconds(event.begin)},
                 {"dur", microseconds(event.end) - microseconds(event.begin)}};
    if (event.region) {
      bool prefill = event.region->phase == PMPD_PREFILL;
      json["name"] = (prefill ? "prefill " : "decode ") +
                     std::to_string(event.region->bits) + " bits";
      json["cat"] = "region";
      json["args"] = {{"bits", event.region->bits},
                      {"rows", event.count},
                      {"position", event.position},
                      {"weight_bytes", event.region->weight_bytes}};
    } else if (event.launch) {
      json["name"] = event.launch->name;
      json["cat"] = "kernel";
      json["args"] = {{"blocks", event.count},
                      {"threads", event.launch->threads}};
    } else {
      auto name = names.find(event.kernel);
      json["name"] = name == names.end() ? "kernel" : name->second;
      json["cat"] = "kernel";
      json["args"] = {{"tasks", event.count}};
    }
    list.push_back(std::move(json));
  }
  Json document = {{"displayTimeUnit", "ns"}, {"traceEvents", list}};
  return writeFile(path, document.dump() + "\n");
}
