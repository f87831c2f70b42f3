// Inference over a loaded model: scoring given continuations, and generating new ones, for many sequences at once. An
// answer never depends on what else is in the batch (rows are computed independently, and each sequence has its own
// random stream), so batched, single and served results are the same.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/context.h"
#include "decode/sampler.h"
#include "models/model.h"
#include "tensor/tape.h"

namespace llmkit::engine {

// Score tokens[from …) given the tokens before them; 1 <= from <= tokens.size().
struct ScoreJob {
  std::vector<int32_t> tokens;
  size_t from = 1;
};
struct Scored {
  double logprob = 0;     // natural log, summed
  int64_t tokens = 0;     // how many were scored
  bool is_greedy = true;  // each was the most probable token
};

struct GenerateJob {
  std::vector<int32_t> prompt;  // not empty
  int64_t max_tokens = 0;       // generated at most; the model's context is a bound as well
  uint64_t stream = 0;          // names the sequence's random numbers, with the seed
};

// Told of each token as it is drawn; returns false to end that sequence.
using TokenSink = std::function<bool(size_t job, int32_t token)>;
// Told, before a token is drawn, how the chain came to its candidates.
using ExplainSink = std::function<void(size_t job, const std::vector<decode::Step>&)>;

class Session {
 public:
  // `batch_tokens` bounds how many tokens are scored at once, and `batch_sequences` how many sequences are generated
  // side by side; both bound memory and change no result.
  Session(models::Model& model, Parallel& parallel, int64_t batch_tokens = 4096, int64_t batch_sequences = 16);

  std::vector<Scored> score(std::span<const ScoreJob> jobs);
  void generate(std::span<const GenerateJob> jobs, const decode::Chain& chain, uint64_t seed, const TokenSink& sink,
                const ExplainSink& explain = nullptr);

  models::Model& model() { return model_; }
  int64_t context() const;  // tokens the model can read

 private:
  void score_groups(std::span<const ScoreJob> jobs, std::span<const std::pair<size_t, size_t>> groups,
                    std::vector<Scored>& out);

  models::Model& model_;
  Tape tape_;
  int64_t batch_tokens_, batch_sequences_;
  std::vector<float> logits_;
};

}  // namespace llmkit::engine
