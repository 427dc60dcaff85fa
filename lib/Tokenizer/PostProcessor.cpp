// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Tokenizer/PostProcessor.h"

using namespace pmpd::tokenizer;

static Frame readTemplate(const Json &component) {
  Frame frame;
  std::vector<int32_t> *side = &frame.before;
  for (const Json &item : component.at("single")) {
    if (item.contains("Sequence")) {
      side = &frame.after;
      continue;
    }
    auto name = item.at("SpecialToken").at("id").get<std::string>();
    for (const Json &id : component.at("special_tokens").at(name).at("ids"))
      side->push_back(readId(id));
  }
  return frame;
}

Frame pmpd::tokenizer::readPostProcessor(const Json &component) {
  if (component.is_null())
    return {};
  auto type = component.at("type").get<std::string>();
  if (type == "ByteLevel") // Only moves offsets, which are not kept.
    return {};
  if (type == "TemplateProcessing")
    return readTemplate(component);
  if (type == "Sequence") {
    Frame frame;
    for (const Json &item : sequenceItems(component, "processors")) {
      Frame outer = readPostProcessor(item);
      frame.before.insert(frame.before.begin(), outer.before.begin(),
                          outer.before.end());
      frame.after.insert(frame.after.end(), outer.after.begin(),
                         outer.after.end());
    }
    return frame;
  }
  throw LoadError("unsupported post_processor '" + type +
                  "': expected ByteLevel, Sequence or TemplateProcessing");
}
