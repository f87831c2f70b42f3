// The metadata of GGUF files (ggml's model format, versions 2 and 3, little endian): typed values by key. Tensors are
// not touched here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace llmkit::formats {

// Numbers are widened; of arrays those of strings, integers and reals are kept apart.
struct GgufValue {
  using Value = std::variant<uint64_t, int64_t, double, bool, std::string, std::vector<std::string>,
                             std::vector<int64_t>, std::vector<double>>;
  Value value;
};

class GgufMetadata {
 public:
  std::vector<std::pair<std::string, GgufValue>> entries;  // in the order of the file

  const GgufValue* find(std::string_view key) const;
  // The value, or nothing where the key is absent; an Error where it is of another type.
  std::optional<std::string> text(std::string_view key) const;
  std::optional<int64_t> integer(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  const std::vector<std::string>* texts(std::string_view key) const;
  const std::vector<int64_t>* integers(std::string_view key) const;
  const std::vector<double>* reals(std::string_view key) const;

  std::string where;  // names the file in messages
};

// Every count is compared with the bytes that are left before anything is allocated; keys must be distinct.
GgufMetadata parse_gguf_metadata(std::string_view bytes, std::string_view where);

// A file without tensors. Integers are written as uint32 (int32 in arrays), reals as float32.
std::string write_gguf_metadata(const GgufMetadata& metadata);

}  // namespace llmkit::formats
