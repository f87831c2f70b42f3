#include "pretrain/pretrain.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/log.h"
#include "formats/token_shards.h"
#include "io/files.h"
#include "pretrain/data.h"
#include "stage.h"
#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::pretrain;
namespace fs = std::filesystem;

namespace {

struct Seeded : Stage {
  explicit Seeded(int threads) : Stage(threads, 7) { log::set_level(log::Level::error); }
};

std::string counting_text() {
  std::string text;
  for (int i = 0; i < 900; ++i) text += std::to_string(i) + (i % 10 == 9 ? "\n" : " ");
  return text;
}

PretrainOptions tiny(const TemporaryFolder& folder, const std::string& run, const std::string& arch) {
  if (!fs::exists(folder.path + "/text.txt")) std::ofstream(folder.path + "/text.txt") << counting_text();
  PretrainOptions options;
  options.model.arch = arch;
  options.model.layers = 2;
  options.model.heads = 4;
  options.model.kv_heads = arch == "llama" ? 2 : 0;
  options.model.width = 64;
  options.model.context = 32;
  options.model.bias = false;
  options.model.dropout = 0.1;
  options.data.data = {folder.path + "/text.txt"};
  options.data.tokenizer = "char";
  options.train.batch = 8;
  options.train.accumulation = 2;
  options.train.steps = 12;
  options.train.lr = 3e-3;
  options.train.peak_gflops = 1;
  options.run.output = folder.path + "/" + run;
  options.run.eval_every = 5;
  options.run.checkpoint_every = 4;
  options.run.sample_tokens = 8;
  return options;
}

PretrainResult train(Stage& stage, PretrainOptions options) {
  return pretrain::pretrain(options, stage.context,
                            [&] { return "steps = " + std::to_string(options.train.steps) + "\n"; });
}

void check_same(const std::string& one, const std::string& other) {
  for (const char* file :
       {"metrics.jsonl", "samples.txt", "model/model.safetensors", "model/config.json", "model/tokenizer.json",
        "checkpoints/step-000012/optimizer.safetensors", "checkpoints/step-000012/state.json"})
    CHECK_MESSAGE(io::read_file(one + "/" + file) == io::read_file(other + "/" + file), file);
}

}  // namespace

TEST_CASE("one thread and eight train the same model") {
  for (const char* arch : {"llama", "gpt2"}) {
    CAPTURE(arch);
    TemporaryFolder folder;
    Seeded one(1), eight(8);
    train(one, tiny(folder, "one", arch));
    // On a busy machine a worker may wake up late: again until each had its share.
    auto enough = [&] { return eight.parallel.stats().workers >= 2 && eight.parallel.stats().least_tiles >= 3; };
    for (int attempt = 0; attempt < 20 && !enough(); ++attempt) {
      fs::remove_all(folder.path + "/eight");
      train(eight, tiny(folder, "eight", arch));
    }
    CHECK(enough());
    check_same(folder.path + "/one", folder.path + "/eight");
  }
}

TEST_CASE("a run that was stopped and resumed ends with the model of one that was not") {
  TemporaryFolder folder;
  Seeded whole(2);
  train(whole, tiny(folder, "whole", "llama"));

  // Asks to stop when the sixth step is reported.
  class StopAt final : public ProgressSink {
   public:
    explicit StopAt(StopFlag& stop) : stop_(stop) {}
    void update(double done, double, std::string_view, std::string_view) override {
      if (done == 6) stop_.request();
    }

   private:
    StopFlag& stop_;
  };
  Seeded first(2), second(1);
  StopAt stop_at(first.stop);
  Context context{first.parallel, first.stop, stop_at, 7};
  PretrainOptions options = tiny(folder, "parts", "llama");
  PretrainResult broken = pretrain::pretrain(options, context, [] { return std::string(); });
  CHECK(broken.fit.interrupted);
  CHECK(broken.fit.step == 6);
  CHECK(broken.model_folder.empty());
  options = tiny(folder, "parts", "llama");
  options.run.resume = true;
  PretrainResult rest = train(second, options);
  CHECK(rest.fit.resumed_from == 6);
  check_same(folder.path + "/whole", folder.path + "/parts");
}

