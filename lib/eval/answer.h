// Answers requests with a model: encodes them, scores or generates, and adds up the parts.
#pragma once

#include <span>
#include <vector>

#include "engine/session.h"
#include "eval/task.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::eval {

// A request with what was asked of the model, for samples.jsonl.
struct Answered {
  Response response;
  std::vector<int32_t> tokens;  // loglikelihood: context and continuation; generate: the prompt
  size_t from = 0;              // the first token scored
};

class Answerer {
 public:
  Answerer(engine::Session& session, const tokenizer::Tokenizer& tokenizer);
  std::vector<Answered> answer(std::span<const Request> requests);
  int32_t prefix() const { return prefix_; }

 private:
  engine::Session& session_;
  const tokenizer::Tokenizer& tokenizer_;
  int32_t prefix_;  // stands for an empty context: bos, else eos
};

}  // namespace llmkit::eval
