// llmkit generate: text from a prompt, a conversation, or a stream of JSON lines.
#include "generate/generate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "base/json_writer.h"
#include "base/log.h"
#include "command.h"
#include "engine/session.h"
#include "formats/json.h"
#include "io/input.h"
#include "io/line_reader.h"
#include "io/output.h"
#include "models/model.h"

namespace llmkit::cli {
namespace {

class GenerateCommand : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        .name = "generate",
        .group = "Models",
        .summary = "text from a prompt",
        .examples = {"llmkit generate --model run/model --prompt \"Once upon a time\" --temperature 0.8 --top-p 0.95",
                     "llmkit generate --model sft/model --chat",
                     "llmkit generate --model run/model --jsonl < prompts.jsonl > texts.jsonl"},
        .details =
            "The text goes to standard output as it is made, always whole characters, and nothing else does. Without "
            "--prompt the prompt is read "
            "from standard input. --chat holds a conversation (one line a turn; on a terminal, control characters of "
            "the answer are "
            "removed). --jsonl reads objects with prompt or messages and writes them back with text and finish_reason, "
            "in order. The same seed "
            "gives the same text for any thread count and batch size. --sampler gives the chain step by step (llmkit "
            "help samplers); the other "
            "sampling options are short for penalty, temperature, top-k, top-p and min-p in that order.",
        .uses = kUsesOutput | kUsesThreads | kUsesSeed | kUsesForce | kUsesMaxBad};
    return info;
  }

  void declare(Options& o) override {
    o.text("--model", &model_, "FOLDER", "model: a Hugging Face folder");
    o.text("--prompt", &prompt_, "TEXT", "text to continue (default: standard input)");
    o.boolean("--chat", &chat_, "hold a conversation, a line a turn");
    o.text("--system", &system_, "TEXT", "system message of the conversation");
    o.boolean("--jsonl", &jsonl_, "JSON lines in (prompt or messages), JSON lines out");
    o.boolean("--ids", &ids_, "with --jsonl: also write the token ids");
    o.integer("--max-tokens", &options_.max_tokens, "N", "tokens written at most", 1);
    o.integer("--num", &num_, "N", "texts for each prompt", 1, 1000);
    o.list("--stop", &options_.stop, "TEXT", "end where this text would come (repeatable)");
    o.boolean("--ignore-eos", &options_.ignore_eos, "go on after the end of a document");
    o.group("Sampling");
    o.real("--temperature", &sampling_.temperature, "T", "0 = greedy; below 1 safer, above 1 wilder", 0, 1000);
    o.integer("--top-k", &sampling_.top_k, "K", "only the K most probable tokens (0 = all)", 0);
    o.real("--top-p", &sampling_.top_p, "P", "only the most probable tokens up to mass P (1 = all)", 0, 1);
    o.real("--min-p", &sampling_.min_p, "P", "only tokens at least P times as probable as the best (0 = all)", 0, 1);
    o.real("--repetition-penalty", &sampling_.repetition_penalty, "P",
           "make tokens that occurred less probable (1 = off)", 1e-3, 1e3);
    o.list("--sampler", &samplers_, "SPEC", "a step of the chain, instead of the options above (repeatable)");
    o.boolean("--explain", &explain_, "show on stderr what each step left, token by token");
    o.integer("--batch", &batch_, "N", "texts written side by side; changes speed, not results", 1, 4096);
  }

  ExitCode run(Context& context, const Common& common) override {
    if (model_.empty()) throw UsageError("--model FOLDER is required");
    if (chat_ + jsonl_ + !prompt_.empty() > 1) throw UsageError("--chat, --jsonl and --prompt exclude each other");
    options_.samplers = samplers_.empty() ? decode::sampling_specs(sampling_) : samplers_;
    options_.seed = context.seed;
    decode::Chain check(options_.samplers);
    auto tokenizer = tokenizer::Tokenizer::load(model_);
    auto model = models::Model::load(model_, context.parallel, {.training = false});
    // A long prompt loses its beginning, so that the answer has room, but never more than half of the context.
    reserve_ = std::min(options_.max_tokens, model->config().max_positions / 2);
    engine::Session session(*model, context.parallel, 4096, batch_);
    generate::Generator generator(session, tokenizer);
    auto out = io::create_output(common.output, {.replace = common.force});
    terminal_ = common.output == "-" && isatty(STDOUT_FILENO);
    ExitCode code = ExitCode::done;
    if (chat_)
      converse(context, generator, *out);
    else if (jsonl_)
      code = lines(context, common, generator, *out);
    else
      once(generator, tokenizer, *out);
    out->finish();
    return context.stop.requested() ? ExitCode::interrupted : code;
  }

 private:
  // A model may write escape sequences; a terminal must not obey them.
  std::string shown(std::string_view text) const {
    if (!terminal_) return std::string(text);
    std::string out;
    for (char c : text)
      if (c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F)) out += c;
    return out;
  }

  void say(io::OutputStream& out, std::string_view text) const {
    out.write(shown(text));
    out.flush();
  }

  engine::ExplainSink explainer(const tokenizer::Tokenizer& tokenizer) const {
    if (!explain_) return nullptr;
    return [&tokenizer](size_t, const std::vector<decode::Step>& steps) {
      fmt::print(stderr, "{}\n", generate::explain_table(steps, tokenizer));
    };
  }

  void once(generate::Generator& generator, const tokenizer::Tokenizer& tokenizer, io::OutputStream& out) {
    if (prompt_.empty()) {
      auto input = io::open_input("-");
      prompt_ = io::read_all(*input, 64 << 20);
    }
    std::vector<generate::Prompt> prompts;
    for (int64_t i = 0; i < num_; ++i) prompts.push_back(generator.prompt(prompt_, static_cast<uint64_t>(i), reserve_));
    if (num_ == 1) {
      generator.run(
          prompts, options_, [&](size_t, std::string_view text) { say(out, text); }, explainer(tokenizer));
      out.write("\n");
    } else {
      for (auto& completion : generator.run(prompts, options_, nullptr, explainer(tokenizer)))
        out.write(shown(completion.text) + "\n\n");
    }
  }

  void converse(Context& context, generate::Generator& generator, io::OutputStream& out) {
    std::vector<formats::Message> messages;
    if (!system_.empty()) messages.push_back({.role = "system", .content = system_});
    bool ask = terminal_ && isatty(STDIN_FILENO);
    uint64_t turn = 0;
    std::string line;
    while (!context.stop.requested()) {
      if (ask) say(out, "> ");
      if (!std::getline(std::cin, line)) break;
      if (line.empty()) continue;
      messages.push_back({.role = "user", .content = line});
      auto prompt = generator.chat(messages, turn++, reserve_);
      auto completion = generator.run({prompt}, options_, [&](size_t, std::string_view text) { say(out, text); });
      out.write("\n");
      messages.push_back({.role = "assistant", .content = completion[0].text});
    }
  }

  // One object in, one object out, in order; the lines of a batch are written side by side.
  ExitCode lines(Context& context, const Common& common, generate::Generator& generator, io::OutputStream& out) {
    auto input = io::open_input("-");
    io::LineReader reader(*input);
    Summary summary;
    summary.unit = "prompts";
    summary.written = common.output;
    std::vector<formats::Json> waiting;
    std::vector<generate::Prompt> prompts;
    auto flush = [&] {
      auto texts = generator.run(prompts, options_);
      for (size_t i = 0; i < waiting.size(); ++i) {
        formats::Json& line = waiting[i];
        auto first = static_cast<size_t>(num_) * i;
        if (num_ == 1) {
          line.set("text", texts[first].text);
          line.set("finish_reason", texts[first].finish_reason);
          if (ids_) line.set("ids", id_array(texts[first].ids));
        } else {
          formats::Json all = formats::Json::array();
          for (size_t k = first; k < first + static_cast<size_t>(num_); ++k) all.push_back(texts[k].text);
          line.set("texts", std::move(all));
        }
        out.write(formats::write_json(line) + "\n");
      }
      waiting.clear();
      prompts.clear();
    };
    for (std::string_view text; !context.stop.requested() && reader.next(text);) {
      if (text.empty()) continue;
      ++summary.in;
      try {
        formats::Json line = formats::parse_json(text, fmt::format("standard input, line {}", reader.line_number()));
        for (int64_t k = 0; k < num_; ++k)
          prompts.push_back(make_prompt(generator, line, summary.in * 1000 + static_cast<uint64_t>(k)));
        waiting.push_back(std::move(line));
        ++summary.kept;
      } catch (const UsageError&) {
        throw;
      } catch (const Error& e) {
        ++summary.bad;
        if (summary.bad_examples.size() < 10) summary.bad_examples.push_back(e.what());
      }
      if (static_cast<int64_t>(waiting.size()) >= batch_) flush();
    }
    flush();
    return common.finish(summary);
  }

  generate::Prompt make_prompt(generate::Generator& generator, const formats::Json& line, uint64_t stream) const {
    if (!line.has("messages")) return generator.prompt(line.get_string("prompt"), stream, reserve_);
    std::vector<formats::Message> messages;
    for (auto& m : line.get_array("messages"))
      messages.push_back({.role = m.get_string("role"), .content = m.get_string("content")});
    return generator.chat(messages, stream, reserve_);
  }

  static formats::Json id_array(const std::vector<int32_t>& ids) {
    formats::Json out = formats::Json::array();
    for (int32_t id : ids) out.push_back(int64_t{id});
    return out;
  }

  std::string model_, prompt_, system_;
  bool chat_ = false, jsonl_ = false, ids_ = false, explain_ = false, terminal_ = false;
  generate::GenerateOptions options_;
  decode::SamplingOptions sampling_;
  std::vector<std::string> samplers_;
  int64_t num_ = 1, batch_ = 16, reserve_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_generate() {
  return std::make_unique<GenerateCommand>();
}

}  // namespace llmkit::cli
