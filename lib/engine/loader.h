// Batches of token sequences for a language model.
//
// A BatchSource says what each step trains on; WindowLoader is the one for pre-training: windows of a token stream in
// the order of data_order.h. Others (packed conversations, preference pairs) live with their stage.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/data_order.h"
#include "engine/objective.h"

namespace llmkit::engine {

// `sequences` rows of `length` tokens. A target below 0 carries no loss.
struct LmBatch {
  int64_t sequences = 0, length = 0;
  std::vector<int32_t> tokens;     // [sequences * length]
  std::vector<int32_t> targets;    // the token that follows each
  std::vector<int32_t> documents;  // which document of its row a token is of; empty = attention sees the whole row
  std::vector<int32_t> positions;  // empty = 0, 1, 2, … in each row
  uint64_t first_sequence = 0;     // number of the first row over the whole run: names its dropout
  size_t source = 0;               // of a validation batch: which of BatchSource::sources()
};

class BatchSource {
 public:
  virtual ~BatchSource() = default;
  virtual StepShape begin(int64_t step) = 0;
  virtual void micro_batch(int64_t step, int64_t micro, LmBatch& batch) = 0;
  // Names of what validation is told apart by; empty = nothing. A validation batch is of one source.
  virtual std::vector<std::string> sources() const { return {}; }
  virtual int64_t validation_batches() const { return 0; }
  virtual void validation_batch(int64_t /*index*/, LmBatch& /*batch*/) {}
};

// A stream of tokens: reads `out.size()` of them from `position` on.
struct TokenStream {
  uint64_t tokens = 0;
  std::function<void(uint64_t position, std::span<int32_t> out)> read;
  std::function<int64_t(uint64_t position)> document_at{};  // where the data knows its documents by number
};

struct TokenSource {
  std::string name;
  TokenStream train, validation;  // validation may be empty
  double weight = 1;              // its share of the sequences, in any unit
};

struct WindowOptions {
  OrderKind order = OrderKind::windows;
  uint64_t seed = 0;
  int64_t length = 256;             // context
  int64_t sequences = 8;            // rows of a micro-batch
  int64_t micro_batches = 1;        // of a step
  int64_t first_micro_batches = 0;  // of the first step, growing to micro_batches over ramp_steps; 0 = no growth
  int64_t ramp_steps = 0;
  int64_t validation_sequences = 8;   // rows of a validation batch
  int64_t max_validation_tokens = 0;  // 0 = the whole validation stream; several sources share it by their weights
  int32_t separator = -1;             // with a token id: documents end behind it and attention stays inside one
};

class WindowLoader final : public BatchSource {
 public:
  WindowLoader(std::vector<TokenSource> sources, const WindowOptions& options);
  WindowLoader(TokenStream train, TokenStream validation, const WindowOptions& options)
      : WindowLoader({TokenSource{{}, std::move(train), std::move(validation), 1}}, options) {}

  StepShape begin(int64_t step) override;
  void micro_batch(int64_t step, int64_t micro, LmBatch& batch) override;

  // Validation goes through each stream once, from the start, in windows side by side: every token but the first is
  // predicted exactly once, each from the tokens of its window alone. The last batches hold what does not fill one.
  // May run beside micro_batch.
  std::vector<std::string> sources() const override;
  int64_t validation_batches() const override;
  void validation_batch(int64_t index, LmBatch& batch) override;
  int64_t validation_targets() const;
  // Where the tokens of a sequence lie. Sequences are numbered over the whole run; a step has those from its first to
  // the first of the next.
  struct Place {
    size_t source;
    uint64_t start;
  };
  Place place_of(uint64_t sequence) const;
  uint64_t first_sequence(int64_t step) const { return static_cast<uint64_t>(ramp_.before(step) * options_.sequences); }
  // What `steps` steps see of each source, in passes over it.
  std::vector<double> epochs(int64_t steps) const;

 private:
  int64_t validation_targets(size_t source) const;
  int64_t validation_batches(size_t source) const;
  void fill_row(const TokenStream& stream, uint64_t start, int64_t row, std::vector<int32_t>& window,
                LmBatch& batch) const;

  std::vector<TokenSource> sources_;
  WindowOptions options_;
  SourceMix mix_;
  BatchRamp ramp_;
  std::vector<DataOrder> orders_;
  std::vector<int32_t> train_window_, validation_window_;
};

}  // namespace llmkit::engine
