// Hugging Face folders: config.json, generation_config.json and model.safetensors, in and out.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "formats/json.h"
#include "formats/safetensors.h"
#include "io/files.h"
#include "models/architecture.h"
#include "models/decoder.h"

namespace llmkit::models {
namespace {

using formats::TensorView;
using nn::Parameter;

constexpr int64_t kTile = int64_t{1} << 14;

struct Range {  // rows of a parameter as a matrix
  int64_t first, rows, cols;
};

Range range_of(const Parameter& p, const WeightName& name) {
  int64_t rows = p.shape.rank() == 2 ? p.shape[0] : p.size(), cols = p.shape.rank() == 2 ? p.shape[1] : 1;
  return {name.first_row, name.rows > 0 ? name.rows : rows, cols};
}

std::vector<int64_t> shape_on_disk(const Parameter& p, const WeightName& name) {
  Range r = range_of(p, name);
  if (p.shape.rank() == 1) return {r.rows};
  return name.transposed ? std::vector<int64_t>{r.cols, r.rows} : std::vector<int64_t>{r.rows, r.cols};
}

std::string text_of(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

double half_to_double(uint16_t h) {
  int exponent = (h >> 10) & 31, fraction = h & 1023;
  double magnitude = exponent == 31  ? (fraction ? std::nan("") : HUGE_VAL)
                     : exponent == 0 ? std::ldexp(fraction, -24)
                                     : std::ldexp(1024 + fraction, exponent - 25);
  return h & 0x8000 ? -magnitude : magnitude;
}

template <class From>
double value_at(const std::byte* data, int64_t i) {
  From v;
  std::memcpy(&v, data + static_cast<size_t>(i) * sizeof(From), sizeof v);
  return static_cast<double>(v);
}

using Reader = double (*)(const std::byte*, int64_t);

Reader reader_for(const TensorView& t) {
  switch (t.dtype) {
    case formats::DType::f32:
      return value_at<float>;
    case formats::DType::f64:
      return value_at<double>;
    case formats::DType::f16:
      return [](const std::byte* data, int64_t i) {
        uint16_t h;
        std::memcpy(&h, data + i * 2, 2);
        return half_to_double(h);
      };
    case formats::DType::bf16:
      return [](const std::byte* data, int64_t i) {
        uint16_t h;
        std::memcpy(&h, data + i * 2, 2);
        uint32_t bits = uint32_t{h} << 16;
        float f;
        std::memcpy(&f, &bits, 4);
        return static_cast<double>(f);
      };
    default:
      throw Error({.what = "weight of an unsupported type",
                   .where = t.name,
                   .expected = "F32, F64, F16 or BF16",
                   .found = std::string(formats::dtype_name(t.dtype)),
                   .hint = {}});
  }
}

template <class T>
void read_weight(Parallel& parallel, T* values, const Range& r, bool transposed, const TensorView& t) {
  Reader read = reader_for(t);
  T* out = values + r.first * r.cols;
  parallel.for_ranges(r.rows, std::max<int64_t>(1, kTile / r.cols), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = 0; j < r.cols; ++j)
        out[i * r.cols + j] = static_cast<T>(read(t.data.data(), transposed ? j * r.rows + i : i * r.cols + j));
  });
}

using ByName = std::map<std::string_view, const TensorView*>;

const TensorView* find_weight(const ByName& tensors, std::string_view name, std::string_view optional_prefix) {
  auto found = tensors.find(name);
  if (found == tensors.end() && !optional_prefix.empty() && name.starts_with(optional_prefix))
    found = tensors.find(name.substr(optional_prefix.size()));
  return found == tensors.end() ? nullptr : found->second;
}

// A bias that the dialect writes and the model was built without (GPT-2 shapes trained without biases): zeros on disk.
void expect_zeros(const TensorView& t, const std::string& where) {
  if (std::any_of(t.data.begin(), t.data.end(), [](std::byte b) { return b != std::byte{0}; }))
    throw Error({.what = "weight that the model was built without",
                 .where = where,
                 .expected = "zeros",
                 .found = t.name,
                 .hint = {}});
}

int64_t bias_size(const nn::ParameterStore& store, std::string_view bias) {
  constexpr std::string_view kBias = ".bias";
  return store.at(std::string(bias.substr(0, bias.size() - kBias.size())) + ".weight").shape[0];
}

void load_tensors(Model& model, const std::vector<const TensorView*>& tensors, const std::string& where,
                  Parallel& parallel) {
  auto architecture = architectures().make(model.config().architecture);
  nn::ParameterStore& store = model.parameters();
  ByName by_name;
  for (const TensorView* t : tensors) by_name.emplace(t->name, t);
  std::set<const TensorView*> used;
  for (const WeightName& name : architecture->weight_names(model.config())) {
    const TensorView* t = find_weight(by_name, name.theirs, architecture->optional_prefix());
    if (!t)
      throw Error({.what = "missing weight " + name.theirs,
                   .where = where,
                   .expected = {},
                   .found = {},
                   .hint = "does config.json belong to these weights?"});
    used.insert(t);
    if (store.find(name.ours) == nn::kNoParameter) {
      expect_zeros(*t, where);
      continue;
    }
    const Parameter& p = store.at(name.ours);
    std::vector<int64_t> expected = shape_on_disk(p, name);
    if (t->shape != expected)
      throw Error({.what = "shape of " + name.theirs,
                   .where = where,
                   .expected = text_of(expected),
                   .found = text_of(t->shape),
                   .hint = {}});
    dispatch(store.dtype(), [&]<class T>() {
      read_weight<T>(parallel, store.values<T>(p).data(), range_of(p, name), name.transposed, *t);
    });
  }
  for (const TensorView* t : tensors)
    if (!used.contains(t) && !architecture->may_skip(t->name, model.config()))
      throw Error({.what = "weight that a " + model.config().architecture + " model has no place for",
                   .where = where,
                   .expected = {},
                   .found = t->name,
                   .hint = {}});
  store.values_changed();
}

}  // namespace

