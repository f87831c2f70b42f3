#include "engine/lm_objective.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/rng.h"
#include "decode/sampler.h"
#include "kernels/reduce.h"

namespace llmkit::engine {
namespace {

constexpr uint64_t kSampleStream = 0x73616d706c65;  // "sample"

// What validation adds up, of one source or of all.
struct Tally {
  double nats = 0, bytes = 0;
  int64_t targets = 0;
  void add(const Tally& other) {
    nats += other.nats;
    bytes += other.bytes;
    targets += other.targets;
  }
  double loss() const { return nats / static_cast<double>(std::max<int64_t>(targets, 1)); }
};

}  // namespace

LmObjective::LmObjective(models::Model& model, BatchSource& source, Parallel& parallel, const LmOptions& options)
    : model_(model),
      source_(source),
      parallel_(parallel),
      options_(options),
      tape_(parallel, TapeOptions{true, false, options.precision, options.seed, options.keep_packed}) {
  tape_.reserve(options.activation_bytes);
}

StepShape LmObjective::begin(int64_t step) {
  StepShape shape = source_.begin(step);
  target_weight_ = 1.0 / static_cast<double>(std::max<int64_t>(shape.targets, 1));
  return shape;
}

models::TokenBatch LmObjective::view(const LmBatch& batch, bool dropout) const {
  models::TokenBatch out;
  out.sequences = batch.sequences;
  out.length = batch.length;
  out.tokens = batch.tokens;
  out.positions = batch.positions;
  out.documents = batch.documents;
  out.first_sequence_id = batch.first_sequence;
  out.dropout = dropout;
  return out;
}

double LmObjective::accumulate(int64_t step, int64_t micro) {
  source_.micro_batch(step, micro, batch_);
  weights_.resize(batch_.targets.size());
  auto weight = static_cast<float>(target_weight_ * loss_scale_);
  std::transform(batch_.targets.begin(), batch_.targets.end(), weights_.begin(),
                 [weight](int32_t target) { return target < 0 ? 0.0f : weight; });
  tape_.begin(static_cast<uint64_t>(step));
  if (watched_ && micro == 0)
    tape_.set_observer([this](int64_t layer, const Tensor& state) { watch(layer, state); });
  else
    tape_.set_observer(nullptr);
  Tensor loss = model_.loss(tape_, view(batch_, true), batch_.targets, weights_, options_.z_loss);
  tape_.backward(loss);
  return static_cast<double>(*loss.data<float>()) / loss_scale_;
}

void LmObjective::watch(int64_t layer, const Tensor& state) {
  if (state.dtype() != DType::f32) return;
  const float* values = state.data<float>();
  watched_->resize(std::max(watched_->size(), static_cast<size_t>(layer) + 1));
  Activation& activation = (*watched_)[static_cast<size_t>(layer)];
  activation.sum_of_squares += kernels::sum_of_squares(tape_.exec(), values, state.size());
  for (int64_t i = 0; i < state.size(); ++i)
    activation.largest = std::max(activation.largest, static_cast<double>(std::abs(values[i])));
  activation.count += state.size();
}

std::vector<NamedValue> LmObjective::validate() {
  Tape::Pause pause(tape_);
  std::vector<NamedValue> values;
  validate_source(values);
  validate_probes(values);
  return values;
}

void LmObjective::validate_source(std::vector<NamedValue>& values) {
  int64_t batches = source_.validation_batches();
  if (batches == 0) return;
  std::vector<std::string> names = source_.sources();
  std::vector<Tally> tallies(std::max<size_t>(names.size(), 1));
  std::vector<float> log_probabilities;
  for (int64_t i = 0; i < batches; ++i) {
    source_.validation_batch(i, batch_);
    log_probabilities.resize(batch_.targets.size());
    tape_.begin();
    model_.logprobs(tape_, view(batch_, false), batch_.targets, log_probabilities);
    Tally& tally = tallies[names.empty() ? 0 : batch_.source];
    for (size_t t = 0; t < batch_.targets.size(); ++t) {
      if (batch_.targets[t] < 0) continue;
      tally.nats -= static_cast<double>(log_probabilities[t]);
      ++tally.targets;
      if (options_.tokenizer) tally.bytes += static_cast<double>(options_.tokenizer->bytes(batch_.targets[t]).size());
    }
  }
  Tally all;
  for (auto& tally : tallies) all.add(tally);
  values.push_back({"val_loss", all.loss()});
  values.push_back({"val_perplexity", std::exp(all.loss())});
  if (all.bytes > 0) values.push_back({"val_bits_per_byte", all.nats / std::numbers::ln2 / all.bytes});
  for (size_t s = 0; s < names.size(); ++s)
    if (tallies[s].targets > 0) values.push_back({"val_loss_" + names[s], tallies[s].loss()});
}

void LmObjective::validate_probes(std::vector<NamedValue>& values) {
  constexpr size_t kMostCurves = 16;
  if (options_.probes.empty()) return;
  Tally all;
  std::vector<NamedValue> each;
  std::vector<float> log_probabilities;
  for (auto& probe : options_.probes) {
    Tally tally;
    tally.targets = static_cast<int64_t>(probe.size()) - 1;
    models::TokenBatch batch;
    batch.sequences = 1;
    batch.length = tally.targets;
    batch.tokens = std::span(probe).first(probe.size() - 1);
    batch.dropout = false;
    log_probabilities.resize(probe.size() - 1);
    tape_.begin();
    model_.logprobs(tape_, batch, std::span(probe).subspan(1), log_probabilities);
    for (float log_probability : log_probabilities) tally.nats -= static_cast<double>(log_probability);
    all.add(tally);
    if (each.size() < kMostCurves)
      each.push_back({"probe_perplexity_" + std::to_string(each.size() + 1), std::exp(tally.loss())});
  }
  values.push_back({"probe_perplexity", std::exp(all.loss())});
  values.insert(values.end(), each.begin(), each.end());
}

std::string LmObjective::sample(int64_t step) {
  const tokenizer::Tokenizer* tokenizer = options_.tokenizer;
  if (!tokenizer || options_.sample_tokens <= 0) return {};
  std::vector<int32_t> ids = tokenizer->encode(options_.prompt);
  if (ids.empty() && tokenizer->eos()) ids.push_back(*tokenizer->eos());
  if (ids.empty()) ids = tokenizer->encode("\n");
  if (ids.empty()) ids.push_back(0);
  size_t prompt = ids.size();

  Tape::Pause pause(tape_);
  auto state = model_.new_state();
  decode::SamplingOptions sampling;
  sampling.temperature = options_.temperature;
  decode::Chain chain(decode::sampling_specs(sampling));
  std::vector<float> logits(static_cast<size_t>(model_.config().vocab_size));
  int64_t room = model_.config().max_positions - static_cast<int64_t>(prompt);
  for (int64_t i = 0; i < std::min(options_.sample_tokens, room); ++i) {
    models::DecodeChunk chunk;
    chunk.state = state.get();
    chunk.tokens = std::span<const int32_t>(ids).subspan(static_cast<size_t>(state->length()));
    tape_.begin();
    model_.decode(tape_, {&chunk, 1}, logits);
    double uniform = Rng{options_.seed, kSampleStream, static_cast<uint64_t>(step), static_cast<uint64_t>(i)}.uniform();
    int32_t id = chain.draw(logits, {}, uniform);
    if (tokenizer->eos() == id) break;
    ids.push_back(id);
  }
  return tokenizer->decode(ids, true);
}

void LmObjective::save_weights(const std::string& folder) {
  model_.save(folder);
  if (options_.tokenizer) options_.tokenizer->save(folder);
}

void LmObjective::load_weights(const std::string& folder) {
  model_.load_weights(folder + "/model.safetensors", parallel_);
}

}  // namespace llmkit::engine
