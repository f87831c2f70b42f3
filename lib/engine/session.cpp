#include "engine/session.h"

#include <algorithm>
#include <numeric>

#include "base/rng.h"
#include "kernels/logprob.h"

namespace llmkit::engine {
namespace {

// Logits held at once, in numbers: 64 MB.
constexpr int64_t kLogitBudget = int64_t{16} << 20;

bool same_prefix(const ScoreJob& a, const ScoreJob& b) {
  return a.from == b.from &&
         std::equal(a.tokens.begin(), a.tokens.begin() + static_cast<ptrdiff_t>(a.from), b.tokens.begin());
}

int64_t argmax(std::span<const float> row) {
  return std::max_element(row.begin(), row.end()) - row.begin();
}

// Adds the log-probabilities of tokens[first …) under the rows of logits that predict them.
void add_scores(const kernels::Exec& exec, std::span<const float> logits, int64_t vocab,
                std::span<const int32_t> targets, Scored& scored) {
  auto rows = static_cast<int64_t>(targets.size());
  std::vector<float> logprob(targets.size()), lse(targets.size());
  kernels::logprob_of_logits<float>(exec, {logits.data(), rows, vocab, vocab}, targets.data(), logprob.data(),
                                    lse.data());
  for (size_t i = 0; i < targets.size(); ++i) {
    scored.logprob += logprob[i];
    ++scored.tokens;
    scored.is_greedy = scored.is_greedy &&
                       argmax(logits.subspan(i * static_cast<size_t>(vocab), static_cast<size_t>(vocab))) == targets[i];
  }
}

}  // namespace

Session::Session(models::Model& model, Parallel& parallel, int64_t batch_tokens, int64_t batch_sequences)
    : model_(model),
      tape_(parallel, {.recording = false}),
      batch_tokens_(batch_tokens),
      batch_sequences_(batch_sequences) {}

int64_t Session::context() const {
  return model_.config().max_positions;
}

std::vector<Scored> Session::score(std::span<const ScoreJob> jobs) {
  // Neighbours that continue the same context (the choices of a question) share its pass: the state is forked.
  std::vector<std::pair<size_t, size_t>> groups;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (!groups.empty() && same_prefix(jobs[groups.back().first], jobs[i]))
      groups.back().second = i + 1;
    else
      groups.emplace_back(i, i + 1);
  }
  // Groups of similar cost side by side; the order has no influence on the scores.
  auto cost = [&](const std::pair<size_t, size_t>& g) {
    size_t n = jobs[g.first].from;
    for (size_t i = g.first; i < g.second; ++i) n += jobs[i].tokens.size() - jobs[i].from;
    return n;
  };
  std::stable_sort(groups.begin(), groups.end(), [&](auto& a, auto& b) { return cost(a) > cost(b); });
  const int64_t most = std::max<int64_t>(1, std::min(batch_tokens_, kLogitBudget / model_.config().vocab_size));
  std::vector<Scored> out(jobs.size());
  for (size_t begin = 0; begin < groups.size();) {
    size_t end = begin;
    int64_t tokens = 0;
    while (end < groups.size() && (end == begin || tokens + static_cast<int64_t>(cost(groups[end])) <= most)) {
      tokens += static_cast<int64_t>(cost(groups[end++]));
    }
    score_groups(jobs, {groups.data() + begin, end - begin}, out);
    begin = end;
  }
  return out;
}

void Session::score_groups(std::span<const ScoreJob> jobs, std::span<const std::pair<size_t, size_t>> groups,
                           std::vector<Scored>& out) {
  const int64_t vocab = model_.config().vocab_size;
  std::vector<std::unique_ptr<models::DecodeState>> states;
  std::vector<models::DecodeChunk> chunks;
  for (auto& [first, last] : groups) {
    states.push_back(model_.new_state());
    chunks.push_back({states.back().get(), std::span(jobs[first].tokens).first(jobs[first].from), false});
  }
  logits_.resize(groups.size() * static_cast<size_t>(vocab));
  model_.decode(tape_, chunks, logits_);
  chunks.clear();
  std::vector<std::pair<size_t, std::span<const int32_t>>> rest;  // job, the tokens that the second pass predicts
  size_t rows = 0;
  for (size_t g = 0; g < groups.size(); ++g) {
    std::span<const float> row = std::span(logits_).subspan(g * static_cast<size_t>(vocab), static_cast<size_t>(vocab));
    for (size_t i = groups[g].first; i < groups[g].second; ++i) {
      std::span<const int32_t> scored = std::span(jobs[i].tokens).subspan(jobs[i].from);
      if (scored.empty()) continue;
      add_scores(tape_.exec(), row, vocab, scored.first(1), out[i]);
      if (scored.size() == 1) continue;
      models::DecodeState* state = states[g].get();
      if (i + 1 < groups[g].second) {
        states.push_back(state->fork());
        state = states.back().get();
      }
      chunks.push_back({state, scored.first(scored.size() - 1), true});
      rest.emplace_back(i, scored.subspan(1));
      rows += scored.size() - 1;
    }
  }
  if (chunks.empty()) return;
  logits_.resize(rows * static_cast<size_t>(vocab));
  model_.decode(tape_, chunks, logits_);
  std::span<const float> left = logits_;
  for (auto& [job, targets] : rest) {
    size_t numbers = targets.size() * static_cast<size_t>(vocab);
    add_scores(tape_.exec(), left.first(numbers), vocab, targets, out[job]);
    left = left.subspan(numbers);
  }
}

void Session::generate(std::span<const GenerateJob> jobs, const decode::Chain& chain, uint64_t seed,
                       const TokenSink& sink, const ExplainSink& explain) {
  struct Active {
    size_t job;
    std::unique_ptr<models::DecodeState> state;
    std::vector<int32_t> generated;
    std::vector<int32_t> next;  // what the model reads in the coming step
    Rng rng;
  };
  const auto vocab = static_cast<size_t>(model_.config().vocab_size);
  std::vector<Active> active;
  size_t started = 0;
  std::vector<models::DecodeChunk> chunks;
  while (true) {
    while (started < jobs.size() && static_cast<int64_t>(active.size()) < batch_sequences_) {
      auto& job = jobs[started];
      if (job.max_tokens > 0) active.push_back({started, model_.new_state(), {}, job.prompt, Rng{seed, job.stream}});
      ++started;
    }
    if (active.empty()) return;
    chunks.clear();
    for (auto& a : active) chunks.push_back({a.state.get(), a.next, false});
    logits_.resize(active.size() * vocab);
    model_.decode(tape_, chunks, logits_);
    std::vector<char> done(active.size(), 0);
    for (size_t i = 0; i < active.size(); ++i) {
      Active& a = active[i];
      const GenerateJob& job = jobs[a.job];
      std::vector<decode::Step> steps;
      int32_t token = chain.draw(std::span(logits_).subspan(i * vocab, vocab), {job.prompt, a.generated},
                                 a.rng.uniform(), explain ? &steps : nullptr);
      if (explain) explain(a.job, steps);
      a.generated.push_back(token);
      a.next = {token};
      bool more = sink(a.job, token);
      auto written = static_cast<int64_t>(a.generated.size());
      done[i] = !more || written >= job.max_tokens || static_cast<int64_t>(job.prompt.size()) + written >= context();
    }
    size_t kept = 0;
    for (size_t i = 0; i < active.size(); ++i) {
      if (!done[i]) {
        if (kept != i) active[kept] = std::move(active[i]);
        ++kept;
      }
    }
    active.erase(active.begin() + static_cast<ptrdiff_t>(kept), active.end());
  }
}

}  // namespace llmkit::engine
