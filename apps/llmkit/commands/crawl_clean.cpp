#include "workflows/crawl_clean.h"

#include <iostream>

#include "command.h"
#include "io/files.h"

namespace llmkit::cli {
namespace {

class CrawlClean : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        "crawl-clean",
        "Data",
        "web pages to clean text documents",
        {"llmkit crawl-clean pages.warc.gz -o docs.jsonl.zst --rejects rejects.jsonl",
         "llmkit crawl-clean site/ --recipe gopher-v1 --filter gopher-quality:min-words=80 --report report.html -o "
         "docs.jsonl",
         "llmkit crawl-clean pages.warc.gz --explain example.org/page"},
        "Reads WARC, ARC and WET archives, HTML files, folders of them, JSON lines and text files, plain or "
        "compressed; what an "
        "input is, its first bytes say. Of each page it finds the charset, parses the HTML as a browser does, keeps "
        "the blocks "
        "that a small learned model takes for content (headings, lists, tables and code stay), names the language, and "
        "applies "
        "a recipe of published quality filters. Output: one JSON line a document (id, text, url, source, lang, title), "
        "in input "
        "order, the same bytes for any --threads.\n"
        "--rejects writes one JSON line for each dropped page: stage, rule, value and threshold. Pages are not "
        "'damaged' because "
        "they are dropped; damaged are records and lines that cannot be read, and --max-bad limits those.\n"
        "llmkit help filters and llmkit help recipes list what there is.",
        kUsesStream};
    return info;
  }

  void declare(Options& options) override {
    options.positional("IN", &options_.inputs, "archives, HTML or text files, folders, JSON lines, or -", 1);
    options.group("Extraction");
    options.choice("--markup", &markup_, {"plain", "markdown"}, "how headings, code and tables are written");
    options.boolean("--html-text", &options_.raw_text, "the text of JSON lines is HTML");
    options.size("--max-page", &options_.max_page_bytes, "drop larger pages");
    options.group("Filters");
    options.text("--recipe", &options_.recipe, "NAME", "list of filters: fineweb-v1, gopher-v1, minimal-v1, or none");
    options.list("--filter", &options_.filters, "SPEC", "add a filter or replace the recipe's of that name");
    options.text("--rejects", &options_.rejects, "FILE", "JSON lines of what was dropped, and why");
    options.group("Looking closer");
    options.text("--explain", &explain_, "TEXT",
                 "show what happens to the first page whose URL or id holds TEXT, and stop");
  }

  ExitCode run(Context& context, const Common& common) override {
    options_.output = common.output;
    options_.markup = markup_ == "markdown" ? clean::Markup::markdown : clean::Markup::plain;
    if (common.options->given("explain")) return explain(context);
    workflows::CrawlCleanResult result = workflows::crawl_clean(options_, context);
    if (!common.report.empty()) io::write_file_atomically(common.report, workflows::crawl_clean_report(result).html());

    const workflows::CrawlCleanCounts& c = result.counts;
    Summary s;
    s.written = common.output == "-" ? "" : common.output;
    s.in = c.pages + result.bad.total - in_pages(result);
    s.kept = c.kept;
    s.dropped = c.dropped;
    s.bad = result.bad.total;
    s.bad_examples = result.bad.first;
    s.bytes_in = c.page_bytes;
    s.bytes_out = c.text_bytes;
    s.metrics = {{"kept-share", c.pages > 0 ? static_cast<double>(c.kept) / static_cast<double>(c.pages) : 0},
                 {"text-bytes", static_cast<double>(c.text_bytes)},
                 {"compressed-bytes-in", static_cast<double>(result.bytes_in)}};
    for (auto& [name, rule] : c.rules) s.metrics.emplace_back("dropped " + name, static_cast<double>(rule.documents));
    s.inputs = result.inputs;
    s.outputs = {common.output};
    if (!options_.rejects.empty()) s.outputs.push_back(options_.rejects);
    if (!common.report.empty()) s.outputs.push_back(common.report);
    if (common.output != "-") s.next = "llmkit dedup " + common.output + " -o unique.jsonl.zst";
    s.interrupted = result.interrupted;
    return common.finish(s);
  }

 private:
  // Bad lines were counted as pages, damaged archive records were not.
  static uint64_t in_pages(const workflows::CrawlCleanResult& result) {
    return result.counts.pages - result.counts.kept - result.counts.dropped;
  }

  ExitCode explain(Context& context) {
    std::string text = workflows::explain_page(options_, explain_, context);
    if (text.empty())
      throw Error(
          ErrorParts{"no page with that in its URL or id", explain_, {}, {}, "--rejects and the output name the URLs"});
    std::cout << text;
    return ExitCode::done;
  }

  workflows::CrawlCleanOptions options_;
  std::string markup_ = "plain", explain_;
};

}  // namespace

std::unique_ptr<Command> make_crawl_clean() {
  return std::make_unique<CrawlClean>();
}

}  // namespace llmkit::cli
