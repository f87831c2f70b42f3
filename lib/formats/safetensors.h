// safetensors: named tensors behind one JSON header, memory-mapped. Layout: u64 length N of the header (little endian),
// N bytes of JSON {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …, "__metadata__": {text:
// text}}, then the data. Everything the header says is checked before it is used: lengths against the file, shape times
// dtype against the offsets, and that the tensors cover the data without holes or overlaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/files.h"

namespace llmkit::formats {

enum class DType { boolean, u8, i8, f8_e5m2, f8_e4m3, i16, u16, f16, bf16, i32, u32, f32, f64, i64, u64 };
std::string_view dtype_name(DType dtype);  // "BF16"
size_t dtype_bytes(DType dtype);

struct TensorView {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  std::span<const std::byte> data;  // little endian, row major
  int64_t elements() const { return static_cast<int64_t>(data.size() / dtype_bytes(dtype)); }
};

using Metadata = std::map<std::string, std::string>;

class SafetensorsFile {
 public:
  static SafetensorsFile open(const std::string& path);                                     // mapped
  static SafetensorsFile parse(std::span<const std::byte> bytes, const std::string& name);  // `bytes` must outlive it
  const std::vector<TensorView>& tensors() const { return tensors_; }                       // in the order of the data
  const TensorView* find(std::string_view name) const;
  const Metadata& metadata() const { return metadata_; }

 private:
  io::MappedFile file_;
  std::vector<TensorView> tensors_;  // by offset
  std::vector<uint32_t> by_name_;
  Metadata metadata_;
};

// The weights of a Hugging Face folder: model.safetensors, or the shards that model.safetensors.index.json names (which
// must lie in the folder itself and hold just what the index says).
class SafetensorsModel {
 public:
  static SafetensorsModel open(const std::string& folder);
  const TensorView* find(std::string_view name) const;
  std::vector<const TensorView*> tensors() const;  // sorted by name

 private:
  std::vector<SafetensorsFile> files_;
};

struct TensorToWrite {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  std::span<const std::byte> data;
};

// Streams to a temporary file and renames; tensors are stored in the order given, aligned to 8 bytes by padding the
// header with spaces, as the reference implementation does.
void write_safetensors(const std::string& path, const std::vector<TensorToWrite>& tensors,
                       const Metadata& metadata = {}, bool replace = true, io::System* system = nullptr);

}  // namespace llmkit::formats
