#include "base/log.h"
#include "base/units.h"
#include "command.h"
#include "dedup/report.h"
#include "io/files.h"

namespace llmkit::cli {
namespace {

class Dedup : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        "dedup",
        "Data",
        "remove exact and near duplicates",
        {"llmkit dedup docs.jsonl.zst -o unique.jsonl.zst --clusters clusters.jsonl",
         "llmkit crawl-clean pages.warc.gz | llmkit dedup - --verify 0.7 -o unique.jsonl.zst --report dedup.html"},
        "Exact duplicates are texts that are equal after normalisation: case, punctuation, white space, diacritics and "
        "layout do not count, digits do. Near duplicates are found by MinHash (Broder 1997) over word 5-grams with "
        "FineWeb's parameters: 14 bands of 8 rows, which compares 77 % of the pairs of similarity 0.75 and 92 % at "
        "0.8. "
        "Han, kana, Thai and other scripts without spaces count one word a character. Numbers are one \"0\" there.\n\n"
        "Candidates are joined as they are, or with --verify T only where the exact Jaccard similarity of their "
        "shingle "
        "sets is at least T. Of a cluster, the first document in input order is kept, or the longest. The lines of "
        "kept "
        "documents pass through unchanged and in order; the same bytes come out for any --threads.\n\n"
        "The inputs are read twice (three times with --verify); standard input and pipes are copied to --temp first. "
        "Memory: about 45 bytes a document, its signature (448 bytes, in a temporary file beyond half of --memory, "
        "which "
        "is 4G where not given), and 16 bytes a document while bands are sorted.",
        kUsesStream | kUsesSeed | kUsesMemory};
    return info;
  }

  void declare(Options& options) override {
    options.positional("IN", &inputs_, "JSONL or text files or folders, plain, .gz or .zst; - is stdin", 1);
    options.group("Method");
    options.choice("--method", &method_, {"both", "exact", "minhash"}, "which duplicates to remove");
    options.integer("--ngram", &ngram_, "N", "words in a shingle", 1, 64);
    options.integer("--bands", &bands_, "N", "bands of the signature", 1, 1000);
    options.integer("--rows", &rows_, "N", "hashes in a band", 1, 100);
    options.real("--verify", &verify_, "T", "join candidates of at least this exact Jaccard similarity; 0 = all", 0, 1);
    options.choice("--keep", &keep_, {"first", "longest"}, "which document of a cluster stays");
    options.group("Files");
    options.text("--clusters", &clusters_, "FILE", "write who duplicates whom: JSON lines, or a table for .tsv");
    options.text("--rejects", &rejects_, "FILE", "write the dropped documents");
    options.text("--text-key", &text_key_, "KEY", "member that holds the text");
    options.boolean("--text-lines", &text_lines_, "a .txt file is one document a line, not one");
    options.text("--temp", &temp_, "DIR", "folder for temporary data; empty = $TMPDIR or /tmp");
  }

  ExitCode run(Context& context, const Common& common) override {
    if (bands_ * rows_ > 4096)
      throw UsageError(
          ErrorParts{"too many hashes", "--bands x --rows", "at most 4096", std::to_string(bands_ * rows_), ""});
    dedup::DedupOptions options;
    options.inputs = inputs_;
    options.output = common.output;
    options.clusters = clusters_;
    options.rejects = rejects_;
    options.exact = method_ != "minhash";
    options.near = method_ != "exact";
    options.minhash = {static_cast<int>(bands_), static_cast<int>(rows_), context.seed};
    options.ngram = static_cast<int>(ngram_);
    options.verify = verify_;
    options.keep = keep_ == "longest" ? dedup::Keep::longest : dedup::Keep::first;
    options.reading.keys.text = text_key_;
    options.reading.text_files = text_lines_ ? formats::TextFiles::lines : formats::TextFiles::whole;
    options.temporary_folder = temp_;
    options.replace = common.force;
    dedup::DedupResult result = dedup::run_dedup(options, context);
    if (result.spilled) log::info("the signatures did not fit half of --memory and went to a temporary file");
    if (!common.report.empty()) io::write_file_atomically(common.report, dedup::make_report(options, result).html());
    return common.finish(summary(common, result));
  }

 private:
  Summary summary(const Common& common, const dedup::DedupResult& result) const {
    Summary s;
    s.written = common.output;
    s.bad = static_cast<uint64_t>(result.bad.total());
    s.bad_examples = result.bad.first();
    s.in = result.documents + s.bad;
    s.kept = result.kept;
    s.dropped = result.exact_dropped + result.near_dropped;
    s.bytes_in = result.bytes_in;
    s.bytes_out = result.bytes_out;
    auto share = result.documents ? static_cast<double>(s.dropped) / static_cast<double>(result.documents) : 0;
    s.metrics = {{"exact_duplicates", static_cast<double>(result.exact_dropped)},
                 {"near_duplicates", static_cast<double>(result.near_dropped)},
                 {"clusters", static_cast<double>(result.clusters)},
                 {"largest_cluster",
                  result.cluster_sizes.empty() ? 1.0 : static_cast<double>(result.cluster_sizes.back().first)},
                 {"candidate_pairs", static_cast<double>(result.candidate_pairs)},
                 {"joined_pairs", static_cast<double>(result.matching_pairs)},
                 {"duplicate_share", share}};
    s.inputs = inputs_;
    s.outputs = {common.output};
    for (auto& file : {clusters_, rejects_, common.report})
      if (!file.empty()) s.outputs.push_back(file);
    if (common.output != "-") s.next = "llmkit mix docs=" + common.output + ":1 --bytes 100M -o mixed";
    return s;
  }

  std::vector<std::string> inputs_;
  std::string method_ = "both", keep_ = "first", clusters_, rejects_, text_key_ = "text", temp_;
  int64_t ngram_ = 5, bands_ = 14, rows_ = 8;
  double verify_ = 0;
  bool text_lines_ = false;
};

}  // namespace

std::unique_ptr<Command> make_dedup() {
  return std::make_unique<Dedup>();
}

}  // namespace llmkit::cli
