#include "engine/loader.h"

#include <algorithm>

#include "base/rng.h"

namespace llmkit::engine {
namespace {

constexpr uint64_t kSource = 0x736f75726365;  // "source"

std::vector<double> weights_of(const std::vector<TokenSource>& sources) {
  std::vector<double> weights;
  for (auto& source : sources) weights.push_back(source.weight);
  return weights;
}

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

WindowLoader::WindowLoader(std::vector<TokenSource> sources, const WindowOptions& options)
    : sources_(std::move(sources)),
      options_(options),
      mix_(weights_of(sources_), options.seed),
      ramp_(options.micro_batches, options.first_micro_batches, options.ramp_steps) {
  for (size_t s = 0; s < sources_.size(); ++s) {
    uint64_t seed = s == 0 ? options.seed : stream_key({options.seed, kSource, s});
    orders_.emplace_back(options.order, seed, sources_[s].train.tokens, static_cast<uint64_t>(options.length));
  }
}

StepShape WindowLoader::begin(int64_t step) {
  int64_t micro_batches = ramp_.at(step), tokens = micro_batches * options_.sequences * options_.length;
  return {micro_batches, tokens, tokens};
}

void WindowLoader::fill_row(const TokenStream& stream, uint64_t start, int64_t row, std::vector<int32_t>& window,
                            LmBatch& batch) const {
  window.resize(static_cast<size_t>(batch.length + 1));
  stream.read(start, window);
  std::copy(window.begin(), window.end() - 1, batch.tokens.begin() + row * batch.length);
  std::copy(window.begin() + 1, window.end(), batch.targets.begin() + row * batch.length);
  if (options_.separator < 0) return;
  int32_t document = 0;
  for (int64_t t = 0; t < batch.length; ++t) {
    batch.documents[static_cast<size_t>(row * batch.length + t)] = document;
    if (window[static_cast<size_t>(t)] == options_.separator) ++document;
  }
}

void WindowLoader::micro_batch(int64_t step, int64_t micro, LmBatch& batch) {
  shape_batch(batch, options_.sequences, options_.length, options_.separator >= 0);
  batch.first_sequence = first_sequence(step) + static_cast<uint64_t>(micro * options_.sequences);
  for (int64_t row = 0; row < batch.sequences; ++row) {
    auto [source, start] = place_of(batch.first_sequence + static_cast<uint64_t>(row));
    fill_row(sources_[source].train, start, row, train_window_, batch);
  }
}

WindowLoader::Place WindowLoader::place_of(uint64_t sequence) const {
  auto [source, index] = mix_.at(sequence);
  return {source, orders_[source].start(index)};
}

std::vector<double> WindowLoader::epochs(int64_t steps) const {
  std::vector<double> out;
  for (size_t s = 0; s < sources_.size(); ++s) {
    double share =
        sources_.size() == 1 ? 1 : static_cast<double>(mix_.per_period(s)) / static_cast<double>(SourceMix::kPeriod);
    double sequences = static_cast<double>(ramp_.before(steps) * options_.sequences) * share;
    out.push_back(sequences / static_cast<double>(orders_[s].windows_per_epoch()));
  }
  return out;
}

std::vector<std::string> WindowLoader::sources() const {
  std::vector<std::string> names;
  for (auto& source : sources_)
    if (sources_.size() > 1) names.push_back(source.name);
  return names;
}

int64_t WindowLoader::validation_targets(size_t source) const {
  uint64_t tokens = sources_[source].validation.tokens;
  if (tokens < 2) return 0;
  auto targets = static_cast<int64_t>(tokens - 1);
  if (options_.max_validation_tokens <= 0) return targets;
  double share =
      sources_.size() == 1 ? 1 : static_cast<double>(mix_.per_period(source)) / static_cast<double>(SourceMix::kPeriod);
  return std::min(
      targets, std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(options_.max_validation_tokens) * share)));
}

int64_t WindowLoader::validation_targets() const {
  int64_t targets = 0;
  for (size_t s = 0; s < sources_.size(); ++s) targets += validation_targets(s);
  return targets;
}

int64_t WindowLoader::validation_batches(size_t source) const {
  int64_t targets = validation_targets(source), windows = targets / options_.length;
  int64_t full = windows / options_.validation_sequences, rest_rows = windows % options_.validation_sequences;
  return full + (rest_rows > 0) + (targets % options_.length > 0);
}

int64_t WindowLoader::validation_batches() const {
  int64_t batches = 0;
  for (size_t s = 0; s < sources_.size(); ++s) batches += validation_batches(s);
  return batches;
}

void WindowLoader::validation_batch(int64_t index, LmBatch& batch) {
  size_t source = 0;
  for (; index >= validation_batches(source); ++source) index -= validation_batches(source);
  int64_t targets = validation_targets(source), windows = targets / options_.length;
  int64_t first = index * options_.validation_sequences;
  bool with_documents = options_.separator >= 0;
  if (first < windows)
    shape_batch(batch, std::min(options_.validation_sequences, windows - first), options_.length, with_documents);
  else  // the one row that is shorter
    shape_batch(batch, 1, targets % options_.length, with_documents), first = windows;
  batch.first_sequence = static_cast<uint64_t>(first);
  batch.source = source;
  for (int64_t row = 0; row < batch.sequences; ++row)
    fill_row(sources_[source].validation, static_cast<uint64_t>((first + row) * options_.length), row,
             validation_window_, batch);
}

}  // namespace llmkit::engine
