#include "dedup/dedup.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "base/json_writer.h"
#include "base/rng.h"
#include "dedup/report.h"
#include "dedup/shingles.h"
#include "formats/json.h"
#include "io/input.h"
#include "stage.h"
#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::dedup;
namespace fs = std::filesystem;

namespace {

std::string read(const std::string& path) {
  auto input = io::open_input(path);
  return io::read_all(*input);
}

DedupResult run(const DedupOptions& options, Parallel& parallel, uint64_t memory = 0) {
  StopFlag stop;
  NoProgress progress;
  Context context{parallel, stop, progress, 0, memory};
  return run_dedup(options, context);
}

DedupResult run(const DedupOptions& options, int threads = 1, uint64_t memory = 0) {
  Parallel parallel(threads);
  return run(options, parallel, memory);
}

std::string line(const std::string& id, const std::string& text) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("text", text).member("id", id).member("score", 0.5).end_object();
  return out + "\n";
}

std::string words(Rng& rng, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "w" + std::string(1, static_cast<char>('a' + rng.below(26))) + static_cast<char>('a' + rng.below(26)) +
            static_cast<char>('a' + rng.below(26)) + " ";
  return text;
}

// Every `every`-th of `count` documents is a copy of an earlier one with a few words changed.
std::string corpus(int count, int every, int length, std::set<std::pair<int, int>>* copies = nullptr) {
  Rng rng{21, static_cast<uint64_t>(count)};
  std::vector<std::string> texts;
  std::string out;
  for (int i = 0; i < count; ++i) {
    std::string text = words(rng, length);
    if (i % every == every - 1) {
      auto from = static_cast<size_t>(rng.below(static_cast<uint64_t>(i)));
      text = texts[from];
      text.replace(text.size() / 2, 1, "changed ");
      if (copies) copies->insert({static_cast<int>(from), i});
    }
    texts.push_back(text);
    out += line("doc" + std::to_string(i), text);
  }
  return out;
}

}  // namespace

TEST_CASE("exact and near duplicates go, lines that stay are unchanged and in order") {
  TemporaryFolder folder;
  Rng rng{1};
  std::string a = words(rng, 200), b = words(rng, 200), near = a;
  near.replace(20, 1, " other ");
  std::string first = "{ \"id\" : 7,  \"text\": \"" + a + "\", \"meta\": {\"x\":[1, 2]} }\n", second = line("b", b);
  std::string in = folder.write(
      "in.jsonl", first + second + line("copy", "  " + b + "!") + line("near", near) + line("c", words(rng, 100)));
  DedupOptions options;
  options.inputs = {in};
  options.output = folder.file("out.jsonl");
  options.clusters = folder.file("clusters.jsonl");
  options.rejects = folder.file("rejects.jsonl");
  auto result = run(options);
  CHECK(result.documents == 5);
  CHECK(result.kept == 3);
  CHECK(result.exact_dropped == 1);
  CHECK(result.near_dropped == 1);
  CHECK(result.clusters == 2);
  std::string out = read(options.output);
  CHECK(out.starts_with(first + second));
  CHECK(out.find("\"c\"") != std::string::npos);
  CHECK(read(options.rejects) == line("copy", "  " + b + "!") + line("near", near));

  std::istringstream lines(read(options.clusters));
  std::vector<formats::Json> rows;
  for (std::string l; std::getline(lines, l);) rows.push_back(formats::parse_json(l, "clusters"));
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].at("id").as_int() == 7);
  CHECK(rows[0].at("kept").as_bool());
  CHECK(rows[1].at("id").as_string() == "near");
  CHECK(rows[1].at("cluster").as_int() == 1);
  CHECK(rows[1].at("match").as_string() == "near");
  CHECK(rows[1].at("similarity").as_real() > 0.85);
  CHECK(rows[1].at("place").as_string() == in + ":4");
  CHECK(rows[3].at("match").as_string() == "exact");
  CHECK(rows[3].at("similarity").as_real() == 1);
  CHECK(make_report(options, result).html().find("near") != std::string::npos);
}

