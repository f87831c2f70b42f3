#include "mix/mix.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/json_writer.h"
#include "base/rng.h"
#include "formats/json.h"
#include "formats/token_shards.h"
#include "io/files.h"
#include "io/input.h"
#include "stage.h"
#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::mix;
namespace fs = std::filesystem;

namespace {

MixResult run(const MixOptions& options, Parallel& parallel, uint64_t seed = 0, uint64_t memory = 0) {
  StopFlag stop;
  NoProgress progress;
  Context context{parallel, stop, progress, seed, memory};
  return run_mix(options, context);
}
MixResult run(const MixOptions& options, uint64_t seed = 0, uint64_t memory = 0) {
  Parallel one(1);
  return run(options, one, seed, memory);
}

// Documents "NAME i …" of about `bytes` bytes each.
std::string documents(const std::string& name, int count, size_t bytes) {
  Rng rng{31, bytes, static_cast<uint64_t>(count)};
  std::string out;
  for (int i = 0; i < count; ++i) {
    std::string text = name + " " + std::to_string(i);
    while (text.size() < bytes) text += " " + std::string(1 + rng.below(9), static_cast<char>('a' + rng.below(26)));
    JsonWriter json(out);
    json.begin_object().member("id", name + std::to_string(i)).member("text", text).member("extra", i).end_object();
    out += "\n";
  }
  return out;
}

std::vector<formats::Json> read_parts(const std::string& folder) {
  std::vector<formats::Json> out;
  for (int part = 0;; ++part) {
    char name[40];
    std::snprintf(name, sizeof name, "/part-%05d.jsonl.zst", part);
    if (!fs::exists(folder + name)) return out;
    auto input = io::open_input(folder + name);
    std::istringstream lines(io::read_all(*input));
    for (std::string line; std::getline(lines, line);) out.push_back(formats::parse_json(line, "part"));
  }
}

std::map<std::string, std::string> all_files(const std::string& folder) {
  std::map<std::string, std::string> out;
  for (auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      out[fs::relative(entry.path(), folder).string()] = io::read_file(entry.path().string());
  return out;
}

}  // namespace

TEST_CASE("sources are written as NAME=PATH:WEIGHT, and paths may hold colons") {
  auto sources = parse_sources({"a=x.jsonl:3", "b=dir/y:z.jsonl:0.5", "a=more.jsonl"});
  REQUIRE(sources.size() == 2);
  CHECK(sources[0].paths == std::vector<std::string>{"x.jsonl", "more.jsonl"});
  CHECK(sources[0].weight == 3);
  CHECK(sources[1].paths[0] == "dir/y:z.jsonl");
  CHECK(sources[1].weight == 0.5);
  CHECK(parse_sources({"a=C:data"})[0].paths[0] == "C:data");
  for (auto bad : {"x.jsonl", "=x", "a=", "a=:3", "a=x:0", "a=x:-1"}) CHECK_THROWS_AS(parse_sources({bad}), UsageError);
  CHECK_THROWS_AS(parse_sources({"a=x:1", "a=y:2"}), UsageError);
  CHECK_THROWS_AS(parse_sources({"a=x:1", "b=y"}), UsageError);
}

TEST_CASE("token shards hold exactly the budget, in the planned proportions, as whole documents that end") {
  TemporaryFolder folder;
  auto tokenizer = tokenizer::Tokenizer::load("byte");
  MixOptions options;
  options.sources = parse_sources({"a=" + folder.write("a.jsonl", documents("a", 300, 200)) + ":3",
                                   "b=" + folder.write("b.jsonl", documents("b", 300, 100)) + ":1"});
  options.output = folder.file("out");
  options.tokenizer = &tokenizer;
  options.plan.budget = 40'001;
  options.shard_units = 9'000;
  auto result = run(options);
  CHECK(result.total == 40'001);
  auto shards = formats::TokenShards::open(options.output);
  shards.verify();
  CHECK(shards.total_tokens() == 40'001);
  CHECK(shards.sources()[0].tokens == 30'001);
  CHECK(shards.sources()[1].tokens == 10'000);
  CHECK(fs::exists(options.output + "/shard-00004.tok"));
  CHECK(fs::exists(options.output + "/tokenizer/tokenizer.json"));
  int cut = 0, changes = 0;
  char last = 0;
  std::set<std::string> seen;
  for (int64_t d = 0; d < shards.total_documents(); ++d) {
    auto [start, end] = shards.document(d);
    std::vector<int32_t> ids(static_cast<size_t>(end - start));
    shards.read(start, ids);
    bool ended = ids.back() == *tokenizer.eos();
    cut += !ended;
    if (ended) ids.pop_back();
    std::string text = tokenizer.decode(ids);
    CHECK((text[0] == 'a' || text[0] == 'b'));
    changes += d > 0 && text[0] != last;
    last = text[0];
    if (ended) CHECK(seen.insert(text).second);  // less than one epoch: nothing twice
  }
  CHECK(cut <= 2);      // at most one document of each source
  CHECK(changes > 40);  // shuffled, not one source after the other
}

TEST_CASE("repeated sources are repeated in whole epochs before anything comes again") {
  TemporaryFolder folder;
  auto tokenizer = tokenizer::Tokenizer::load("byte");
  MixOptions options;
  options.sources = parse_sources({"a=" + folder.write("a.jsonl", documents("a", 50, 100))});
  options.output = folder.file("out");
  options.tokenizer = &tokenizer;
  options.dry_run = true;
  uint64_t size = run(options).sources[0].units;
  CHECK_FALSE(fs::exists(options.output));  // a dry run writes nothing
  options.dry_run = false;
  options.plan.budget = 3 * size;
  run(options);
  auto shards = formats::TokenShards::open(options.output);
  std::map<std::vector<int32_t>, int> count;
  for (int64_t d = 0; d < shards.total_documents(); ++d) {
    auto [start, end] = shards.document(d);
    std::vector<int32_t> ids(static_cast<size_t>(end - start));
    shards.read(start, ids);
    ++count[ids];
  }
  CHECK(count.size() == 50);
  for (auto& [ids, n] : count) CHECK(n == 3);
}

TEST_CASE("JSON lines keep their members, gain a source, and are cut at a character") {
  TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\u4e2d\u6587";  // three bytes a character
  std::string in;
  JsonWriter json(in);
  json.begin_object().member("text", text).member("id", "zh").key("meta").raw("{\"k\": [1,2]}").end_object();
  MixOptions options;
  options.sources = parse_sources({"zh=" + folder.write("zh.jsonl", in + "\n")});
  options.output = folder.file("out");
  options.plan.budget = 100;
  run(options);
  auto parts = read_parts(options.output);
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].at("text").as_string() == text.substr(0, 99));
  CHECK(parts[0].at("source").as_string() == "zh");
  CHECK(parts[0].at("id").as_string() == "zh");
  CHECK(parts[0].at("meta").at("k").as_array().size() == 2);
}

TEST_CASE("held-out texts never occur in the training set, whatever the seed, and equal texts stay together") {
  TemporaryFolder folder;
  std::string a = documents("a", 400, 60);
  MixOptions options;
  options.sources = parse_sources(
      {"a=" + folder.write("a.jsonl", a + documents("b", 100, 60)), "copy=" + folder.write("copy.jsonl", a)});
  options.validation_share = 0.1;
  options.plan.max_epochs = 1;
  std::vector<std::string> first;
  for (uint64_t seed : {1, 2}) {
    options.output = folder.file("out" + std::to_string(seed));
    auto result = run(options, seed);
    std::set<std::string> train;
    std::vector<std::string> held_out;
    for (auto& d : read_parts(options.output)) train.insert(d.at("text").as_string());
    for (auto& d : read_parts(options.output + "/validation")) held_out.push_back(d.at("text").as_string());
    for (auto& text : held_out) CHECK(train.count(text) == 0);
    CHECK(held_out.size() > 50);
    CHECK(held_out.size() < 150);
    CHECK(result.sources[0].validation_documents + result.sources[1].validation_documents == held_out.size());
    if (first.empty()) first = held_out;
    CHECK(first == held_out);
    CHECK(train.size() + std::set<std::string>(held_out.begin(), held_out.end()).size() == 500);
  }
  options.validation_share = 0;
  options.validation_documents = 20;
  options.output = folder.file("counted");
  run(options);
  auto counted = read_parts(options.output + "/validation");
  CHECK(counted.size() >= 20);
  CHECK(counted.size() <= 21);  // a copy of the last one comes along
}

TEST_CASE("the order depends on the seed, and on nothing else") {
  TemporaryFolder folder;
  auto tokenizer = tokenizer::Tokenizer::load("byte");
  MixOptions options;
  options.sources = parse_sources({"a=" + folder.write("a.jsonl", documents("a", 4000, 500)) + ":1",
                                   "b=" + folder.write("b.jsonl", documents("b", 9000, 300)) + ":2"});
  options.tokenizer = &tokenizer;
  options.validation_share = 0.02;
  options.plan.budget = 3'000'000;
  auto go = [&](const std::string& name, Parallel& parallel, uint64_t seed, uint64_t memory) {
    options.output = folder.file(name);
    run(options, parallel, seed, memory);
    return all_files(options.output);
  };
  std::map<std::string, std::string> one, small, other;
  {
    Parallel p(1);
    one = go("one", p, 5, 0);
    small = go("small", p, 5, 1 << 20);  // the tokens do not fit: a temporary file
    other = go("other", p, 6, 0);
  }
  Parallel eight(8);
  auto many = go("eight", eight, 5, 0);
  options.replace = true;
  for (int i = 0; i < 30 && (eight.stats().workers < 2 || eight.stats().least_tiles < 3); ++i) go("eight", eight, 5, 0);
  CHECK(eight.stats().workers >= 2);
  CHECK(eight.stats().least_tiles >= 3);
  CHECK(one == many);
  CHECK(one == small);
  CHECK(one.at("shard-00000.tok") != other.at("shard-00000.tok"));
  CHECK(one.at("validation/shard-00000.tok") == other.at("validation/shard-00000.tok"));
}

TEST_CASE("damaged lines are counted; missing inputs and existing folders are errors that leave files alone") {
  TemporaryFolder folder;
  MixOptions options;
  options.sources =
      parse_sources({"a=" + folder.write("a.jsonl", documents("a", 5, 50) + "{\"text\": 3}\nnot json\n")});
  options.output = folder.file("out");
  auto result = run(options);
  CHECK(result.bad.total() == 2);
  CHECK(result.bad.by_reason().size() == 2);
  auto before = all_files(options.output);
  CHECK_THROWS_AS(run(options), Error);
  CHECK(all_files(options.output) == before);
  options.sources = parse_sources({"a=" + folder.file("missing.jsonl")});
  options.replace = true;
  CHECK_THROWS_AS(run(options), Error);
  CHECK(all_files(options.output) == before);
}

TEST_CASE("the plan's table names every source and marks the capped ones") {
  TemporaryFolder folder;
  MixOptions options;
  options.sources = parse_sources({"rare=" + folder.write("a.jsonl", documents("a", 3, 100)) + ":1",
                                   "plenty=" + folder.write("b.jsonl", documents("b", 100, 100)) + ":1"});
  options.dry_run = true;
  options.plan.budget = 5000;
  auto result = run(options);
  std::string table = plan_table(result);
  CHECK(table.find("rare") != std::string::npos);
  CHECK(table.find("4.00*") != std::string::npos);
  CHECK(table.find("5,000") != std::string::npos);
  CHECK(result.warnings.size() == 1);
}
