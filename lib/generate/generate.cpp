#include "generate/generate.h"

#include <fmt/format.h>

#include <algorithm>

#include "decode/stop.h"
#include "tokenizer/stream_decoder.h"

namespace llmkit::generate {

Prompt Generator::shortened(std::vector<int32_t> tokens, uint64_t stream, int64_t reserve) const {
  auto room = static_cast<size_t>(std::max<int64_t>(1, session_.context() - reserve));
  if (tokens.size() > room) tokens.erase(tokens.begin(), tokens.end() - static_cast<ptrdiff_t>(room));
  return {std::move(tokens), stream};
}

Prompt Generator::prompt(std::string_view text, uint64_t stream, int64_t reserve) const {
  std::vector<int32_t> tokens = tokenizer_.encode(text);
  if (tokens.empty()) {
    auto start = tokenizer_.bos() ? tokenizer_.bos() : tokenizer_.eos();
    if (!start) throw UsageError("an empty prompt needs a tokenizer with a bos or eos token");
    tokens = {*start};
  }
  return shortened(std::move(tokens), stream, reserve);
}

Prompt Generator::chat(const std::vector<formats::Message>& messages, uint64_t stream, int64_t reserve) const {
  const std::string& jinja = tokenizer_.parts().chat_template;
  std::string_view name = tokenizer::recognise_chat_template(jinja);
  if (name.empty()) {
    throw Error({"the model has no chat template that llmkit knows", "tokenizer_config.json: chat_template",
                 "one of llmkit help chat-templates", jinja.empty() ? "none" : printable(jinja, 60),
                 "fine-tune it with `llmkit sft`, or use --prompt"});
  }
  auto chat = tokenizer::chat_templates().make(name);
  Prompt p = shortened(tokenizer::encode_chat(tokenizer_, *chat, messages, true).ids, stream, reserve);
  p.stop_ids = {tokenizer::end_of_turn_id(tokenizer_, *chat)};
  return p;
}

std::vector<Completion> Generator::run(const std::vector<Prompt>& prompts, const GenerateOptions& options,
                                       const TextSink& sink, const engine::ExplainSink& explain) {
  std::vector<Completion> out(prompts.size());
  std::vector<engine::GenerateJob> jobs;
  std::vector<tokenizer::StreamDecoder> decoders;
  std::vector<decode::StopMatcher> stops;
  for (auto& p : prompts) {
    jobs.push_back({p.tokens, options.max_tokens, p.stream});
    decoders.emplace_back(tokenizer_, true);
    stops.emplace_back(options.stop);
  }
  auto show = [&](size_t i, const std::string& text) {
    out[i].text += text;
    if (sink && !text.empty()) sink(i, text);
  };
  session_.generate(
      jobs, decode::Chain(options.samplers), options.seed,
      [&](size_t i, int32_t token) {
        auto& ids = prompts[i].stop_ids;
        bool end =
            std::find(ids.begin(), ids.end(), token) != ids.end() || (!options.ignore_eos && token == tokenizer_.eos());
        if (!end) {
          out[i].ids.push_back(token);
          show(i, stops[i].push(decoders[i].push(token)));
          end = stops[i].stopped();
        }
        if (end) out[i].finish_reason = "stop";
        return !end;
      },
      explain);
  for (size_t i = 0; i < out.size(); ++i) {
    show(i, stops[i].push(decoders[i].finish()));
    show(i, stops[i].flush());
    if (out[i].finish_reason.empty()) out[i].finish_reason = "length";
  }
  return out;
}

std::string explain_table(const std::vector<decode::Step>& steps, const tokenizer::Tokenizer& tokenizer) {
  std::string out;
  for (auto& step : steps) {
    out += fmt::format("{:<28} {:>7} left ", step.name, step.left);
    for (size_t i = 0; i < std::min<size_t>(5, step.top.size()); ++i) {
      out += fmt::format("  {} {:.3f}", printable(tokenizer.bytes(step.top[i].id), 12), step.probability[i]);
    }
    out += "\n";
  }
  return out;
}

}  // namespace llmkit::generate
