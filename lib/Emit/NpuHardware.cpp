// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/NpuHardware.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace pmpd::emit {
namespace {

constexpr struct {
  const char *name, *text;
} named[] = {
#include "pmpd/npu_hardware.inc"
};

Error refuse(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

/// The value of a number that has a unit and a source beside it.
Expected<double> readNumber(const json::Object &numbers, StringRef key,
                            const std::string &origin) {
  const json::Object *number = numbers.getObject(key);
  std::optional<double> value =
      number ? number->getNumber("value") : std::nullopt;
  if (!value || *value < 0)
    return refuse(origin +
                  ": expected a number of at least 0 as the \"value\" "
                  "of \"" +
                  key + "\"");
  if (!number->getString("source"))
    return refuse(origin + ": expected a \"source\" for \"" + key + "\"");
  return *value;
}

/// Numbers that say how large the machine is, in KiB, not only how fast.
constexpr StringLiteral Sizes[] = {"scratchpad_kib", "accumulator_kib"};

Expected<NpuHardware> parse(StringRef text, const std::string &origin) {
  Expected<json::Value> parsed = json::parse(text);
  if (!parsed)
    return refuse(origin + ": " + toString(parsed.takeError()));
  const json::Object *object = parsed->getAsObject();
  const json::Object *numbers = object ? object->getObject("numbers") : nullptr;
  std::optional<StringRef> name =
      object ? object->getString("name") : std::nullopt;
  if (!numbers || !name || name->empty())
    return refuse(origin +
                  ": expected an object with \"name\" and \"numbers\"");
  // A configuration has the numbers that the first named one has.
  json::Value model = cantFail(json::parse(named[0].text));
  const json::Object &expected = *model.getAsObject()->getObject("numbers");
  for (const auto &[key, value] : *numbers)
    if (!expected.get(key))
      return refuse(origin + ": expected numbers as in the configuration " +
                    named[0].name + ", but got \"" + key.str() + "\"");
  for (const auto &[key, value] : expected)
    if (Expected<double> number = readNumber(*numbers, key, origin); !number)
      return number.takeError();
  double kib = 0;
  for (StringRef key : Sizes)
    kib += cantFail(readNumber(*numbers, key, origin));
  if (kib < 1 || kib > (1 << 14)) // addresses have 24 bits
    return refuse(origin + ": expected 1 to " + Twine(1 << 14) +
                  " KiB of scratchpad and accumulators, but got " +
                  Twine(static_cast<int64_t>(kib)));
  return NpuHardware{name->str(), text.str(), static_cast<int64_t>(kib * 1024)};
}

} // namespace

Expected<NpuHardware> findNpuHardware(const std::string &nameOrPath) {
  if (StringRef(nameOrPath).find_first_of("./") != StringRef::npos) {
    auto file = MemoryBuffer::getFile(nameOrPath);
    if (!file)
      return refuse(nameOrPath + ": " + file.getError().message());
    return parse((*file)->getBuffer(), nameOrPath);
  }
  std::string known;
  for (const auto &[name, text] : named) {
    if (nameOrPath == name)
      return parse(text, name);
    known += std::string(known.empty() ? "" : ", ") + name;
  }
  return refuse("configuration '" + nameOrPath + "': expected one of " + known +
                ", or the path of a JSON file");
}

} // namespace pmpd::emit
