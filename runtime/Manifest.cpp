// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/Manifest.h"

#include "runtime/Mapping.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

using namespace pmpd::rt;
namespace fs = std::filesystem;

namespace {

constexpr int kManifestVersion = 1;

bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Finds the one manifest; the tokenizer is JSON too, but named otherwise.
pmpd_status findManifest(const std::string &directory, std::string &path) {
  std::error_code error;
  std::vector<std::string> found;
  for (fs::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    std::string name = it->path().filename().string();
    if (endsWith(name, ".json") && !endsWith(name, ".tokenizer.json"))
      found.push_back(it->path().string());
  }
  if (error)
    return fail(error.value() == ENOENT ? PMPD_NOT_FOUND : PMPD_IO_ERROR,
                directory +
                    ": cannot read the model directory: " + error.message());
  if (found.empty())
    return fail(PMPD_NOT_FOUND, directory + ": expected the NAME.json of a "
                                            "compiled model, but found none; "
                                            "write one with pmpd-compile");
  std::sort(found.begin(), found.end());
  if (found.size() > 1)
    return fail(PMPD_BAD_MODEL,
                directory + ": expected one NAME.json, but found " + found[0] +
                    " and " + found[1] + "; keep one model per directory");
  path = found[0];
  return PMPD_OK;
}

/// Reads members of the manifest and remembers the first one that is wrong.
class Reader {
public:
  Reader(const nlohmann::json &json, std::string path)
      : json(json), path(std::move(path)) {}

  std::string text(const char *key) {
    auto member = json.find(key);
    if (member == json.end() || !member->is_string() ||
        member->get_ref<const std::string &>().empty()) {
      note(std::string("expected a text for \"") + key + "\"");
      return "";
    }
    return *member;
  }

  /// A file beside the manifest. Others are refused: a model is one directory.
  std::string file(const char *key) {
    std::string name = text(key);
    if (name.find('/') != std::string::npos)
      note(std::string("expected \"") + key +
           "\" to name a file beside it, but got " + name);
    return (fs::path(path).parent_path() / name).string();
  }

  void note(const std::string &text) {
    if (problem.empty())
      problem = text;
  }

  pmpd_status finish() const {
    if (problem.empty())
      return PMPD_OK;
    return fail(PMPD_BAD_MODEL,
                path + ": " + problem + "; write it with pmpd-compile");
  }

private:
  const nlohmann::json &json;
  std::string path;
  std::string problem;
};

} // namespace

pmpd_status Manifest::read(const std::string &directory, Manifest &manifest) {
  std::string path;
  if (pmpd_status status = findManifest(directory, path))
    return status;
  Mapping file;
  if (pmpd_status status = Mapping::ofFile(path, file))
    return status;
  nlohmann::json json = nlohmann::json::parse(
      file.data(), file.data() + file.size(), nullptr, false);
  if (!json.is_object())
    return fail(PMPD_BAD_MODEL, path + ": expected a JSON object; write it "
                                       "with pmpd-compile");
  Reader reader(json, path);
  if (reader.text("format") != "pmpd-model")
    reader.note("expected \"format\": \"pmpd-model\"");
  if (json.value("version", nlohmann::json()) != kManifestVersion)
    reader.note("expected \"version\": " + std::to_string(kManifestVersion));
  manifest.name = reader.text("name");
  manifest.library = json.contains("library") ? reader.file("library") : "";
  manifest.weights = reader.file("weights");
  manifest.tokenizer =
      json.contains("tokenizer") ? reader.file("tokenizer") : "";
  manifest.target = reader.text("target");
  if (manifest.target == Manifest::kNpuTarget)
    manifest.program = reader.file("program");
  else
    manifest.symbol = reader.text("symbol");
  return reader.finish();
}
