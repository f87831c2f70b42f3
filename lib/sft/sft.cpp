#include "sft/sft.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/log.h"
#include "base/units.h"
#include "engine/fit_report.h"
#include "io/files.h"
#include "kernels/cpu.h"
#include "models/extend.h"
#include "models/model.h"
#include "sft/objective.h"
#include "sft/source.h"

namespace llmkit::sft {
namespace {

using formats::Conversation;

// The tokenizer of the model's folder with what the template needs, and which ids that added.
struct ChatTokenizer {
  std::unique_ptr<tokenizer::ChatTemplate> chat;
  std::unique_ptr<tokenizer::Tokenizer> tokenizer;
  std::vector<int32_t> new_ids;
  int64_t known = 0;  // tokens before
};

ChatTokenizer open_tokenizer(const SftOptions& options) {
  ChatTokenizer out;
  out.chat = tokenizer::chat_templates().make(options.chat_template);
  tokenizer::TokenizerParts parts = tokenizer::Tokenizer::load(options.model).parts();
  out.known = static_cast<int64_t>(parts.tokens.size());
  auto wanted = out.chat->special_tokens();
  if (out.chat->end_of_turn().empty() && parts.eos.empty()) {
    parts.eos = "<|endoftext|>";
    wanted.push_back(parts.eos);
  }
  for (auto& content : wanted) {
    tokenizer::AddedToken token;
    token.content = content;
    int32_t id = parts.add(token);
    if (id >= out.known) out.new_ids.push_back(id);
  }
  parts.chat_template = out.chat->jinja();
  out.tokenizer = std::make_unique<tokenizer::Tokenizer>(std::move(parts));
  return out;
}

std::vector<Conversation> read_conversations(const std::vector<std::string>& inputs, formats::BadRecords* bad) {
  formats::ConversationReader reader(inputs);
  std::vector<Conversation> out;
  for (Conversation c; reader.next(c); c = {}) out.push_back(std::move(c));
  if (bad) *bad = reader.bad();
  return out;
}

// Every so many conversations go to validation, so that all kinds of a sorted file are there.
void split(std::vector<Conversation>& train, std::vector<Conversation>& validation, double share) {
  std::vector<Conversation> rest;
  for (size_t i = 0; i < train.size(); ++i) {
    auto crossed = [&](size_t n) { return std::floor(static_cast<double>(n) * share); };
    (crossed(i + 1) > crossed(i) ? validation : rest).push_back(std::move(train[i]));
  }
  train = std::move(rest);
}

DatasetOptions dataset_options(const SftOptions& options, int64_t context) {
  return {.max_length = context,
          .overlong = options.overlong == "cut" ? Overlong::cut : Overlong::turns,
          .train_on = options.train_on == "last" ? TrainOn::last_turn : TrainOn::all_turns};
}

std::vector<std::pair<std::string, std::string>> identity(const SftOptions& o, const Source& source, uint64_t seed,
                                                          int64_t steps) {
  auto real = [](double v) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", v);
    return std::string(text);
  };
  return {{"data", hex(source.fingerprint())},
          {"model", hex(xxh3_64(io::read_file(o.model + "/config.json")))},
          {"seed", std::to_string(seed)},
          {"steps", std::to_string(steps)},
          {"template", o.chat_template},
          {"length", std::to_string(source.length())},
          {"batch", std::to_string(o.batch)},
          {"accumulation", std::to_string(o.accumulation)},
          {"packing", std::to_string(o.packing)},
          {"lr", real(o.lr)},
          {"min-lr", real(o.min_lr)},
          {"warmup", std::to_string(o.warmup)},
          {"weight-decay", real(o.weight_decay)},
          {"clip", real(o.clip)},
          {"precision", o.precision}};
}

engine::FitOptions fit_options(const SftOptions& o, int64_t steps) {
  engine::FitOptions fit;
  fit.steps = steps;
  char spec[80];
  std::snprintf(spec, sizeof spec, "adamw:weight-decay=%.17g", o.weight_decay);
  fit.optimizer = spec;
  fit.learning_rate = o.lr;
  fit.min_learning_rate = o.min_lr < 0 ? o.lr / 10 : o.min_lr;
  fit.warmup_steps = o.warmup < 0 ? std::max<int64_t>(1, steps * 3 / 100) : o.warmup;
  fit.clip_norm = o.clip;
  fit.validate_every = o.eval_every;
  fit.sample_every = o.eval_every;
  fit.checkpoint_every = o.checkpoint_every;
  fit.keep_checkpoints = o.keep;
  return fit;
}

// The model with room for the new tokens; generation ends at the end of a turn, and still at the old end.
std::unique_ptr<models::Model> open_model(const SftOptions& options, const ChatTokenizer& tokens, Context& context) {
  auto model = models::Model::load(options.model, context.parallel);
  if (tokens.known > model->config().vocab_size)
    throw Error(ErrorParts{"tokenizer and model do not belong together",
                           options.model,
                           "at most " + std::to_string(model->config().vocab_size) + " tokens",
                           std::to_string(tokens.known),
                           {}});
  model = models::extend_vocabulary(std::move(model), tokens.tokenizer->vocab_size(), tokens.known, tokens.new_ids,
                                    context.parallel);
  auto& ends = model->config().eos_token_ids;
  int64_t end = tokenizer::end_of_turn_id(*tokens.tokenizer, *tokens.chat);
  std::erase(ends, end);
  ends.insert(ends.begin(), end);
  if (auto pad = tokens.tokenizer->pad()) model->config().pad_token_id = *pad;
  return model;
}

}  // namespace

