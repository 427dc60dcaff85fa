// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Trace.h"
#include "runtime/OutputFile.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

using namespace pmpd::rt;
using Json = nlohmann::ordered_json;

void Trace::add(Event event) {
  std::lock_guard<std::mutex> lock(mutex);
  std::thread::id self = std::this_thread::get_id();
  auto known = std::find(threads.begin(), threads.end(), self);
  event.thread = int(known - threads.begin());
  if (known == threads.end())
    threads.push_back(self);
  events.push_back(event);
}

void Trace::addRegion(const pmpd_region_desc &region, int64_t rows,
                      int64_t position, Clock::time_point begin,
                      Clock::time_point end) {
  add({nullptr, &region, rows, position, 0, begin, end});
}

void Trace::addTasks(pmpd_kernel kernel, int64_t tasks,
                     Clock::time_point begin, Clock::time_point end) {
  add({kernel, nullptr, tasks, 0, 0, begin, end});
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