TEST_CASE("training learns: the loss of counting falls well below its start") {
  TemporaryFolder folder;
  Seeded stage(2);
  PretrainOptions options = tiny(folder, "run", "llama");
  options.train.steps = 120;
  options.train.lr = 1e-2;
  options.train.accumulation = 1;
  options.run.eval_every = options.run.checkpoint_every = 0;
  options.model.dropout = 0;
  PretrainResult result = train(stage, options);
  REQUIRE(result.fit.validation.size() == 3);
  CHECK(result.fit.validation[0].value < 2.1);  // ln 12 = 2.48 untrained
  CHECK(result.fit.validation[2].name == "val_bits_per_byte");
  CHECK(result.fit.validation[2].value == doctest::Approx(result.fit.validation[0].value / 0.693147).epsilon(1e-4));
}

TEST_CASE("the same data comes from shards, with their held-out part beside them") {
  TemporaryFolder folder;
  auto shards = [&](const std::string& path, int first) {
    formats::TokenShardOptions options;
    options.vocab_size = 50;
    formats::TokenShardWriter writer(path, options);
    std::vector<int32_t> tokens(30);
    for (int32_t i = 0; i < 30; ++i) tokens[static_cast<size_t>(i)] = (first + i) % 50;
    writer.add_document(tokens);
    writer.finish();
  };
  shards(folder.path + "/data", 0);
  Seeded stage(1);
  DataOptions options;
  options.data = {folder.path + "/data"};
  options.validation_share = 0.1;
  Data split = open_data(options, stage.context);
  CHECK(split.train_tokens() == 27);
  CHECK(split.validation_tokens() == 3);
  std::vector<int32_t> tail(3);
  split.sources[0].validation.read(0, tail);
  CHECK(tail == std::vector<int32_t>{27, 28, 29});

  shards(folder.path + "/data/validation", 40);
  Data apart = open_data(options, stage.context);
  CHECK(apart.train_tokens() == 30);
  CHECK(apart.validation_tokens() == 30);
  CHECK(apart.fingerprint != split.fingerprint);
}

TEST_CASE("entries of --data are paths, or names with paths and weights") {
  auto one = parse_entries({"a/b=c:3"});  // no name before the sign: a path
  CHECK(one[0].path == "a/b=c:3");
  auto many = parse_entries({"en=c:/data:2.5", "zh=x", "code=y:z"});
  CHECK(many[0].name == "en");
  CHECK(many[0].path == "c:/data");
  CHECK(many[0].weight == 2.5);
  CHECK(many[1].weight == 1);
  CHECK(many[2].path == "y:z");
  CHECK_THROWS_AS(parse_entries({}), UsageError);
  CHECK_THROWS_AS(parse_entries({"a", "b"}), UsageError);
  CHECK_THROWS_AS(parse_entries({"a=x", "a=y"}), UsageError);
  CHECK_THROWS_AS(parse_entries({"a=x:-1"}), UsageError);
}

TEST_CASE("training goes on from a folder: its weights, its tokenizer, and room for tokens that were added to it") {
  TemporaryFolder folder;
  Seeded stage(2);
  PretrainOptions options = tiny(folder, "base", "gpt2");
  train(stage, options);
  std::string base = folder.path + "/base/model";

  // At a rate of zero nothing changes but the vocabulary.
  auto before = models::Model::load(base, stage.parallel);
  int64_t known = before->config().vocab_size;
  auto parts = tokenizer::Tokenizer::load(base).parts();
  CHECK(parts.add({"<|new|>"}) == known);
  fs::create_directories(folder.path + "/larger");
  tokenizer::Tokenizer(std::move(parts)).save(folder.path + "/larger");
  options = tiny(folder, "more", "llama");  // the base's shape counts
  options.model.model = base;
  options.data.tokenizer = folder.path + "/larger";
  options.train.lr = options.train.min_lr = 0;
  options.train.steps = 2;
  train(stage, options);
  auto after = models::Model::load(folder.path + "/more/model", stage.parallel);
  CHECK(after->config().architecture == "gpt2");
  REQUIRE(after->config().vocab_size == known + 1);
  for (auto& p : before->parameters().list()) {
    auto old_values = before->parameters().values<float>(p),
         new_values = after->parameters().values<float>(after->parameters().at(p.name));
    CHECK_MESSAGE(std::equal(old_values.begin(), old_values.end(), new_values.begin()), p.name);
    if (p.name != "embedding.token.weight") continue;
    for (int64_t c = 0; c < 64; ++c) {
      double mean = 0;
      for (int64_t r = 0; r < known; ++r)
        mean += static_cast<double>(old_values[static_cast<size_t>(r * 64 + c)]) / static_cast<double>(known);
      CHECK(new_values[static_cast<size_t>(known * 64 + c)] == doctest::Approx(mean).epsilon(1e-5));
    }
  }

  // Another tokenizer's numbers are refused.
  options = tiny(folder, "wrong", "gpt2");
  options.model.model = base;
  options.data.tokenizer = "byte";
  CHECK_THROWS_WITH_AS(train(stage, options), doctest::Contains("no extension of the model's"), Error);
}

