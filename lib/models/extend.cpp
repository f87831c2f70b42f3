#include "models/extend.h"

#include <algorithm>
#include <vector>

namespace llmkit::models {
namespace {

// A parameter with a row for each token.
bool has_token_rows(const nn::Parameter& p) {
  return p.name == "embedding.token.weight" || p.name == "head.weight";
}

void set_to_mean(std::span<float> values, int64_t width, int64_t known, std::span<const int32_t> ids) {
  auto columns = static_cast<size_t>(width);
  std::vector<double> mean(columns);
  for (int64_t r = 0; r < known; ++r)
    for (size_t c = 0; c < columns; ++c) mean[c] += static_cast<double>(values[static_cast<size_t>(r) * columns + c]);
  for (int32_t id : ids)
    for (size_t c = 0; c < columns; ++c)
      values[static_cast<size_t>(id) * columns + c] = static_cast<float>(mean[c] / static_cast<double>(known));
}

}  // namespace

std::unique_ptr<Model> extend_vocabulary(std::unique_ptr<Model> model, int64_t vocab_size, int64_t known,
                                         std::span<const int32_t> new_ids, Parallel& parallel,
                                         const ModelOptions& options) {
  int64_t before = model->config().vocab_size;
  known = std::min(known, before);
  if (vocab_size > before) {
    ModelConfig config = model->config();
    config.vocab_size = vocab_size;
    auto larger = Model::create(config, 0, parallel, options);
    for (auto& from : model->parameters().list()) {
      auto source = model->parameters().values<float>(from);
      auto target = larger->parameters().values<float>(larger->parameters().at(from.name));
      std::copy(source.begin(), source.end(), target.begin());  // new tokens have the last rows
    }
    model = std::move(larger);
  }
  for (auto& p : model->parameters().list())
    if (has_token_rows(p)) set_to_mean(model->parameters().values<float>(p), p.shape[1], known, new_ids);
  model->parameters().values_changed();
  return model;
}

std::unique_ptr<Model> extend_vocabulary(std::unique_ptr<Model> model, int64_t vocab_size, Parallel& parallel,
                                         const ModelOptions& options) {
  int64_t before = model->config().vocab_size;
  std::vector<int32_t> added;
  for (int64_t id = before; id < vocab_size; ++id) added.push_back(static_cast<int32_t>(id));
  if (added.empty()) return model;
  return extend_vocabulary(std::move(model), vocab_size, before, added, parallel, options);
}

}  // namespace llmkit::models
