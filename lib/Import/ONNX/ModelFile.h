// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef LIB_IMPORT_ONNX_MODELFILE_H
#define LIB_IMPORT_ONNX_MODELFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <onnx/onnx_pb.h>

#include <memory>
#include <string>

namespace pmpd::onnx {

/// The ONNX protobuf schema, whose namespace is that of its library.
namespace proto = ::onnx;

/// The serialized ModelProto `file` without the payloads of its
/// tensors (raw_data and packed float_data, double_data). Such a tensor is
/// marked as EXTERNAL without a location, with the offset and the length of
/// the payload in `file`.
llvm::Expected<std::string> outlinePayloads(llvm::StringRef file);

/// Bytes of a tensor in a file.
struct Payload {
  std::string file;
  int64_t offset;
  int64_t length;
};

/// A model without its weights, which stay in their files.
class ModelFile {
public:
  static llvm::Expected<ModelFile> open(llvm::StringRef path);

  const proto::ModelProto &getModel() const { return *model; }
  llvm::StringRef getPath() const { return path; }

  /// Where the payload of `tensor`, an EXTERNAL one, is. Fails if its location
  /// is not a relative path inside the model's folder, if there is no such
  /// file, or if the file ends before the payload does.
  llvm::Expected<Payload> locate(const proto::TensorProto &tensor) const;

private:
  std::string path;
  std::unique_ptr<proto::ModelProto> model;
};

} // namespace pmpd::onnx

#endif // LIB_IMPORT_ONNX_MODELFILE_H
