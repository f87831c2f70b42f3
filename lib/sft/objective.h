// The objective of fine-tuning: that of any language model, with replies to a few prompts as its samples.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/lm_objective.h"
#include "formats/chat.h"
#include "tokenizer/chat_template.h"

namespace llmkit::sft {

struct ObjectiveOptions {
  engine::LmOptions lm;
  int64_t reply_tokens = 64;  // of a sample, at most; 0 = no samples
};

class Objective final : public engine::Objective {
 public:
  // `prompts` are conversations; a sample answers each one's first user turn.
  Objective(models::Model& model, engine::BatchSource& source, Parallel& parallel,
            const tokenizer::Tokenizer& tokenizer, const tokenizer::ChatTemplate& chat,
            std::span<const formats::Conversation> prompts, const ObjectiveOptions& options);

  engine::StepShape begin(int64_t step) override { return lm_.begin(step); }
  double accumulate(int64_t step, int64_t micro) override { return lm_.accumulate(step, micro); }
  void save_weights(const std::string& folder) override { lm_.save_weights(folder); }
  void load_weights(const std::string& folder) override { lm_.load_weights(folder); }
  std::vector<engine::NamedValue> validate() override { return lm_.validate(); }
  std::string sample(int64_t step) override;

 private:
  std::string reply(std::span<const formats::Message> messages);

  engine::LmObjective lm_;
  models::Model& model_;
  Tape tape_;
  const tokenizer::Tokenizer& tokenizer_;
  const tokenizer::ChatTemplate& chat_;
  std::span<const formats::Conversation> prompts_;
  int64_t reply_tokens_;
};

}  // namespace llmkit::sft
