// What the parity tests share: a model folder from formula weights, and tensors by their names on disk.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "formats/json.h"
#include "formats/safetensors.h"
#include "io/files.h"
#include "models/architecture.h"
#include "models/model.h"

namespace llmkit::test {

using formats::Json;

inline std::vector<double> numbers(const Json& array) {
  std::vector<double> out;
  for (const Json& v : array.as_array()) out.push_back(v.as_real());
  return out;
}

// The same formula as in make_golden.py.
inline std::vector<double> formula(const std::string& name, const std::vector<int64_t>& shape) {
  int64_t n = 1, bytes = 0;
  for (int64_t d : shape) n *= d;
  for (unsigned char c : name) bytes += c;
  double shift = shape.size() == 1 && name.ends_with("weight") ? 1.0 : 0.0;
  std::vector<double> out;
  for (int64_t i = 0; i < n; ++i)
    out.push_back(0.25 * std::sin(0.7 * static_cast<double>(i) + 0.01 * static_cast<double>(bytes)) + shift);
  return out;
}

inline void write_folder(const std::string& folder, const Json& golden) {
  io::write_file_atomically(folder + "/config.json", formats::write_json(golden.at("config")));
  std::vector<std::vector<double>> data;
  std::vector<formats::TensorToWrite> tensors;
  for (const auto& [name, shape] : golden.at("shapes").as_object().members) {
    std::vector<int64_t> dims;
    for (const Json& d : shape.as_array()) dims.push_back(d.as_int());
    data.push_back(formula(name, dims));
    if (dims.size() > 1)
      for (double& v : data.back()) v *= golden.get_real("scale", 1.0);
    tensors.push_back({name, formats::DType::f64, dims, {}});
  }
  for (size_t i = 0; i < data.size(); ++i) tensors[i].data = std::as_bytes(std::span<const double>(data[i]));
  formats::write_safetensors(folder + "/model.safetensors", tensors);
}

// A flat block of the store (values or gradients), cut and turned into the tensors of the file, by their names.
inline std::map<std::string, std::vector<double>> by_their_names(models::Model& model, std::span<const double> flat) {
  std::map<std::string, std::vector<double>> out;
  auto architecture = models::architectures().make(model.config().architecture);
  for (const models::WeightName& name : architecture->weight_names(model.config())) {
    const nn::Parameter& p = model.parameters().at(name.ours);
    int64_t cols = p.shape.rank() == 2 ? p.shape[1] : 1, all = p.size() / cols, n = name.rows > 0 ? name.rows : all;
    const double* from = flat.data() + p.offset + name.first_row * cols;
    std::vector<double> t(static_cast<size_t>(n * cols));
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < cols; ++j)
        t[static_cast<size_t>(name.transposed ? j * n + i : i * cols + j)] = from[i * cols + j];
    out[name.theirs] = std::move(t);
  }
  return out;
}

// The norm and up to five numbers spread over the tensor, as make_golden.py probes it.
inline void check_probe(const std::vector<double>& tensor, const std::vector<double>& expected, double tolerance) {
  double squares = 0;
  for (double v : tensor) squares += v * v;
  double norm = expected[0];
  CHECK(std::sqrt(squares) == doctest::Approx(norm).epsilon(tolerance));
  size_t stride = std::max<size_t>(1, tensor.size() / 4);
  for (size_t k = 1; k < expected.size(); ++k)
    CHECK(std::fabs(tensor[(k - 1) * stride] - expected[k]) <= tolerance * (norm + 1e-3));
}

}  // namespace llmkit::test
