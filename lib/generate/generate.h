// Text from a prompt: the whole way from texts to tokens, through the model and the sampler chain, back to text that is
// whole UTF-8 at every step and never shows a part of a stop string.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/session.h"
#include "formats/chat.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::generate {

struct GenerateOptions {
  std::vector<std::string> samplers;  // specs, in order
  int64_t max_tokens = 256;
  std::vector<std::string> stop;
  uint64_t seed = 0;
  bool ignore_eos = false;
};

struct Prompt {
  std::vector<int32_t> tokens;
  uint64_t stream = 0;              // names the random numbers: the same prompt, seed and stream give the same text
  std::vector<int32_t> stop_ids{};  // besides eos: the end of a turn
};

struct Completion {
  std::string text;
  std::vector<int32_t> ids;   // without the token that ended it
  std::string finish_reason;  // "stop" (eos, end of turn or a stop string), "length"
};

// A piece of text of one prompt's completion, as soon as it is certain.
using TextSink = std::function<void(size_t prompt, std::string_view text)>;

class Generator {
 public:
  Generator(engine::Session& session, const tokenizer::Tokenizer& tokenizer)
      : session_(session), tokenizer_(tokenizer) {}

  // A text to continue. An empty one begins a document. Where it is longer than the model's context minus `reserve`,
  // its beginning is left out.
  Prompt prompt(std::string_view text, uint64_t stream, int64_t reserve) const;
  // A conversation, with the template of the model's tokenizer; the model then speaks as the assistant.
  Prompt chat(const std::vector<formats::Message>& messages, uint64_t stream, int64_t reserve) const;

  std::vector<Completion> run(const std::vector<Prompt>& prompts, const GenerateOptions& options,
                              const TextSink& sink = nullptr, const engine::ExplainSink& explain = nullptr);

 private:
  Prompt shortened(std::vector<int32_t> tokens, uint64_t stream, int64_t reserve) const;

  engine::Session& session_;
  const tokenizer::Tokenizer& tokenizer_;
};

// What a chain did to the candidates, as a table for a person.
std::string explain_table(const std::vector<decode::Step>& steps, const tokenizer::Tokenizer& tokenizer);

}  // namespace llmkit::generate