std::unique_ptr<Model> Model::load(const std::string& folder, Parallel& parallel, const ModelOptions& options) {
  std::string path = folder + "/config.json";
  formats::Json json = formats::load_json(path);
  ModelConfig config = architectures().make(json.get_string("model_type"))->read_config(json);
  config.complete();
  if (options.planning) return std::make_unique<Decoder>(config, options);
  auto weights = formats::SafetensorsModel::open(folder);
  // Before anything is allocated: a damaged config.json may ask for any size. Small differences are told by name below.
  double held = 0;
  for (const TensorView* t : weights.tensors()) held += static_cast<double>(t->elements());
  constexpr double kSlack = 1e6;
  if (config.matrix_numbers() > 2 * held + kSlack)
    throw Error({.what = "config.json describes a larger model than the weights",
                 .where = folder,
                 .expected = std::to_string(config.matrix_numbers()) + " numbers",
                 .found = std::to_string(held),
                 .hint = "does config.json belong to these weights?"});
  auto model = std::make_unique<Decoder>(config, options);
  load_tensors(*model, weights.tensors(), folder, parallel);
  return model;
}

void Model::load_weights(const std::string& path, Parallel& parallel) {
  auto file = formats::SafetensorsFile::open(path);
  std::vector<const TensorView*> tensors;
  for (const TensorView& t : file.tensors()) tensors.push_back(&t);
  load_tensors(*this, tensors, path, parallel);
}

void Model::save_weights(const std::string& path) const {
  auto architecture = architectures().make(config_.architecture);
  nn::ParameterStore& store = *parameters_;
  std::vector<formats::TensorToWrite> tensors;
  std::vector<std::vector<std::byte>> turned;  // transposed copies and absent biases, alive until written
  dispatch(store.dtype(), [&]<class T>() {
    for (const WeightName& name : architecture->weight_names(config_)) {
      if (store.find(name.ours) == nn::kNoParameter) {
        int64_t size = bias_size(store, name.ours);
        turned.emplace_back(static_cast<size_t>(size) * sizeof(T));
        tensors.push_back(
            {name.theirs, std::is_same_v<T, float> ? formats::DType::f32 : formats::DType::f64, {size}, turned.back()});
        continue;
      }
      const Parameter& p = store.at(name.ours);
      Range r = range_of(p, name);
      std::span<const T> values =
          store.values<T>(p).subspan(static_cast<size_t>(r.first * r.cols), static_cast<size_t>(r.rows * r.cols));
      std::span<const std::byte> bytes = std::as_bytes(values);
      if (name.transposed) {
        turned.emplace_back(bytes.size());
        T* to = reinterpret_cast<T*>(turned.back().data());
        for (int64_t i = 0; i < r.rows; ++i)
          for (int64_t j = 0; j < r.cols; ++j) to[j * r.rows + i] = values[static_cast<size_t>(i * r.cols + j)];
        bytes = turned.back();
      }
      tensors.push_back({name.theirs, std::is_same_v<T, float> ? formats::DType::f32 : formats::DType::f64,
                         shape_on_disk(p, name), bytes});
    }
  });
  formats::write_safetensors(path, tensors, {{"format", "pt"}});
}

void Model::save(const std::string& folder) const {
  formats::Json config = architectures().make(config_.architecture)->write_config(config_);
  config.set("torch_dtype", parameters_->dtype() == DType::f32 ? "float32" : "float64");
  formats::Json generation = formats::Json::object();
  write_token_ids(generation, config_);
  io::write_file_atomically(folder + "/config.json", formats::write_json(config, 2) + "\n");
  io::write_file_atomically(folder + "/generation_config.json", formats::write_json(generation, 2) + "\n");
  save_weights(folder + "/model.safetensors");
}

}  // namespace llmkit::models
