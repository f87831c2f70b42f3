// Near duplicates in real books: novels in two independent digital editions.
#include "dedup/dedup.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "base/json_writer.h"
#include "formats/json.h"
#include "io/input.h"
#include "real_data.h"
#include "stage.h"
#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::dedup;

namespace {

DedupResult run(const DedupOptions& options, uint64_t seed = 0) {
  Parallel parallel(0);
  StopFlag stop;
  NoProgress progress;
  Context context{parallel, stop, progress, seed};
  return run_dedup(options, context);
}

// The similarity of each dropped document in a cluster file.
std::map<std::string, double> dropped(const std::string& clusters) {
  auto input = io::open_input(clusters);
  std::istringstream lines(io::read_all(*input));
  std::map<std::string, double> out;
  for (std::string line; std::getline(lines, line);) {
    auto row = formats::parse_json(line, "clusters");
    if (!row.at("kept").as_bool()) out[row.at("id").as_string()] = row.at("similarity").as_real();
  }
  return out;
}

}  // namespace

TEST_CASE(
    "five novels in two editions: every pair is found, no other, and the similarities are those of an independent "
    "program") {
  std::string file = real::data_file("dedup/same_work_docs.jsonl.zst");
  if (file.empty()) return;
  TemporaryFolder scratch;
  DedupOptions options;
  options.inputs = {file};
  options.output = scratch.file("out.jsonl");
  options.clusters = scratch.file("clusters.jsonl");
  options.replace = true;
  options.verify = 0.5;
  auto result = run(options);
  CHECK(result.documents == 10);
  CHECK(result.kept == 5);
  CHECK(result.candidate_pairs == 5);
  // Jaccard similarity of the sets of word 5-grams after lower case, NFD without Mn and Cf, digits to 0, words [^\W_]+
  // (Python 3.11).
  const std::map<std::string, double> expected{{"cbm/Charles Dickens/Bleak House.md", 0.996602},
                                               {"cbm/Charlotte Bronte/Jane Eyre.md", 0.990894},
                                               {"cbm/Thomas Hardy/Jude the Obscure.md", 0.998335},
                                               {"cbm/Wilkie Collins/The Woman in White.md", 0.999692},
                                               {"cbm/Charlotte Bronte/Shirley.md", 0.996833}};
  auto exact = dropped(options.clusters);
  for (auto& [id, similarity] : expected) CHECK(std::abs(exact.at(id) - similarity) < 0.00006);
  options.verify = 0;
  run(options);
  auto estimated = dropped(options.clusters);
  for (auto& [id, similarity] : expected)
    CHECK(std::abs(estimated.at(id) - similarity) < 4 * std::sqrt(similarity * (1 - similarity) / 112) + 0.005);
}

TEST_CASE("a Chinese novel in two editions: most chapters find their twin, and no chapter another") {
  std::string plain = real::data_file("text/zh_novel_shuihu.txt.zst"),
              html = real::data_file("dedup/zh_shuihu_html_edition.tar.zst");
  if (plain.empty() || html.empty()) return;
  TemporaryFolder scratch;
  std::string lines;
  int pages = 0;
  auto add = [&](const std::string& id, std::string_view text) {
    JsonWriter(lines).begin_object().member("id", id).member("text", text).end_object();
    lines += '\n';
  };
  real::for_each_in_tar(html, [&](const std::string& name, std::string_view content) {
    std::string text(content);
    for (size_t at; (at = text.find('<')) != std::string::npos;) {
      size_t end = text.find('>', at);
      text.replace(at, end == std::string::npos ? std::string::npos : end - at + 1, " ");
    }
    add("html/" + name, text);
    ++pages;
  });
  // The other edition, cut before each chapter's heading 第…回.
  std::string novel = real::unpack_zstd(plain);
  std::vector<size_t> starts;
  for (size_t at = 0; (at = novel.find("\n第", at)) != std::string::npos; ++at) {
    size_t end = novel.find('\n', at + 1), chapter = novel.find("回", at);
    if (chapter != std::string::npos && chapter < end && chapter - at < 24) starts.push_back(at);
  }
  starts.push_back(novel.size());
  for (size_t i = 0; i + 1 < starts.size(); ++i)
    if (starts[i + 1] - starts[i] > 3000)
      add("plain/" + std::to_string(i), std::string_view(novel).substr(starts[i], starts[i + 1] - starts[i]));
  std::ofstream(scratch.file("in.jsonl")) << lines;
  DedupOptions options;
  options.inputs = {scratch.file("in.jsonl")};
  options.output = scratch.file("out.jsonl");
  auto result = run(options);
  MESSAGE(pages << " pages, " << result.documents << " documents, " << result.clusters << " clusters, "
                << result.near_dropped + result.exact_dropped << " dropped");
  CHECK(result.documents > 200);
  CHECK(result.clusters >= 90);  // the others differ too much: some chapters are worded anew
  CHECK((result.cluster_sizes.empty() || result.cluster_sizes.back().first == 2));
}