TEST_CASE("planted near duplicates are all found, and nothing else is") {
  TemporaryFolder folder;
  std::set<std::pair<int, int>> copies;
  DedupOptions options;
  options.inputs = {folder.write("in.jsonl", corpus(2000, 5, 150, &copies))};
  options.output = folder.file("out.jsonl");
  auto result = run(options);
  CHECK(result.documents == 2000);
  CHECK(result.near_dropped + result.exact_dropped == copies.size());
  CHECK(result.kept == 2000 - copies.size());
}

TEST_CASE("the longest document of a cluster survives where asked for") {
  TemporaryFolder folder;
  Rng rng{2};
  std::string text = words(rng, 300);
  DedupOptions options;
  options.inputs = {folder.write(
      "in.jsonl", line("short", text) + line("long", text + "and one more") + line("middle", text + "more"))};
  options.output = folder.file("out.jsonl");
  options.keep = Keep::longest;
  run(options);
  CHECK(read(options.output) == line("long", text + "and one more"));
}

TEST_CASE("verification drops candidates that are not similar enough, by the exact similarity") {
  TemporaryFolder folder;
  Rng rng{3};
  std::string base = words(rng, 400), other = base;
  for (size_t at = 10; at + 40 < other.size(); at += 160)
    other.replace(at, 4, "zzzz");  // 1 word in 32 or so: 5 of 32 shingles
  DedupOptions options;
  options.inputs = {folder.write("in.jsonl", line("a", base) + line("b", other))};
  options.output = folder.file("out.jsonl");
  options.clusters = folder.file("clusters.tsv");
  options.minhash = {100, 2, 0};  // nearly everything is a candidate
  options.replace = true;
  options.verify = 0.5;
  auto joined = run(options);
  CHECK(joined.candidate_pairs == 1);
  CHECK(joined.matching_pairs == 1);
  CHECK(joined.near_dropped == 1);
  std::string table = read(options.clusters);
  CHECK(table.starts_with("cluster\tid\tsimilarity\tmatch\tkept\tsize\tplace\n1\ta\t1.0000\tkept\t1\t2\t"));
  Shingler shingler(5);
  Shingles x, y;
  shingler.run(base, x);
  shingler.run(other, y);
  make_set(x.hashes);
  make_set(y.hashes);
  char exact[16];
  std::snprintf(exact, sizeof exact, "%.4f",
                jaccard(x.hashes.data(), x.hashes.size(), y.hashes.data(), y.hashes.size()));
  CHECK(table.find("1\tb\t" + std::string(exact) + "\tnear\t0\t2\t") != std::string::npos);
  options.verify = 0.99;
  auto apart = run(options);
  CHECK(apart.candidate_pairs == 1);
  CHECK(apart.matching_pairs == 0);
  CHECK(apart.kept == 2);
}

TEST_CASE("documents without words are only duplicates of the very same text") {
  TemporaryFolder folder;
  DedupOptions options;
  options.inputs = {
      folder.write("in.jsonl", line("1", "!!!") + line("2", "???") + line("3", "!!!") + line("4", "") + line("5", ""))};
  options.output = folder.file("out.jsonl");
  CHECK(run(options).kept == 3);
}

TEST_CASE("each method alone removes only its own kind") {
  TemporaryFolder folder;
  Rng rng{4};
  std::string a = words(rng, 200), near = a + "end";
  DedupOptions options;
  options.inputs = {folder.write("in.jsonl", line("1", a) + line("2", a) + line("3", near))};
  options.output = folder.file("out.jsonl");
  options.replace = true;
  options.near = false;
  CHECK(run(options).kept == 2);
  options.near = true;
  options.exact = false;
  auto result = run(options);
  CHECK(result.kept == 1);
  CHECK(result.near_dropped == 2);
}

