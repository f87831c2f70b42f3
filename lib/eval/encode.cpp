#include "eval/encode.h"

#include <algorithm>

namespace llmkit::eval {

engine::ScoreJob encode_pair(const tokenizer::Tokenizer& tokenizer, std::string context, std::string continuation,
                             int32_t prefix, int64_t max_tokens) {
  size_t kept = context.find_last_not_of(" \t\n\r\v\f") + 1;  // npos + 1 == 0: nothing but spaces
  continuation = context.substr(kept) + continuation;
  context.resize(kept);
  engine::ScoreJob job;
  std::vector<int32_t> whole;
  tokenizer.encode(context + continuation, whole);
  if (context.empty()) {
    job.tokens = {prefix};
    job.from = 1;
  } else {
    std::vector<int32_t> head;
    tokenizer.encode(context, head);
    job.from = std::min(head.size(), whole.size());
  }
  job.tokens.insert(job.tokens.end(), whole.begin(), whole.end());
  if (job.from == 0) {  // the whole text became one piece with the context: nothing left to read from
    job.tokens.insert(job.tokens.begin(), prefix);
    job.from = 1;
  }
  size_t most = static_cast<size_t>(max_tokens) + 1;
  if (job.tokens.size() > most) {
    size_t cut = job.tokens.size() - most;
    job.tokens.erase(job.tokens.begin(), job.tokens.begin() + static_cast<ptrdiff_t>(cut));
    job.from = std::max<size_t>(1, job.from > cut ? job.from - cut : 1);
  }
  return job;
}

std::vector<engine::ScoreJob> rolling_windows(std::span<const int32_t> tokens, int32_t prefix, int64_t max_tokens) {
  std::vector<engine::ScoreJob> jobs;
  const size_t n = tokens.size(), width = static_cast<size_t>(max_tokens);
  if (n == 0) return jobs;
  size_t end = std::min(width, n);
  engine::ScoreJob first;
  first.tokens = {prefix};
  first.tokens.insert(first.tokens.end(), tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(end));
  first.from = 1;
  jobs.push_back(std::move(first));
  while (end < n) {
    size_t predicted = std::min(n - end, width), next = end + predicted;
    size_t begin = next - width - 1;
    engine::ScoreJob job;
    job.tokens.assign(tokens.begin() + static_cast<ptrdiff_t>(begin), tokens.begin() + static_cast<ptrdiff_t>(next));
    job.from = job.tokens.size() - predicted;
    jobs.push_back(std::move(job));
    end = next;
  }
  return jobs;
}

}  // namespace llmkit::eval
