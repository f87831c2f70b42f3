// The vocabulary that SentencePiece learns from a text of ours (make_unigram_golden.py).
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "formats/json.h"
#include "stage.h"
#include "tokenizer/sentence_words.h"
#include "tokenizer/unigram_trainer.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {}  // namespace

TEST_CASE("Unigram pieces and scores are those of SentencePiece") {
  auto golden = formats::load_json(LLMKIT_SOURCE_DIR "/tests/parity/tokenizer/unigram_golden.json");
  SentenceWords words;
  WordCounter counter(words);
  std::string text = golden.get_string("text");
  std::string_view view = text;
  counter.add(std::span(&view, 1));
  Parallel parallel(2);
  StopFlag stop;
  NoProgress progress;
  Context context{parallel, stop, progress};
  UnigramOptions options;
  options.vocab_size = golden.get_int("vocab_size");
  options.pieces = options.vocab_size - 3;
  options.character_coverage = 1;
  options.loss = UnigramLoss::of_table;  // as that version has it, and what follows
  options.tabs = options.seeds.of_bytes = false;
  UnigramTraining training = train_unigram(context, counter, options);
  std::map<std::string, float> ours;
  for (size_t i = 0; i < training.pieces.size(); ++i) ours[training.pieces[i]] = training.scores[i];
  auto& expected = golden.get_array("pieces");
  CHECK(ours.size() == expected.size());
  int shared = 0;
  double difference = 0;
  for (auto& piece : expected) {
    auto found = ours.find(piece.as_array()[0].as_string());
    if (found == ours.end()) continue;
    ++shared;
    difference = std::max(difference, std::abs(found->second - piece.as_array()[1].as_real()));
  }
  MESSAGE("shared ", shared, " of ", expected.size(), ", largest difference of scores ", difference);
  CHECK(shared >= static_cast<int>(expected.size()) - 3);  // single precision there, integers here
  CHECK(difference < 0.01);
}
