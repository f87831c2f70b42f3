// Continued pre-training: a model from a folder learns from more data. Its shape is its own; the learning rate warms up
// and decays anew, old data is replayed as one of the sources (Gupta et al., "Continual pre-training of large language
// models: how to (re)warm your model?", 2023; Ibrahim et al. 2024), and a tokenizer that grew gets rows for its new
// tokens.
#pragma once

#include <memory>

#include "base/context.h"
#include "models/model.h"
#include "pretrain/data.h"
#include "pretrain/options.h"

namespace llmkit::pretrain {

// The model of options.model.model. Its tokenizer serves the data where options.data names none.
std::unique_ptr<models::Model> open_base(PretrainOptions& options, Context& context);

// The configuration that training goes on with: the base's, with a vocabulary that the data fits into. Throws where the
// data numbers the base's tokens in another way.
models::ModelConfig base_config(const PretrainOptions& options, const models::Model& base, const Data& data);

}  // namespace llmkit::pretrain
