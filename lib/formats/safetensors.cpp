#include "formats/safetensors.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <optional>
#include <set>

#include "formats/json.h"
#include "io/atomic_file.h"
#include "io/checked.h"

namespace llmkit::formats {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the reference implementation's cap
constexpr size_t kMaxTensors = 100'000, kMaxDims = 8, kMaxNameBytes = size_t{1} << 20;

struct DTypeInfo {
  std::string_view name;
  size_t bytes;
};
constexpr DTypeInfo kDTypes[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
                                 {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
                                 {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8}};

std::optional<DType> dtype_of(std::string_view name) {
  for (size_t i = 0; i < std::size(kDTypes); ++i)
    if (kDTypes[i].name == name) return static_cast<DType>(i);
  return {};
}

[[noreturn]] void refuse(const std::string& where, std::string what, std::string expected = {}, std::string found = {},
                         std::string hint = {}) {
  throw Error({std::move(what), where, std::move(expected), std::move(found), std::move(hint)});
}

struct Entry {
  TensorView view;
  uint64_t begin, end;
};

Entry read_entry(const std::string& name, const Json& json, uint64_t data_bytes, const std::string& file) {
  std::string where = file + ": tensor " + printable(name, 60);
  if (name.size() > kMaxNameBytes) refuse(where, "the name is too long");
  if (!json.is_object() || json.size() != 3) refuse(where, "has an unknown entry", "dtype, shape and data_offsets");
  Entry entry;
  entry.view.name = name;
  std::string dtype = json.get_string("dtype");
  auto known = dtype_of(dtype);
  if (!known) refuse(where, "unknown dtype", {}, printable(dtype, 20));
  entry.view.dtype = *known;
  auto& shape = json.get_array("shape");
  if (shape.size() > kMaxDims)
    refuse(where, "too many dimensions", "at most " + std::to_string(kMaxDims), std::to_string(shape.size()));
  std::optional<uint64_t> bytes = dtype_bytes(*known);
  for (auto& dim : shape) {
    uint64_t size = dim.as_uint(where);
    if (bytes) bytes = io::checked_mul(*bytes, size);
    entry.view.shape.push_back(static_cast<int64_t>(size & INT64_MAX));
    if (size > INT64_MAX) refuse(where, "a dimension is out of range");
  }
  if (!bytes) refuse(where, "the shape overflows");
  auto& offsets = json.get_array("data_offsets");
  if (offsets.size() != 2) refuse(where, "data_offsets", "two numbers");
  entry.begin = offsets[0].as_uint(where);
  entry.end = offsets[1].as_uint(where);
  if (entry.begin > entry.end || entry.end > data_bytes)
    refuse(where, "data_offsets lie outside the data", "at most " + std::to_string(data_bytes),
           std::to_string(entry.end), "is the copy complete?");
  if (entry.end - entry.begin != *bytes)
    refuse(where, "shape and data_offsets disagree", std::to_string(*bytes) + " bytes",
           std::to_string(entry.end - entry.begin));
  return entry;
}

}  // namespace

std::string_view dtype_name(DType dtype) {
  return kDTypes[static_cast<size_t>(dtype)].name;
}
size_t dtype_bytes(DType dtype) {
  return kDTypes[static_cast<size_t>(dtype)].bytes;
}

SafetensorsFile SafetensorsFile::parse(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < 8) refuse(name, "is no safetensors file", "at least 8 bytes", std::to_string(bytes.size()));
  uint64_t header_bytes = 0;
  for (int i = 7; i >= 0; --i) header_bytes = header_bytes << 8 | static_cast<uint64_t>(bytes[static_cast<size_t>(i)]);
  if (header_bytes > kMaxHeaderBytes)
    refuse(name + ", byte 0", "is no safetensors file", "a header of at most 100000000 bytes",
           std::to_string(header_bytes), "is this the right file?");
  if (header_bytes > bytes.size() - 8)
    refuse(name, "is cut off in its header", std::to_string(header_bytes) + " bytes", std::to_string(bytes.size() - 8),
           "is the copy complete?");
  std::string_view header(reinterpret_cast<const char*>(bytes.data()) + 8, static_cast<size_t>(header_bytes));
  if (!header.starts_with('{')) refuse(name + ", byte 8", "is no safetensors file", "a header that starts with {");
  auto data = bytes.subspan(8 + static_cast<size_t>(header_bytes));
  JsonOptions options;
  options.max_depth = 8;
  options.refuse_duplicate_keys = true;
  Json json = parse_json(header, name, options);
  if (json.size() > kMaxTensors)
    refuse(name, "too many tensors", "at most " + std::to_string(kMaxTensors), std::to_string(json.size()));

