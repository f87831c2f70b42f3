#include "workflows/crawl_clean.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "base/hash.h"
#include "formats/jsonl.h"
#include "io/files.h"
#include "stage.h"
#include "temporary_folder.h"

using namespace llmkit;
namespace fs = std::filesystem;

namespace {

struct Run {
  workflows::CrawlCleanResult result;
  std::string documents, rejects;
  ParallelStats stats;
};

Run run(const TemporaryFolder& folder, workflows::CrawlCleanOptions options, int threads) {
  Parallel parallel(threads);
  StopFlag stop;
  NoProgress progress;
  Context context{parallel, stop, progress, 0, 0, true};
  options.output = folder.file("out.jsonl");
  options.rejects = folder.file("rejects.jsonl");
  Run r;
  r.result = workflows::crawl_clean(options, context);
  r.documents = io::read_file(options.output);
  r.rejects = io::read_file(options.rejects);
  r.stats = parallel.stats();
  return r;
}

const std::string kSamples = std::string(LLMKIT_SOURCE_DIR) + "/data-samples/web";

}  // namespace

TEST_CASE("the sample pages come out the same with one thread and with eight") {
  TemporaryFolder folder;
  workflows::CrawlCleanOptions options;
  for (int i = 0; i < 6; ++i) options.inputs.push_back(kSamples);
  Run one = run(folder, options, 1), eight = run(folder, options, 8);
  for (int i = 0; i < 20 && eight.stats.least_tiles < 3; ++i) eight = run(folder, options, 8);
  CHECK(one.documents == eight.documents);
  CHECK(one.rejects == eight.rejects);
  CHECK(eight.stats.workers >= 2);
  CHECK(eight.stats.least_tiles >= 3);
  CHECK(one.result.counts.pages == 6 * 220);
  CHECK(one.result.counts.kept > 6 * 180);
  CHECK(one.result.counts.kept + one.result.counts.dropped == one.result.counts.pages);
  CHECK(one.result.counts.languages.at("zh") >= 6 * 20);
}

TEST_CASE("every dropped page is explained by stage, rule, value and threshold") {
  TemporaryFolder folder;
  workflows::CrawlCleanOptions options;
  options.inputs = {kSamples};
  Run r = run(folder, options, 2);
  CHECK(static_cast<uint64_t>(std::count(r.rejects.begin(), r.rejects.end(), '\n')) == r.result.counts.dropped);
  CHECK(r.rejects.find("\"url\": \"https://fieldnotes.example/gone\", \"stage\": \"page\", \"rule\": \"http-status\", "
                       "\"value\": 404, \"threshold\": 200") != std::string::npos);
  CHECK(r.rejects.find("\"rule\": \"not-html\"") != std::string::npos);
  CHECK(r.result.counts.rules.at("page http-status").documents == 1);
  CHECK(workflows::crawl_clean_report(r.result).html().find("page http-status") != std::string::npos);
}

TEST_CASE("JSON lines are filtered, keep their members, and damaged ones are counted and located") {
  TemporaryFolder folder;
  std::string good =
      "{\"id\": 7, \"text\": \"One two three four five six seven eight nine ten.\", \"meta\": {\"a\":  1}}\n";
  std::string lines;
  for (int i = 0; i < 300; ++i) lines += i % 3 == 0 ? "{\"text\": \n" : good;
  io::write_file_atomically(folder.file("in.jsonl"), lines);
  workflows::CrawlCleanOptions options;
  options.inputs = {folder.file("in.jsonl")};
  options.recipe = "none";
  Run r = run(folder, options, 4);
  CHECK(r.result.bad.total == 100);
  CHECK(r.result.bad.first.size() == 10);
  CHECK(r.result.bad.first[1].find("in.jsonl:4") != std::string::npos);
  CHECK(r.result.counts.kept == 200);
  CHECK(r.documents.find("\"meta\": {\"a\":  1}") != std::string::npos);
  CHECK(r.documents.find("\"id\": 7") != std::string::npos);
}

TEST_CASE("HTML files, text files and unknown charsets are read") {
  TemporaryFolder folder;
  fs::create_directories(folder.file("site"));
  std::string paragraph =
      "<p>The weather was good and we had nothing to do, so all of them went down to the river and stayed there until "
      "it was dark.</p>";
  io::write_file_atomically(folder.file("site/a.html"), "<title>A</title><h1>A</h1>" + paragraph + paragraph +
                                                            "<p>Caf\xE9 cr\xE8me au caf\xE9 d'\xE0 c\xF4t\xE9.</p>");
  io::write_file_atomically(folder.file("site/b.txt"), "plain text\r\n\r\n\r\n\r\nand more \x01of it");
  workflows::CrawlCleanOptions options;
  options.inputs = {folder.file("site")};
  options.recipe = "none";
  Run r = run(folder, options, 1);
  CHECK(r.result.counts.kept == 2);
  CHECK(r.documents.find("Caf\xC3\xA9 cr\xC3\xA8me") != std::string::npos);
  CHECK(r.documents.find("plain text\\n\\nand more of it") != std::string::npos);
}

TEST_CASE("a page above the size limit is dropped, not cut") {
  TemporaryFolder folder;
  io::write_file_atomically(folder.file("big.html"), "<p>" + std::string(5000, 'x'));
  workflows::CrawlCleanOptions options;
  options.inputs = {folder.file("big.html")};
  options.recipe = "none";
  options.max_page_bytes = 4096;
  Run r = run(folder, options, 1);
  CHECK(r.documents.empty());
  CHECK(r.rejects.find("max-page-bytes") != std::string::npos);
}

TEST_CASE("an explanation shows blocks, filters and text of the page asked for") {
  Parallel parallel(1);
  StopFlag stop;
  NoProgress progress;
  Context context{parallel, stop, progress, 0, 0, true};
  workflows::CrawlCleanOptions options;
  options.inputs = {kSamples};
  std::string text = workflows::explain_page(options, "fieldnotes.example/", context);
  CHECK(text.find("blocks (+ kept, - dropped") != std::string::npos);
  CHECK(text.find("+ gopher-quality") != std::string::npos);
  CHECK(workflows::explain_page(options, "no such page", context).empty());
}