TEST_CASE("with growing batches, sources, averages and half precision a stopped run still ends with the same bytes") {
  TemporaryFolder folder;
  auto all = [&](const std::string& run) {
    PretrainOptions options = tiny(folder, run, "llama");
    std::ofstream(folder.path + "/other.txt") << std::string(3000, '7') + "0123456789 \n";
    options.data.data = {"count=" + folder.path + "/text.txt:3", "seven=" + folder.path + "/other.txt:1"};
    options.train.accumulation = 4;
    options.train.batch_warmup = 8;
    options.train.ema = 0.9;
    options.train.z_loss = 1e-3;
    options.train.precision = "f16";
    options.train.optimizer = "muon";
    return options;
  };
  Seeded whole(1);
  PretrainResult result = train(whole, all("whole"));
  CHECK(result.fit.tokens == (1 + 1 + 1 + 2 + 2 + 2 + 3 + 3 + 4 * 4) * 8 * 32);
  CHECK(io::read_file(folder.path + "/whole/metrics.jsonl").find("\"ema_val_loss_seven\"") != std::string::npos);

  Seeded first(2), second(2);
  class StopAt final : public ProgressSink {
   public:
    explicit StopAt(StopFlag& stop) : stop_(stop) {}
    void update(double done, double, std::string_view, std::string_view) override {
      if (done == 7) stop_.request();
    }

   private:
    StopFlag& stop_;
  };
  StopAt stop_at(first.stop);
  Context context{first.parallel, first.stop, stop_at, 7};
  PretrainOptions options = all("parts");
  CHECK(pretrain::pretrain(options, context, [] { return std::string(); }).fit.step == 7);
  options = all("parts");
  options.run.resume = true;
  train(second, options);
  check_same(folder.path + "/whole", folder.path + "/parts");
  CHECK(io::read_file(folder.path + "/whole/model-ema/model.safetensors") ==
        io::read_file(folder.path + "/parts/model-ema/model.safetensors"));
}

TEST_CASE("what cannot work is said before anything is written") {
  TemporaryFolder folder;
  Seeded stage(1);
  PretrainOptions options = tiny(folder, "run", "llama");
  options.data.tokenizer.clear();
  CHECK_THROWS_WITH_AS(train(stage, options), doctest::Contains("text needs --tokenizer"), UsageError);
  options = tiny(folder, "run", "llama");
  options.model.context = 100000;
  CHECK_THROWS_WITH_AS(train(stage, options), doctest::Contains("too little data"), Error);
  options = tiny(folder, "run", "gpt2");
  options.model.kv_heads = 2;
  CHECK_THROWS_AS(train(stage, options), UsageError);
  options = tiny(folder, "run", "llama");
  options.model.heads = 3;
  CHECK_THROWS_WITH_AS(train(stage, options), doctest::Contains("a multiple of heads"), UsageError);
  options = tiny(folder, "run", "llama");
  options.train.lr = 1e-3;
  options.train.min_lr = 1e-2;
  CHECK_THROWS_WITH_AS(train(stage, options), doctest::Contains("--min-lr"), UsageError);
  options = tiny(folder, "run", "llama");
  options.data.document_mask = true;
  CHECK_THROWS_AS(train(stage, options), UsageError);
  stage.context.memory_bytes = 1000;
  CHECK_THROWS_WITH_AS(train(stage, tiny(folder, "run", "llama")), doctest::Contains("does not fit into memory"),
                       UsageError);
  CHECK_FALSE(fs::exists(folder.path + "/run"));
}
