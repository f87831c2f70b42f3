#include "sft/objective.h"

#include <algorithm>

namespace llmkit::sft {
namespace {

engine::LmOptions without_samples(engine::LmOptions options) {
  options.sample_tokens = 0;
  return options;
}

}  // namespace

Objective::Objective(models::Model& model, engine::BatchSource& source, Parallel& parallel,
                     const tokenizer::Tokenizer& tokenizer, const tokenizer::ChatTemplate& chat,
                     std::span<const formats::Conversation> prompts, const ObjectiveOptions& options)
    : lm_(model, source, parallel, without_samples(options.lm)),
      model_(model),
      tape_(parallel, TapeOptions{false, false, options.lm.precision, options.lm.seed}),
      tokenizer_(tokenizer),
      chat_(chat),
      prompts_(prompts),
      reply_tokens_(options.reply_tokens) {}

std::string Objective::sample(int64_t) {
  std::string out;
  if (reply_tokens_ <= 0) return out;
  for (auto& conversation : prompts_) {
    auto& messages = conversation.messages;
    auto user = std::find_if(messages.begin(), messages.end(), [](auto& m) { return m.role == "user"; });
    if (user == messages.end()) continue;
    auto prompt = std::span(messages).first(static_cast<size_t>(user - messages.begin()) + 1);
    out += "user: " + user->content + "\nassistant: " + reply(prompt) + "\n\n";
  }
  return out;
}

std::string Objective::reply(std::span<const formats::Message> messages) {
  std::vector<int32_t> ids = tokenizer::encode_chat(tokenizer_, chat_, messages, true).ids;
  int32_t end = tokenizer::end_of_turn_id(tokenizer_, chat_);
  size_t prompt = ids.size();
  auto state = model_.new_state();
  std::vector<float> logits(static_cast<size_t>(model_.config().vocab_size));
  int64_t room = model_.config().max_positions - static_cast<int64_t>(prompt);
  for (int64_t i = 0; i < std::min(reply_tokens_, room); ++i) {
    models::DecodeChunk chunk;
    chunk.state = state.get();
    chunk.tokens = std::span<const int32_t>(ids).subspan(static_cast<size_t>(state->length()));
    tape_.begin();
    model_.decode(tape_, {&chunk, 1}, logits);
    auto next = static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    if (next == end || tokenizer_.eos() == next) break;
    ids.push_back(next);
  }
  return tokenizer_.decode(std::span(ids).subspan(prompt), true);
}

}  // namespace llmkit::sft
