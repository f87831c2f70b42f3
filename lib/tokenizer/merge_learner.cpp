#include "tokenizer/merge_learner.h"

#include <algorithm>

#include "base/error.h"

namespace llmkit::tokenizer {

MergeLearner::MergeLearner(Context& context, TokenizerParts& parts, const MergeLearnerOptions& options)
    : context_(context),
      parts_(parts),
      options_(options),
      floor_(std::max<uint64_t>(1, options.min_frequency)),
      max_size_(options.max_token_bytes > 0 ? options.max_token_bytes : INT64_MAX) {
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    ids_.emplace(parts.tokens[id], static_cast<int32_t>(id));
    sizes_.push_back(static_cast<int64_t>(parts.tokens[id].size()));
  }
}

int32_t MergeLearner::take(uint64_t pair, uint64_t count, bool& fresh) {
  auto left = static_cast<int32_t>(pair_left(pair)), right = static_cast<int32_t>(pair_right(pair));
  std::string_view tail = parts_.tokens[static_cast<size_t>(right)];
  if (!parts_.word_prefix.empty() && tail.starts_with(parts_.word_prefix))
    tail.remove_prefix(parts_.word_prefix.size());
  std::string token = parts_.tokens[static_cast<size_t>(left)] + std::string(tail);
  if (options_.allowed && !options_.allowed(token)) return -1;
  auto [entry, made] = ids_.try_emplace(token, static_cast<int32_t>(parts_.tokens.size()));
  fresh = made;
  // Text must never become a control token.
  if (!made && std::any_of(parts_.added.begin(), parts_.added.end(), [&](auto& a) { return a.content == token; }))
    return -1;
  if (made) {
    sizes_.push_back(static_cast<int64_t>(token.size()));
    parts_.tokens.push_back(std::move(token));
  }
  parts_.merges.push_back({left, right, entry->second});
  counts_.push_back(count);
  if (counts_.size() % 256 == 0) {
    if (context_.stop.requested()) throw Error("interrupted before the vocabulary was complete", ExitCode::interrupted);
    context_.progress.update(static_cast<double>(parts_.tokens.size()), static_cast<double>(options_.vocab_size),
                             "tokens", "merging");
  }
  return entry->second;
}

void MergeLearner::merge_down_to(PairMerger& merger, uint64_t floor) {
  uint64_t pair = 0, count = 0;
  merger.index(floor);
  while (!full()) {
    if (!merger.next(pair, count)) {
      if (merger.exhausted(floor)) return;
      merger.index(floor);
      continue;
    }
    bool fresh = false;
    int32_t token = take(pair, count, fresh);
    if (token >= 0) merger.merge(pair, token, fresh);
  }
}

}  // namespace llmkit::tokenizer