  SafetensorsFile out;
  std::vector<Entry> entries;
  for (auto& [key, value] : json.as_object(name).members) {
    if (key != "__metadata__") {
      entries.push_back(read_entry(key, value, data.size(), name));
      continue;
    }
    for (auto& [k, v] : value.as_object(name + ": __metadata__").members)
      out.metadata_[k] = v.as_string(name + ": __metadata__");
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t covered = 0;
  for (auto& entry : entries) {
    if (entry.begin != covered)
      refuse(name + ": tensor " + printable(entry.view.name, 60),
             entry.begin < covered ? "overlaps another tensor" : "leaves a hole before it",
             "byte " + std::to_string(covered), "byte " + std::to_string(entry.begin));
    covered = entry.end;
    entry.view.data = data.subspan(static_cast<size_t>(entry.begin), static_cast<size_t>(entry.end - entry.begin));
    out.tensors_.push_back(std::move(entry.view));
  }
  if (covered != data.size())
    refuse(name, "has bytes that belong to no tensor", std::to_string(covered) + " bytes of data",
           std::to_string(data.size()));
  out.by_name_.resize(out.tensors_.size());
  std::iota(out.by_name_.begin(), out.by_name_.end(), 0u);
  std::sort(out.by_name_.begin(), out.by_name_.end(),
            [&](uint32_t a, uint32_t b) { return out.tensors_[a].name < out.tensors_[b].name; });
  return out;
}

SafetensorsFile SafetensorsFile::open(const std::string& path) {
  io::MappedFile file(path);
  SafetensorsFile out = parse(file.bytes(), path);
  out.file_ = std::move(file);
  return out;
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                             [&](uint32_t i, std::string_view n) { return tensors_[i].name < n; });
  return at != by_name_.end() && tensors_[*at].name == name ? &tensors_[*at] : nullptr;
}

SafetensorsModel SafetensorsModel::open(const std::string& folder) {
  SafetensorsModel model;
  std::string single = folder + "/model.safetensors", index_path = single + ".index.json";
  if (std::filesystem::exists(single) || !std::filesystem::exists(index_path)) {
    model.files_.push_back(SafetensorsFile::open(single));
    return model;
  }
  Json index = load_json(index_path);
  auto& map = index.at("weight_map").as_object(index.path("weight_map")).members;
  std::set<std::string> names;
  for (auto& [tensor, file] : map) names.insert(file.as_string(index.path("weight_map")));
  for (auto& name : names) {
    if (name.empty() || name.find('/') != std::string::npos || name.starts_with('.'))
      refuse(index_path, "names a file outside the folder", {}, printable(name, 60));
    model.files_.push_back(SafetensorsFile::open(folder + "/" + name));
  }
  size_t stored = 0;
  for (auto& file : model.files_) stored += file.tensors().size();
  for (auto& [tensor, file] : map) {
    auto at = std::distance(names.begin(), names.find(file.as_string()));
    if (!model.files_[static_cast<size_t>(at)].find(tensor))
      refuse(index_path, "names a tensor that " + file.as_string() + " does not hold", {}, printable(tensor, 60));
  }
  if (stored != map.size())
    refuse(index_path, "the files hold other tensors than it names", std::to_string(map.size()),
           std::to_string(stored));
  return model;
}

const TensorView* SafetensorsModel::find(std::string_view name) const {
  for (auto& file : files_)
    if (auto* tensor = file.find(name)) return tensor;
  return nullptr;
}

std::vector<const TensorView*> SafetensorsModel::tensors() const {
  std::vector<const TensorView*> out;
  for (auto& file : files_)
    for (auto& tensor : file.tensors()) out.push_back(&tensor);
  std::sort(out.begin(), out.end(), [](auto* a, auto* b) { return a->name < b->name; });
  return out;
}

void write_safetensors(const std::string& path, const std::vector<TensorToWrite>& tensors, const Metadata& metadata,
                       bool replace, io::System* system) {
  std::string header = "{";
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (auto& [key, value] : metadata) {
      if (header.back() != '{') header += ',';
      append_json_string(header, key);
      header += ':';
      append_json_string(header, value);
    }
    header += '}';
  }
  uint64_t offset = 0;
  for (auto& tensor : tensors) {
    if (header.size() > 1) header += ',';
    append_json_string(header, tensor.name);
    header.append(":{\"dtype\":\"").append(dtype_name(tensor.dtype)).append("\",\"shape\":[");
    uint64_t bytes = dtype_bytes(tensor.dtype);
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      header.append(i ? "," : "").append(std::to_string(tensor.shape[i]));
      bytes *= static_cast<uint64_t>(tensor.shape[i]);
    }
    if (bytes != tensor.data.size())
      throw Error({"the shape and the data disagree",
                   path + ": tensor " + tensor.name,
                   std::to_string(bytes) + " bytes",
                   std::to_string(tensor.data.size()),
                   {}});
    header.append("],\"data_offsets\":[").append(std::to_string(offset)).append(",");
    offset += bytes;
    header.append(std::to_string(offset)).append("]}");
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string length(8, '\0');
  for (size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i));

  io::AtomicFile file(system ? *system : io::real_system(), path, replace);
  file.write(length);
  file.write(header);
  for (auto& tensor : tensors) file.write({reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size()});
  file.commit();
}

}  // namespace llmkit::formats
