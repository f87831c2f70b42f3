// llmkit report: one page about a whole project folder.
#include "command.h"
#include "io/files.h"
#include "workflows/project_report.h"

namespace llmkit::cli {
namespace {

class ReportCommand : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        .name = "report",
        .group = "Tools",
        .summary = "one page about all stages in a folder",
        .examples = {"llmkit report work -o work/report.html",
                     "llmkit dedup in.jsonl -o out.jsonl --manifest work/manifests/2-dedup.json"},
        .details =
            "Finds manifests/*.json (written by --manifest), the metrics.jsonl of training runs, results.json of "
            "evaluations and generated*.txt below "
            "the folder, and makes one self-contained HTML page of them: documents in, kept and dropped by stage, "
            "times, loss "
            "curves, scores, texts.",
        .uses = kUsesOutput | kUsesForce,
        .output_default = "report.html"};
    return info;
  }
  void declare(Options& o) override { o.positional("FOLDER", &folders_, "project folder", 1); }
  ExitCode run(Context&, const Common& common) override {
    if (folders_.size() != 1) throw UsageError("give one FOLDER");
    io::write_file_atomically(common.output, workflows::project_report(folders_[0]));
    Summary summary;
    summary.written = common.output;
    return common.finish(summary);
  }

 private:
  std::vector<std::string> folders_;
};

}  // namespace

std::unique_ptr<Command> make_report() {
  return std::make_unique<ReportCommand>();
}

}  // namespace llmkit::cli
