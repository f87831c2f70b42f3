#include "eval/answer.h"

#include "decode/stop.h"
#include "eval/encode.h"

namespace llmkit::eval {
namespace {

const std::vector<std::string> kGreedy = {"greedy"};

}  // namespace

Answerer::Answerer(engine::Session& session, const tokenizer::Tokenizer& tokenizer)
    : session_(session), tokenizer_(tokenizer) {
  auto prefix = tokenizer.bos() ? tokenizer.bos() : tokenizer.eos();
  if (!prefix)
    throw Error({"the tokenizer has no token that separates documents", "", "bos_token or eos_token", "neither", ""});
  prefix_ = *prefix;
}

std::vector<Answered> Answerer::answer(std::span<const Request> requests) {
  std::vector<Answered> out(requests.size());
  std::vector<engine::ScoreJob> scores;
  std::vector<size_t> score_owner;
  std::vector<engine::GenerateJob> texts;
  std::vector<size_t> text_owner;
  for (size_t i = 0; i < requests.size(); ++i) {
    const Request& r = requests[i];
    if (r.kind == Request::Kind::generate) {
      std::vector<int32_t> prompt = tokenizer_.encode(r.context);
      if (prompt.empty()) prompt = {prefix_};
      auto room = static_cast<size_t>(
          std::max<int64_t>(1, session_.context() - std::min(r.max_tokens, session_.context() / 2)));
      if (prompt.size() > room) prompt.erase(prompt.begin(), prompt.end() - static_cast<ptrdiff_t>(room));
      out[i].tokens = prompt;
      out[i].from = prompt.size();
      texts.push_back({std::move(prompt), r.max_tokens, i});
      text_owner.push_back(i);
    } else if (r.kind == Request::Kind::rolling) {
      for (auto& job : rolling_windows(tokenizer_.encode(r.continuation), prefix_, session_.context())) {
        scores.push_back(std::move(job));
        score_owner.push_back(i);
      }
    } else {
      scores.push_back(encode_pair(tokenizer_, r.context, r.continuation, prefix_, session_.context()));
      score_owner.push_back(i);
      out[i].tokens = scores.back().tokens;
      out[i].from = scores.back().from;
    }
  }
  for (size_t i : score_owner) out[i].response.is_greedy = true;
  std::vector<engine::Scored> scored = session_.score(scores);
  for (size_t k = 0; k < scored.size(); ++k) {
    Response& response = out[score_owner[k]].response;
    response.logprob += scored[k].logprob;
    response.tokens += scored[k].tokens;
    response.is_greedy = response.is_greedy && scored[k].is_greedy;
  }
  if (!texts.empty()) {
    std::vector<std::string> text(texts.size());
    std::vector<decode::StopMatcher> stops;
    for (size_t i : text_owner) stops.emplace_back(requests[i].stop);
    session_.generate(texts, decode::Chain(kGreedy), 0, [&](size_t job, int32_t token) {
      Response& response = out[text_owner[job]].response;
      if (token == tokenizer_.eos()) return false;
      ++response.tokens;
      std::string piece;
      tokenizer_.decode(token, piece, true);
      text[job] += stops[job].push(piece);
      return !stops[job].stopped();
    });
    for (size_t k = 0; k < texts.size(); ++k) out[text_owner[k]].response.text = text[k] + stops[k].flush();
  }
  return out;
}

}  // namespace llmkit::eval