std::string masks(const SftOptions& options, Context& context, bool colour) {
  ChatTokenizer tokens = open_tokenizer(options);
  auto conversations = read_conversations(options.data, nullptr);
  if (static_cast<int64_t>(conversations.size()) > options.show_masks)
    conversations.resize(static_cast<size_t>(options.show_masks));
  int64_t length = options.context > 0 ? options.context : int64_t{1} << 20;
  Dataset data =
      build_dataset(context.parallel, *tokens.tokenizer, *tokens.chat, conversations, dataset_options(options, length));
  std::string out;
  for (auto& example : data.examples) out += show_mask(*tokens.tokenizer, example, colour) + "\n";
  return out + data.coverage.text() + "\n";
}

SftResult fine_tune(const SftOptions& options, Context& context, const std::string& resolved_config) {
  SftResult result;
  ChatTokenizer tokens = open_tokenizer(options);
  auto conversations = read_conversations(options.data, &result.bad);
  std::vector<Conversation> held_out;
  if (!options.validation_data.empty())
    held_out = read_conversations(options.validation_data, nullptr);
  else
    split(conversations, held_out, options.validation_share);

  auto model = open_model(options, tokens, context);
  int64_t length = options.context > 0 ? options.context : model->config().max_positions;
  if (length > model->config().max_positions)
    throw UsageError(ErrorParts{"--context is longer than the model can read",
                                {},
                                "at most " + std::to_string(model->config().max_positions),
                                std::to_string(length),
                                {}});
  Dataset train =
      build_dataset(context.parallel, *tokens.tokenizer, *tokens.chat, conversations, dataset_options(options, length));
  Dataset validation;
  if (!held_out.empty())
    validation =
        build_dataset(context.parallel, *tokens.tokenizer, *tokens.chat, held_out, dataset_options(options, length));
  result.coverage = train.coverage;
  result.validation_coverage = validation.coverage;

  auto pad = static_cast<int32_t>(tokens.tokenizer->pad().value_or(tokens.tokenizer->eos().value_or(0)));
  Source source(train.examples, validation.examples,
                {context.seed, length, options.batch, options.accumulation, options.packing, pad});
  int64_t steps = options.steps > 0 ? options.steps : source.steps(options.epochs);
  log::info("data: " + train.coverage.text());
  log::info("new tokens: " + std::to_string(tokens.new_ids.size()) + "; " +
            format_count(static_cast<uint64_t>(source.rows())) + " rows of " + std::to_string(source.length()) +
            " positions, " + std::to_string(static_cast<int>(100 * source.fill())) + " % filled; " +
            std::to_string(steps) + " steps");

  engine::RunFolder run(options.output, options.resume  ? engine::RunMode::resume
                                        : context.force ? engine::RunMode::replace
                                                        : engine::RunMode::fresh);
  ObjectiveOptions objective_options;
  objective_options.lm.precision = options.precision == "bf16" ? Precision::bf16 : Precision::f32;
  if (objective_options.lm.precision == Precision::bf16 && !kernels::bf16_is_fast()) {
    log::warning("--precision bf16 is slower than f32 here: the " +
                 std::string(kernels::isa_name(kernels::active_isa())) + " kernels have no bf16 instructions");
  }
  objective_options.lm.seed = context.seed;
  objective_options.lm.tokenizer = tokens.tokenizer.get();
  objective_options.reply_tokens = options.reply_tokens;
  auto prompts = std::span<const Conversation>(held_out.empty() ? conversations : held_out);
  Objective objective(*model, source, context.parallel, *tokens.tokenizer, *tokens.chat,
                      prompts.first(std::min<size_t>(3, prompts.size())), objective_options);
  result.before = objective.validate();

  engine::FitOptions fit = fit_options(options, steps);
  fit.identity = identity(options, source, context.seed, steps);
  fit.accepted = [&] { io::write_file_atomically(run.file("config.toml"), resolved_config); };
  result.fit = engine::fit(objective, model->parameters(), fit, run, context);
  if (!result.fit.interrupted) {
    io::AtomicFolder folder(run.file("model"), true);
    objective.save_weights(folder.work_path());
    folder.finish();
    result.model_folder = run.file("model");
  }
  result.report = run.file("report.html");
  io::write_file_atomically(
      result.report,
      engine::fit_report({"Fine-tuning: " + options.output, resolved_config, {}, run.path(), result.fit}));
  return result;
}

}  // namespace llmkit::sft
