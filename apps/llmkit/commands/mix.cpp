#include "mix/mix.h"

#include <cmath>
#include <iostream>
#include <optional>

#include "base/log.h"
#include "base/report.h"
#include "base/units.h"
#include "command.h"
#include "io/files.h"

namespace llmkit::cli {
namespace {

Report make_report(const mix::MixResult& result) {
  Report page("Mixture", "llmkit mix");
  std::vector<Bar> bars;
  std::vector<std::vector<std::string>> rows;
  for (auto& s : result.sources) {
    bars.push_back({s.name, static_cast<double>(s.planned)});
    rows.push_back({s.name, format_count(s.documents), format_count(s.units), format_count(s.planned),
                    short_number(s.epochs()), format_count(s.draws), format_count(s.validation_documents),
                    format_count(s.validation_units)});
  }
  page.figures({{result.unit, format_count(result.total)}, {"sources", std::to_string(result.sources.size())}});
  page.bar_chart({.title = "What each source gives", .x_label = result.unit, .y_label = "source"}, bars);
  page.table({"source", "documents", result.unit, "planned", "epochs", "documents drawn", "held out",
              "held-out " + result.unit},
             rows);
  for (auto& warning : result.warnings) page.paragraph(warning);
  return page;
}

class Mix : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        "mix",
        "Data",
        "blend sources into a shuffled training set",
        {"llmkit mix web=docs.jsonl.zst:4 books=books.jsonl.zst:2 code=code/:1 --tokenizer tok --tokens 100M -o data",
         "llmkit mix en=en.jsonl.zst zh=zh.jsonl.zst --temperature 2 --bytes 50M --dry-run"},
        "A source is NAME=PATH:WEIGHT; its share of the budget is weight^(1/T), normalised (T is --temperature). "
        "Without "
        "weights, sizes are the weights. A source is repeated at most --max-epochs times; what it cannot give is "
        "shared out "
        "among the others. Amounts are exact: the last document drawn from a source is cut. Without a budget, as much "
        "is "
        "taken as the shares allow.\n\n"
        "Held-out documents (--validation) are chosen by a hash of their text: equal texts are never on both sides, "
        "and the "
        "choice depends neither on the seed nor on the other sources. They go to DIR/validation.\n\n"
        "With --tokenizer, DIR holds token shards (shard-00000.tok, manifest.json) and the tokenizer, ready for llmkit "
        "pretrain; without, part-00000.jsonl.zst and so on. mix.json says what came from where. The order is one "
        "global "
        "shuffle, a pure function of --seed; the same bytes come out for any --threads.\n\n"
        "Sources are read once. Tokens or lines are kept in memory up to half of --memory (4G where not given), beyond "
        "that "
        "in a temporary file; 24 bytes of index a document stay in memory.",
        kUsesOutput | kUsesThreads | kUsesSeed | kUsesForce | kUsesDryRun | kUsesJson | kUsesReport | kUsesManifest |
            kUsesMaxBad | kUsesGates | kUsesMemory,
        "mixed"};
    return info;
  }

  void declare(Options& options) override {
    options.positional("NAME=PATH:WEIGHT", &sources_, "a source: JSONL or text file or folder, and its weight", 1);
    options.group("Mixture");
    options.text("--tokens", &tokens_, "N", "size of the training set in tokens (100M, 1e6); needs --tokenizer");
    options.size("--bytes", &bytes_, "size of the training set in bytes of text; 0 = as much as the shares allow");
    options.text("--tokenizer", &tokenizer_, "DIR", "tokenizer folder, tokenizer.json or byte: write token shards");
    options.real("--temperature", &temperature_, "T", "shares are weight^(1/T): above 1 evens them out", 0.01, 1000);
    options.real("--max-epochs", &max_epochs_, "N", "how often a document may be used; without a budget 1", 0.001, 1e6);
    options.text("--validation", &validation_, "SHARE|N", "hold out this share (0.01, 1%) or number of documents");
    options.boolean("--end-of-text", &end_of_text_, "put the tokenizer's end-of-text token after each document");
    options.group("Files");
    options.text("--shard", &shard_, "N", "tokens or bytes in an output file (default 268435456)");
    options.text("--text-key", &text_key_, "KEY", "member that holds the text");
    options.boolean("--text-lines", &text_lines_, "a .txt file is one document a line, not one");
    options.text("--temp", &temp_, "DIR", "folder for temporary data; empty = $TMPDIR or /tmp");
  }

  ExitCode run(Context& context, const Common& common) override {
    mix::MixOptions options;
    options.sources = mix::parse_sources(sources_);
    options.output = common.output;
    std::optional<tokenizer::Tokenizer> tokenizer;
    if (!tokenizer_.empty()) tokenizer = tokenizer::Tokenizer::load(tokenizer_);
    options.tokenizer = tokenizer ? &*tokenizer : nullptr;
    options.end_of_text = end_of_text_;
    options.plan = {budget(), temperature_, max_epochs_};
    if (options.plan.budget == 0 && !common.options->given("max-epochs")) options.plan.max_epochs = 1;
    read_validation(options);
    options.shard_units = shard_.empty() ? 0 : count("--shard", shard_);
    options.reading.keys.text = text_key_;
    options.reading.text_files = text_lines_ ? formats::TextFiles::lines : formats::TextFiles::whole;
    options.temporary_folder = temp_;
    options.replace = common.force;
    options.dry_run = common.dry_run;
    mix::MixResult result = mix::run_mix(options, context);
    for (auto& warning : result.warnings) log::warning(warning);
    // The plan is the result of a dry run; beside a written folder it is a message.
    (common.dry_run ? std::cout : std::cerr)
        << (common.quiet && !common.dry_run ? "" : mix::plan_table(result)) << std::flush;
    if (!common.report.empty()) io::write_file_atomically(common.report, make_report(result).html());
    return common.finish(summary(common, result));
  }

 private:
  static uint64_t count(const char* option, const std::string& text) {
    auto value = parse_count(text);
    if (!value || *value == 0)
      throw UsageError(ErrorParts{"", option, "a whole number above 0, such as 100M or 1e6", "'" + text + "'", ""});
    return *value;
  }

  uint64_t budget() const {
    if (tokens_.empty()) {
      if (bytes_ && !tokenizer_.empty())
        throw UsageError(ErrorParts{"--bytes measures text", "--bytes", "--tokens with --tokenizer", "", ""});
      return bytes_;
    }
    if (tokenizer_.empty())
      throw UsageError(ErrorParts{"--tokens needs --tokenizer", "--tokens", "", "", "or give --bytes"});
    return count("--tokens", tokens_);
  }

  // "0.01" and "1%" are shares, "500" is a number of documents.
  void read_validation(mix::MixOptions& options) const {
    if (validation_.empty() || validation_ == "0") return;
    if (auto share = parse_percent(validation_)) {
      options.validation_share = *share;
    } else if (validation_.find('.') != std::string::npos) {
      char* end = nullptr;
      options.validation_share = std::strtod(validation_.c_str(), &end);
      if (*end) options.validation_share = -1;
    } else {
      options.validation_documents = count("--validation", validation_);
    }
    if (!(options.validation_share >= 0 && options.validation_share < 1))
      throw UsageError(ErrorParts{"", "--validation", "a share below 1 (0.01, 1%) or a number of documents",
                                  "'" + validation_ + "'", ""});
  }

  Summary summary(const Common& common, const mix::MixResult& result) const {
    Summary s;
    s.written = common.dry_run ? "" : common.output;
    s.bad = static_cast<uint64_t>(result.bad.total());
    s.bad_examples = result.bad.first();
    s.bytes_in = result.bytes_in;
    for (auto& source : result.sources) {
      s.in += source.documents + source.validation_documents;
      s.kept += source.used_documents + source.validation_documents;
      s.metrics.emplace_back(result.unit + "_" + source.name, static_cast<double>(source.planned));
      s.metrics.emplace_back("epochs_" + source.name, source.epochs());
    }
    s.dropped = common.dry_run ? 0 : s.in - s.kept;
    if (common.dry_run) s.kept = s.in;
    s.in += s.bad;
    s.metrics.insert(s.metrics.begin(), {result.unit, static_cast<double>(result.total)});
    for (auto& source : mix::parse_sources(sources_))
      s.inputs.insert(s.inputs.end(), source.paths.begin(), source.paths.end());
    if (!common.dry_run) s.outputs = {common.output};
    if (!common.report.empty()) s.outputs.push_back(common.report);
    if (!common.dry_run)
      s.next = tokenizer_.empty() ? "llmkit train-tokenizer " + common.output + " --vocab-size 8192 -o tokenizer"
                                  : "llmkit pretrain --data " + common.output + " -o run";
    return s;
  }

  std::vector<std::string> sources_;
  std::string tokens_, tokenizer_, validation_, shard_, text_key_ = "text", temp_;
  uint64_t bytes_ = 0;
  double temperature_ = 1, max_epochs_ = 4;
  bool end_of_text_ = true, text_lines_ = false;
};

}  // namespace

std::unique_ptr<Command> make_mix() {
  return std::make_unique<Mix>();
}

}  // namespace llmkit::cli
