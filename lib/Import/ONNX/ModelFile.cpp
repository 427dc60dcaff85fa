// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/ModelFile.h"

#include "lib/Import/ONNX/FileCache.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace pmpd::onnx;
using llvm::StringRef;

llvm::Expected<ModelFile> ModelFile::open(StringRef path) {
  FileCache cache;
  llvm::Expected<StringRef> bytes = cache.map(path);
  if (!bytes)
    return bytes.takeError();
  llvm::Expected<std::string> outlined = outlinePayloads(*bytes);
  if (!outlined)
    return outlined.takeError();
  ModelFile file;
  file.path = path.str();
  file.model = std::make_unique<proto::ModelProto>();
  if (!file.model->ParseFromString(*outlined))
    return llvm::createStringError(
        "expected an ONNX model, but its protobuf cannot be read; the file is "
        "truncated or not ONNX");
  if (!file.model->has_graph())
    return llvm::createStringError(
        "expected an ONNX model, but there is no graph in it");
  return file;
}

/// The path of an external tensor file next to the model at `model`.
static llvm::Expected<std::string> resolve(StringRef model,
                                           StringRef location) {
  bool leaves = llvm::sys::path::is_absolute(location);
  for (auto it = llvm::sys::path::begin(location),
            end = llvm::sys::path::end(location);
       it != end; ++it)
    leaves |= *it == "..";
  if (leaves)
    return llvm::createStringError(
        "expected the location of external data to be a path inside the "
        "model's folder, but got '%s'",
        location.str().c_str());
  llvm::SmallString<128> path(llvm::sys::path::parent_path(model));
  llvm::sys::path::append(path, location);
  return path.str().str();
}

llvm::Expected<Payload>
ModelFile::locate(const proto::TensorProto &tensor) const {
  StringRef location;
  uint64_t offset = 0, length = 0;
  bool hasLength = false;
  for (const proto::StringStringEntryProto &entry : tensor.external_data()) {
    StringRef key = entry.key(), value = entry.value();
    bool valid = true;
    if (key == "location") {
      location = value;
    } else if (key == "offset") {
      valid = !value.getAsInteger(10, offset);
    } else if (key == "length") {
      valid = !value.getAsInteger(10, length);
      hasLength = true;
    }
    if (!valid)
      return llvm::createStringError(
          "expected the %s of external data to be a number, but got '%s'",
          key.str().c_str(), value.str().c_str());
  }
  Payload payload;
  payload.file = path;
  if (!location.empty()) {
    llvm::Expected<std::string> resolved = resolve(path, location);
    if (!resolved)
      return resolved.takeError();
    payload.file = *resolved;
  }
  uint64_t size;
  if (std::error_code error = llvm::sys::fs::file_size(payload.file, size))
    return llvm::createStringError(
        error,
        "expected external data in %s, but it cannot be read: %s; keep "
        "it next to the model",
        payload.file.c_str(), error.message().c_str());
  if (offset > size || (hasLength && length > size - offset))
    return llvm::createStringError(
        "expected %llu bytes of external data from byte %llu of %s, but it has "
        "%llu; the file is truncated",
        (unsigned long long)length, (unsigned long long)offset,
        payload.file.c_str(), (unsigned long long)size);
  payload.offset = offset;
  payload.length = hasLength ? length : size - offset;
  return payload;
}