TEST_CASE("ten thousand damaged lines are counted, located and skipped") {
  TemporaryFolder folder;
  std::string in;
  Rng rng{5};
  for (int i = 0; i < 10'000; ++i)
    in += i % 100 == 0 ? line(std::to_string(i), words(rng, 20)) : i % 3 ? "{\"text\": \n" : "{\"text\": \"\xff\"}\n";
  DedupOptions options;
  options.inputs = {folder.write("in.jsonl", in)};
  options.output = folder.file("out.jsonl");
  auto result = run(options);
  CHECK(result.documents == 100);
  CHECK(result.kept == 100);
  CHECK(result.bad.total() == 9900);
  REQUIRE(result.bad.first().size() == 10);
  CHECK(result.bad.first()[0].find("in.jsonl") != std::string::npos);
}

TEST_CASE(
    "an empty input gives an empty output; a missing one or an existing output is an error that leaves files alone") {
  TemporaryFolder folder;
  DedupOptions options;
  options.inputs = {folder.write("in.jsonl", "")};
  options.output = folder.file("out.jsonl");
  CHECK(run(options).documents == 0);
  CHECK(read(options.output).empty());
  folder.write("out.jsonl", "precious");
  CHECK_THROWS_AS(run(options), Error);
  CHECK(read(options.output) == "precious");
  options.inputs = {folder.file("missing.jsonl")};
  options.replace = true;
  CHECK_THROWS_AS(run(options), Error);
  CHECK(read(options.output) == "precious");
}

TEST_CASE("an input that is also the output is replaced only when all is read") {
  TemporaryFolder folder;
  Rng rng{6};
  std::string a = line("1", words(rng, 50)), b = line("2", words(rng, 50));
  DedupOptions options;
  options.inputs = {folder.write("same.jsonl", a + b + a)};
  options.output = options.inputs[0];
  options.replace = true;
  run(options);
  CHECK(read(options.output) == a + b);
}

TEST_CASE("one and eight threads, and memory that does not suffice, give the same bytes") {
  TemporaryFolder folder;
  std::string in = folder.write("in.jsonl", corpus(12'000, 4, 120));
  REQUIRE(fs::file_size(in) > 6'000'000);
  DedupOptions options;
  options.inputs = {in};
  options.verify = 0.6;
  auto go = [&](const std::string& name, Parallel& parallel, uint64_t memory) {
    options.output = folder.file(name + ".jsonl");
    options.clusters = folder.file(name + ".tsv");
    return run(options, parallel, memory);
  };
  {
    Parallel one(1);
    CHECK_FALSE(go("one", one, 0).spilled);
    CHECK(go("small", one, 1 << 20).spilled);
  }
  Parallel eight(8);
  go("eight", eight, 0);
  CHECK(eight.stats().workers >= 2);
  for (int i = 0; i < 30 && eight.stats().least_tiles < 3; ++i) {
    options.replace = true;
    go("eight", eight, 0);
  }
  CHECK(eight.stats().least_tiles >= 3);
  CHECK(read(folder.file("one.jsonl")) == read(folder.file("eight.jsonl")));
  CHECK(read(folder.file("one.tsv")) == read(folder.file("eight.tsv")));
  CHECK(read(folder.file("one.jsonl")) == read(folder.file("small.jsonl")));
  CHECK(read(folder.file("one.tsv")) == read(folder.file("small.tsv")));
}

TEST_CASE("a pipe is copied and then read like a file") {
  TemporaryFolder folder;
  Rng rng{7};
  std::string a = line("1", words(rng, 50)), b = line("2", words(rng, 50));
  std::string fifo = folder.file("pipe");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(fifo) << a << b << a << "broken\n"; });
  DedupOptions options;
  options.inputs = {fifo};
  options.output = folder.file("out.jsonl");
  auto result = run(options);
  writer.join();
  CHECK(read(options.output) == a + b);
  REQUIRE(result.bad.total() == 1);
  CHECK(result.bad.first()[0].find("pipe") != std::string::npos);
}

TEST_CASE("text files come out as JSON lines") {
  TemporaryFolder folder;
  DedupOptions options;
  options.inputs = {folder.write("a.txt", "the same words again and again"),
                    folder.write("b.txt", "The same words, again and again.")};
  options.output = folder.file("out.jsonl");
  CHECK(run(options).kept == 1);
  CHECK(formats::parse_json(read(options.output), "out").at("text").as_string() == "the same words again and again");
}
