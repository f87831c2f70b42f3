// Fine-tuning of a tiny model: packing changes no loss, micro-batches change no gradient, threads change no byte.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "base/hash.h"
#include "base/rng.h"
#include "io/files.h"
#include "models/extend.h"
#include "sft/objective.h"
#include "sft/sft.h"
#include "sft/source.h"
#include "stage.h"
#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::sft;
namespace fs = std::filesystem;

namespace {

models::ModelConfig tiny(int64_t vocab_size) {
  models::ModelConfig c;
  c.vocab_size = vocab_size;
  c.hidden_size = 32;
  c.layers = 2;
  c.heads = 2;
  c.max_positions = 96;
  c.tie_embeddings = false;
  c.complete();
  return c;
}

std::vector<Example> random_examples(size_t count, int64_t vocab_size) {
  Rng rng({21});
  std::vector<Example> out(count);
  for (auto& e : out) {
    for (uint64_t n = 3 + rng.below(25); n > 0; --n) {
      e.tokens.push_back(static_cast<int32_t>(rng.below(static_cast<uint64_t>(vocab_size))));
      e.trained.push_back(e.tokens.size() > 1 && rng.below(2));
    }
    e.trained[1] = true;
  }
  return out;
}

// Loss and gradient of the first step.
std::pair<double, std::vector<float>> first_step(Parallel& parallel, const std::vector<Example>& train,
                                                 const SourceOptions& options) {
  std::vector<Example> none;
  auto model = models::Model::create(tiny(50), 3, parallel);
  Source source(train, none, options);
  engine::LmObjective objective(*model, source, parallel, {});
  double loss = 0;
  model->parameters().clear_gradients();
  for (int64_t m = 0; m < objective.begin(0).micro_batches; ++m) loss += objective.accumulate(0, m);
  auto gradients = model->parameters().gradients<float>();
  return {loss, {gradients.begin(), gradients.end()}};
}

double relative_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    norm += std::pow(static_cast<double>(a[i]), 2);
  }
  return std::sqrt(difference / norm);
}

}  // namespace

TEST_CASE("packed examples give the loss and gradient of separate ones") {
  Parallel parallel(1);
  auto train = random_examples(24, 50);
  std::vector<Example> none;
  SourceOptions packed{.max_length = 64}, separate{.max_length = 64, .packing = false};
  packed.sequences = Source(train, none, packed).rows();
  separate.sequences = Source(train, none, separate).rows();
  REQUIRE(packed.sequences * 2 <= separate.sequences);
  auto a = first_step(parallel, train, packed), b = first_step(parallel, train, separate);
  CHECK(a.first == doctest::Approx(b.first).epsilon(1e-6));
  CHECK(relative_difference(a.second, b.second) < 1e-5);
}

TEST_CASE("micro-batches give the loss and gradient of one batch") {
  Parallel parallel(1);
  auto train = random_examples(24, 50);
  auto whole = first_step(parallel, train, {.max_length = 64, .sequences = 4, .micro_batches = 1});
  for (int64_t parts : {2, 4}) {
    auto cut = first_step(parallel, train, {.max_length = 64, .sequences = 4 / parts, .micro_batches = parts});
    CHECK(cut.first == doctest::Approx(whole.first).epsilon(1e-6));
    CHECK(relative_difference(whole.second, cut.second) < 1e-5);
  }
}

TEST_CASE("a larger vocabulary keeps what the model knew, and new rows are the mean") {
  Parallel parallel(1);
  auto model = models::Model::create(tiny(50), 3, parallel);
  auto before = models::Model::create(tiny(50), 3, parallel);
  std::vector<int32_t> added{50, 51};
  auto larger = models::extend_vocabulary(std::move(model), 52, 50, added, parallel);
  CHECK(larger->config().vocab_size == 52);
  for (auto& p : before->parameters().list()) {
    auto old_values = before->parameters().values<float>(p);
    auto new_values = larger->parameters().values<float>(larger->parameters().at(p.name));
    CHECK(std::equal(old_values.begin(), old_values.end(), new_values.begin()));
    if (p.name != "embedding.token.weight" && p.name != "head.weight") continue;
    for (size_t c = 0; c < 32; ++c) {
      double mean = 0;
      for (size_t r = 0; r < 50; ++r) mean += static_cast<double>(old_values[r * 32 + c]) / 50;
      CHECK(static_cast<double>(new_values[50 * 32 + c]) == doctest::Approx(mean).epsilon(1e-4));
      CHECK(new_values[51 * 32 + c] == new_values[50 * 32 + c]);
    }
  }
}

TEST_CASE("fine-tuning lowers the loss, adds the template's tokens, and is the same for one and eight threads") {
  TemporaryFolder folder;
  std::string base = folder.file("base");
  {
    Stage s(1);
    auto bytes = tokenizer::Tokenizer::load("byte");
    io::make_folders(base);
    models::Model::create(tiny(bytes.vocab_size()), 5, s.parallel)->save(base);
    bytes.save(base);
  }
  SftOptions options;
  options.model = base;
  options.data = {LLMKIT_SOURCE_DIR "/data-samples/chat_sharegpt.jsonl",
                  LLMKIT_SOURCE_DIR "/data-samples/chat_alpaca.json"};
  options.validation_share = 0.2;
  options.steps = 12;
  options.batch = 2;
  options.lr = 3e-3;
  options.overlong = "cut";
  options.reply_tokens = 4;
  std::string hashes[2];
  for (int i = 0; i < 2; ++i) {
    Stage s(i == 0 ? 1 : 8);
    options.output = folder.file("run" + std::to_string(i));
    auto result = fine_tune(options, s.context, "");
    REQUIRE(result.fit.step == 12);
    REQUIRE(!result.before.empty());
    CHECK(result.fit.validation[0].value < 0.9 * result.before[0].value);
    CHECK(result.coverage.targets > 0);
    for (auto name : {"/model/model.safetensors", "/model/tokenizer.json", "/metrics.jsonl", "/samples.txt"})
      hashes[i] += hex(xxh3_64(io::read_file(options.output + name)));
    auto tokenizer = tokenizer::Tokenizer::load(options.output + "/model");
    CHECK(tokenizer.token_id("<|im_end|>") == 258);
    CHECK(tokenizer::recognise_chat_template(tokenizer.parts().chat_template) == "chatml");
    auto model = models::Model::load(options.output + "/model", s.parallel);
    CHECK(model->config().vocab_size == 259);
    CHECK(model->config().eos_token_ids.front() == 258);
    fs::remove_all(options.output);
  }
  CHECK(hashes[0] == hashes[1]);
}

TEST_CASE("a tokenizer that does not belong to the model is refused") {
  TemporaryFolder folder;
  std::string base = folder.file("wrong");
  Stage s(1);
  io::make_folders(base);
  models::Model::create(tiny(100), 5, s.parallel)->save(base);
  tokenizer::Tokenizer::load("byte").save(base);
  SftOptions options;
  options.model = base;
  options.data = {LLMKIT_SOURCE_DIR "/data-samples/chat.jsonl"};
  options.output = folder.file("wrong_run");
  CHECK_THROWS_WITH_AS(fine_tune(options, s.context, ""), doctest::Contains("belong"), Error);
}
