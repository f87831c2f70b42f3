#include "pretrain/continue.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"

namespace llmkit::pretrain {
namespace {

std::string tokenizer_of(const std::string& folder) {
  return std::filesystem::exists(folder + "/tokenizer.json") ? folder : std::string();
}

// Every token that both know must stand for the same bytes: a larger tokenizer has its new ones at the end.
void expect_extension(const tokenizer::Tokenizer& before, const tokenizer::Tokenizer& now, const std::string& folder) {
  int64_t both = std::min(before.vocab_size(), now.vocab_size());
  for (int64_t id = 0; id < both; ++id)
    if (before.bytes(static_cast<int32_t>(id)) != now.bytes(static_cast<int32_t>(id)))
      throw Error(ErrorParts{"the data's tokenizer is no extension of the model's", folder,
                             "the same token " + std::to_string(id), "another one",
                             "tokenize the data with the model's tokenizer, or one that only adds tokens to it"});
}

}  // namespace

std::unique_ptr<models::Model> open_base(PretrainOptions& options, Context& context) {
  const ModelOptions& m = options.model;
  models::ModelOptions model_options;
  model_options.recompute = models::parse_recompute(options.train.recompute);
  auto model = models::Model::load(m.model, context.parallel, model_options);
  models::ModelConfig& config = model->config();
  if (m.context > config.max_positions)
    throw UsageError(ErrorParts{"--context is longer than the model's",
                                m.model,
                                "at most " + std::to_string(config.max_positions),
                                std::to_string(m.context),
                                {}});
  config.attention_dropout = config.residual_dropout = config.embedding_dropout = m.dropout;
  if (options.data.tokenizer.empty()) options.data.tokenizer = tokenizer_of(m.model);
  return model;
}

models::ModelConfig base_config(const PretrainOptions& options, const models::Model& base, const Data& data) {
  const std::string& folder = options.model.model;
  std::string place = tokenizer_of(folder);
  if (data.tokenizer && !place.empty()) {
    auto before = tokenizer::Tokenizer::load(place);
    if (before.hash() != data.tokenizer->hash()) expect_extension(before, *data.tokenizer, folder);
  }
  models::ModelConfig config = base.config();
  config.vocab_size = std::max(config.vocab_size, data.vocab_size);
  return config;
}

}  // namespace llmkit::pretrain
