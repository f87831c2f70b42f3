#include "engine/loader.h"

#include <algorithm>

namespace llmkit::engine {

WindowLoader::WindowLoader(TokenStream train, TokenStream validation, const WindowOptions& options)
    : train_(std::move(train)),
      validation_(std::move(validation)),
      options_(options),
      order_(options.order, options.seed, train_.tokens, static_cast<uint64_t>(options.length)) {}

StepShape WindowLoader::begin(int64_t) {
  int64_t tokens = options_.micro_batches * options_.sequences * options_.length;
  return {options_.micro_batches, tokens, tokens};
}

void WindowLoader::fill_row(const TokenStream& stream, uint64_t start, int64_t row, LmBatch& batch) {
  window_.resize(static_cast<size_t>(batch.length + 1));
  stream.read(start, window_);
  std::copy(window_.begin(), window_.end() - 1, batch.tokens.begin() + row * batch.length);
  std::copy(window_.begin() + 1, window_.end(), batch.targets.begin() + row * batch.length);
  if (options_.separator < 0) return;
  int32_t document = 0;
  for (int64_t t = 0; t < batch.length; ++t) {
    batch.documents[static_cast<size_t>(row * batch.length + t)] = document;
    if (window_[static_cast<size_t>(t)] == options_.separator) ++document;
  }
}

namespace {

void shape_batch(LmBatch& batch, int64_t sequences, int64_t length, bool with_documents) {
  auto size = static_cast<size_t>(sequences * length);
  batch.sequences = sequences;
  batch.length = length;
  batch.tokens.resize(size);
  batch.targets.resize(size);
  batch.documents.resize(with_documents ? size : 0);
  batch.positions.clear();
}

}  // namespace

void WindowLoader::micro_batch(int64_t step, int64_t micro, LmBatch& batch) {
  shape_batch(batch, options_.sequences, options_.length, options_.separator >= 0);
  batch.first_sequence = static_cast<uint64_t>((step * options_.micro_batches + micro) * options_.sequences);
  for (int64_t row = 0; row < batch.sequences; ++row)
    fill_row(train_, order_.start(batch.first_sequence + static_cast<uint64_t>(row)), row, batch);
}

int64_t WindowLoader::validation_targets() const {
  if (validation_.tokens < 2) return 0;
  auto targets = static_cast<int64_t>(validation_.tokens - 1);
  return options_.max_validation_tokens > 0 ? std::min(targets, options_.max_validation_tokens) : targets;
}

int64_t WindowLoader::validation_batches() const {
  int64_t targets = validation_targets(), windows = targets / options_.length;
  int64_t full = windows / options_.validation_sequences, rest_rows = windows % options_.validation_sequences;
  return full + (rest_rows > 0) + (targets % options_.length > 0);
}

void WindowLoader::validation_batch(int64_t index, LmBatch& batch) {
  int64_t targets = validation_targets(), windows = targets / options_.length;
  int64_t first = index * options_.validation_sequences;
  bool with_documents = options_.separator >= 0;
  if (first < windows)
    shape_batch(batch, std::min(options_.validation_sequences, windows - first), options_.length, with_documents);
  else  // the one row that is shorter
    shape_batch(batch, 1, targets % options_.length, with_documents), first = windows;
  batch.first_sequence = static_cast<uint64_t>(first);
  for (int64_t row = 0; row < batch.sequences; ++row)
    fill_row(validation_, static_cast<uint64_t>((first + row) * options_.length), row, batch);
}

}  // namespace llmkit::engine
