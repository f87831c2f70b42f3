#include "pretrain/show_data.h"

#include <doctest/doctest.h>

#include "formats/token_shards.h"
#include "io/files.h"
#include "pretrain/data.h"
#include "stage.h"
#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::pretrain;

namespace {

// Documents of seven letters and a line end, so that token t is of document t / 8.
void write_letters(const std::string& folder, const tokenizer::Tokenizer& bytes, int documents) {
  formats::TokenShardOptions options;
  options.vocab_size = bytes.vocab_size();
  options.max_tokens_per_shard = 100;
  formats::TokenShardWriter writer(folder, options);
  for (int d = 0; d < documents; ++d)
    writer.add_document(bytes.encode(std::string(7, static_cast<char>('a' + d % 26)) + "\n"));
  writer.finish();
  bytes.save(folder);
}

}  // namespace

TEST_CASE("what is shown of a step is what the run reads there") {
  TemporaryFolder folder;
  auto bytes = tokenizer::Tokenizer::load("byte");
  write_letters(folder.file("letters"), bytes, 60);
  std::string numbers;
  for (int i = 0; i < 200; ++i) numbers += std::to_string(i) + " ";
  io::write_file_atomically(folder.file("numbers.txt"), numbers);

  PretrainOptions options;
  options.data.data = {"letters=" + folder.file("letters") + ":3", "numbers=" + folder.file("numbers.txt")};
  options.data.tokenizer = "byte";
  options.model.context = 20;
  options.train.batch = 4;
  options.train.accumulation = 2;
  Stage stage(1, 5);
  std::vector<SequenceShown> shown;
  show_data(options, 7, stage.context, [&](const SequenceShown& s) { shown.push_back(s); });
  REQUIRE(shown.size() == 8);

  Data data = open_data(options.data, stage.context);
  engine::WindowLoader loader(data.sources, window_options(options, data, 5));
  engine::LmBatch batch;
  int from_letters = 0;
  for (size_t i = 0; i < 8; ++i) {
    if (i % 4 == 0) loader.micro_batch(6, static_cast<int64_t>(i / 4), batch);
    CHECK(shown[i].number == batch.first_sequence + i % 4);
    CHECK(shown[i].text == bytes.decode(std::span(batch.tokens).subspan(i % 4 * 20, 20)));
    if (shown[i].source == "letters") {
      ++from_letters;
      CHECK(shown[i].first_document == static_cast<int64_t>(shown[i].first_token / 8));
      CHECK(shown[i].last_document == static_cast<int64_t>((shown[i].first_token + 19) / 8));
    } else {
      CHECK(shown[i].source == "numbers");
      CHECK(shown[i].first_document == -1);
      CHECK(numbers.substr(shown[i].first_token, 20) == shown[i].text);
    }
  }
  CHECK(from_letters > 0);
  CHECK(from_letters < 8);
}
