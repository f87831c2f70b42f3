#include "decode/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace llmkit::decode {
namespace {

bool before(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

constexpr size_t kExplained = 10;

}  // namespace

#define LLMKIT_SAMPLER(name) Entry<Sampler> name##_sampler();
#include "decode/samplers.def"
#undef LLMKIT_SAMPLER

const Registry<Sampler>& samplers() {
  static const Registry<Sampler> registry("sampler", {
#define LLMKIT_SAMPLER(name) name##_sampler(),
#include "decode/samplers.def"
#undef LLMKIT_SAMPLER
                                                     });
  return registry;
}

Candidates::Candidates(std::span<const float> logits) {
  items_.reserve(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) items_.push_back({static_cast<int32_t>(i), logits[i]});
}

void Candidates::order(size_t count) {
  if (count == 0 || count > items_.size()) count = items_.size();
  if (count <= ordered_) return;
  auto middle = items_.begin() + static_cast<ptrdiff_t>(count);
  if (middle != items_.end()) std::nth_element(items_.begin(), middle, items_.end(), before);
  std::sort(items_.begin(), middle, before);
  ordered_ = count;
}

std::vector<double> Candidates::probabilities() const {
  std::vector<double> p(items_.size());
  if (items_.empty()) return p;
  double top = items_[argmax()].logit;
  for (size_t i = 0; i < p.size(); ++i) p[i] = std::exp(static_cast<double>(items_[i].logit) - top);
  double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& x : p) x /= sum;
  return p;
}

size_t Candidates::argmax() const {
  return static_cast<size_t>(std::min_element(items_.begin(), items_.end(), before) - items_.begin());
}

Chain::Chain(std::span<const std::string> specs) : specs_(specs.begin(), specs.end()) {
  for (auto& spec : specs_) steps_.push_back(samplers().make(spec));
}

int32_t Chain::draw(std::span<const float> logits, const History& history, double uniform,
                    std::vector<Step>* explanation) const {
  Candidates candidates(logits);
  auto note = [&](const std::string& name) {
    if (!explanation) return;
    candidates.order(kExplained);
    Step step{name, candidates.size(), {}, candidates.probabilities()};
    size_t shown = std::min(kExplained, candidates.size());
    step.top.assign(candidates.items().begin(), candidates.items().begin() + static_cast<ptrdiff_t>(shown));
    step.probability.resize(shown);
    explanation->push_back(std::move(step));
  };
  note("logits");
  for (size_t i = 0; i < steps_.size(); ++i) {
    steps_[i]->apply(candidates, history);
    note(specs_[i]);
  }
  std::vector<double> p = candidates.probabilities();
  double reached = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    reached += p[i];
    if (uniform < reached) return candidates.items()[i].id;
  }
  return candidates.items()[candidates.argmax()].id;  // rounding left the sum just under 1
}

std::vector<std::string> sampling_specs(const SamplingOptions& o) {
  std::vector<std::string> specs;
  if (o.repetition_penalty != 1.0) specs.push_back(fmt::format("repetition-penalty:p={}", o.repetition_penalty));
  if (o.temperature == 0.0) {
    specs.push_back("greedy");
    return specs;
  }
  if (o.temperature != 1.0) specs.push_back(fmt::format("temperature:t={}", o.temperature));
  if (o.top_k > 0) specs.push_back(fmt::format("top-k:k={}", o.top_k));
  if (o.top_p < 1.0) specs.push_back(fmt::format("top-p:p={}", o.top_p));
  if (o.min_p > 0.0) specs.push_back(fmt::format("min-p:p={}", o.min_p));
  return specs;
}

}  // namespace llmkit::decode
