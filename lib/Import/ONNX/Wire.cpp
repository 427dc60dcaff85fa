// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/ModelFile.h"

#include <google/protobuf/wire_format_lite.h>

using namespace pmpd::onnx;
using google::protobuf::internal::WireFormatLite;
using llvm::StringRef;

namespace {

/// Field numbers of onnx.proto that lead to tensors.
enum class Message { Model, Graph, Node, Attribute, Tensor, Other };

Message getFieldMessage(Message parent, uint32_t field) {
  switch (parent) {
  case Message::Model:
    return field == 7 ? Message::Graph : Message::Other;
  case Message::Graph:
    return field == 1   ? Message::Node
           : field == 5 ? Message::Tensor
                        : Message::Other;
  case Message::Node:
    return field == 5 ? Message::Attribute : Message::Other;
  case Message::Attribute:
    return field == 5 || field == 10   ? Message::Tensor
           : field == 6 || field == 11 ? Message::Graph
                                       : Message::Other;
  default:
    return Message::Other;
  }
}

bool isPayload(uint32_t field) {
  return field == proto::TensorProto::kRawDataFieldNumber ||
         field == proto::TensorProto::kFloatDataFieldNumber ||
         field == proto::TensorProto::kDoubleDataFieldNumber;
}

struct Field {
  uint32_t number;
  WireFormatLite::WireType type;
  StringRef whole;   // with its tag
  StringRef payload; // of a length-delimited one
};

/// Reads the fields of a message.
class FieldReader {
public:
  explicit FieldReader(StringRef message) : rest(message) {}

  bool atEnd() const { return rest.empty(); }

  /// The next field; false if the message is damaged.
  bool next(Field &field) {
    StringRef start = rest;
    uint64_t tag;
    if (!readVarint(tag) || tag >> 32 != 0 || tag >> 3 == 0)
      return false;
    field.number = WireFormatLite::GetTagFieldNumber(tag);
    field.type = WireFormatLite::GetTagWireType(tag);
    field.payload = {};
    uint64_t length;
    switch (field.type) {
    case WireFormatLite::WIRETYPE_VARINT:
      if (!readVarint(length))
        return false;
      break;
    case WireFormatLite::WIRETYPE_FIXED64:
      if (!skip(8))
        return false;
      break;
    case WireFormatLite::WIRETYPE_FIXED32:
      if (!skip(4))
        return false;
      break;
    case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
      if (!readVarint(length) || length > rest.size())
        return false;
      field.payload = rest.take_front(length);
      rest = rest.drop_front(length);
      break;
    default: // groups are not used by ONNX
      return false;
    }
    field.whole = start.drop_back(rest.size());
    return true;
  }

private:
  bool skip(size_t bytes) {
    if (rest.size() < bytes)
      return false;
    rest = rest.drop_front(bytes);
    return true;
  }

  bool readVarint(uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
      uint8_t byte = rest.front();
      rest = rest.drop_front();
      value |= uint64_t(byte & 0x7f) << shift;
      if (!(byte & 0x80))
        return true;
    }
    return false;
  }

  StringRef rest;
};

class Outliner {
public:
  explicit Outliner(StringRef file) : file(file) {}

  llvm::Error rewrite(Message kind, StringRef message, std::string &to) {
    if (++depth > maxDepth)
      return llvm::createStringError(
          "expected graphs nested at most %u messages deep", maxDepth);
    llvm::Error error = kind == Message::Tensor
                            ? rewriteTensor(message, to)
                            : rewriteFields(kind, message, to);
    --depth;
    return error;
  }

private:
  static constexpr unsigned maxDepth = 64;

  llvm::Error makeDamaged(StringRef message) {
    return llvm::createStringError(
        "expected an ONNX model, but the message at byte %zu is damaged; the "
        "file is truncated or not ONNX",
        size_t(message.data() - file.data()));
  }

  static void append(uint32_t field, StringRef payload, std::string &to) {
    uint8_t header[15];
    uint8_t *end = google::protobuf::io::CodedOutputStream::WriteTagToArray(
        WireFormatLite::MakeTag(field,
                                WireFormatLite::WIRETYPE_LENGTH_DELIMITED),
        header);
    end = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(
        payload.size(), end);
    to.append(header, end);
    to.append(payload.data(), payload.size());
  }

  llvm::Error rewriteFields(Message kind, StringRef message, std::string &to) {
    FieldReader reader(message);
    Field field;
    while (!reader.atEnd()) {
      if (!reader.next(field))
        return makeDamaged(message);
      Message inner = getFieldMessage(kind, field.number);
      if (inner == Message::Other ||
          field.type != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
        to.append(field.whole.data(), field.whole.size());
        continue;
      }
      std::string rewritten;
      if (llvm::Error error = rewrite(inner, field.payload, rewritten))
        return error;
      append(field.number, rewritten, to);
    }
    return llvm::Error::success();
  }

  llvm::Error rewriteTensor(StringRef message, std::string &to) {
    FieldReader reader(message);
    Field field;
    StringRef payload;
    bool found = false;
    while (!reader.atEnd()) {
      if (!reader.next(field))
        return makeDamaged(message);
      if (!isPayload(field.number) ||
          field.type != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
        to.append(field.whole.data(), field.whole.size());
        continue;
      }
      if (found)
        return llvm::createStringError(
            "expected one payload per tensor, but the tensor at byte %zu has "
            "more",
            size_t(message.data() - file.data()));
      found = true;
      payload = field.payload;
    }
    if (!found)
      return llvm::Error::success();
    proto::TensorProto place;
    place.set_data_location(proto::TensorProto::EXTERNAL);
    auto add = [&](const char *key, size_t value) {
      auto *entry = place.add_external_data();
      entry->set_key(key);
      entry->set_value(std::to_string(value));
    };
    add("offset", payload.data() - file.data());
    add("length", payload.size());
    to += place.SerializeAsString();
    return llvm::Error::success();
  }

  StringRef file;
  unsigned depth = 0;
};

} // namespace

llvm::Expected<std::string> pmpd::onnx::outlinePayloads(StringRef file) {
  std::string result;
  if (llvm::Error error = Outliner(file).rewrite(Message::Model, file, result))
    return error;
  return result;
}
