// Room in a model for tokens that its tokenizer got after pre-training.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "models/model.h"

namespace llmkit::models {

// The model with a vocabulary of at least `vocab_size`; what it knew stays as it is. `options` are those that it was
// loaded with. The rows `new_ids` of the embedding and of the output matrix become the mean of the rows of the `known`
// first tokens (Hewitt, "Initializing new word embeddings for pretrained language models", 2021): the new tokens then
// take no probability from the old ones at first.
std::unique_ptr<Model> extend_vocabulary(std::unique_ptr<Model> model, int64_t vocab_size, int64_t known,
                                         std::span<const int32_t> new_ids, Parallel& parallel,
                                         const ModelOptions& options = {});

// The same for a vocabulary that grew at its end: every row from the old size on is new.
std::unique_ptr<Model> extend_vocabulary(std::unique_ptr<Model> model, int64_t vocab_size, Parallel& parallel,
                                         const ModelOptions& options = {});

}  // namespace llmkit::models
