#include "tokenizer/bpe_trainer.h"

#include <doctest/doctest.h>

#include <map>

#include "base/rng.h"
#include "stage.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/train_estimate.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

std::vector<std::string> spelled(const BpeTraining& training) {
  std::vector<std::string> out;
  for (auto& m : training.parts.merges)
    out.push_back(training.parts.tokens[static_cast<size_t>(m.left)] + "+" +
                  training.parts.tokens[static_cast<size_t>(m.right)]);
  return out;
}

std::vector<std::string> random_documents(uint64_t seed, size_t count, size_t words, uint64_t letters = 5) {
  Rng rng({seed});
  std::vector<std::string> documents(count);
  for (auto& d : documents) {
    for (size_t w = 0; w < words; ++w) {
      d += ' ';
      for (uint64_t n = 1 + rng.below(6); n > 0; --n)
        d += static_cast<char>('a' + std::min(rng.below(letters), rng.below(letters)));
    }
  }
  return documents;
}

}  // namespace

TEST_CASE("the classic example merges in the order of Hugging Face's own test") {
  // huggingface/tokenizers, tokenizers/src/models/bpe/trainer.rs, test_train: min_frequency 2.
  Stage s;
  auto pre = pretokenizers().make("gpt2");
  WordCounter counter(*pre);
  for (auto [word, count] : {std::pair{"roses", 1},
                             {"are", 2},
                             {"red", 1},
                             {"voilets", 1},
                             {"blue", 1},
                             {"BERT", 1},
                             {"is", 2},
                             {"big", 1},
                             {"and", 1},
                             {"so", 1},
                             {"GPT-2", 1}})
    counter.add_word(word, static_cast<uint64_t>(count));
  BpeTrainerOptions options;
  options.vocab_size = 30000;
  options.whole_alphabet = false;
  auto training = train_bbpe(s.context, counter, options);
  CHECK(spelled(training) == std::vector<std::string>{"r+e", "a+re", "i+s"});
  CHECK(training.merge_counts == std::vector<uint64_t>{3, 2, 2});
  CHECK(training.parts.tokens.size() == 25);
  CHECK(training.parts.tokens[22] == "re");
}

TEST_CASE("special tokens come first, then 256 bytes by their printable character") {
  Stage s;
  BpeTrainerOptions options;
  options.vocab_size = 300;
  options.special_tokens = {"<|endoftext|>", "<|im_start|>"};
  auto pre = pretokenizers().make("gpt2");
  WordCounter none(*pre);
  auto training = train_bbpe(s.context, none, options);
  CHECK(training.parts.tokens.size() == 258);
  CHECK(training.parts.tokens[1] == "<|im_start|>");
  CHECK(training.parts.tokens[2] == "!");
  CHECK(training.parts.tokens[257] == "\xAD");  // U+0143, the last of the map
  CHECK(training.parts.merges.empty());
  CHECK(spell_bytes(" \n") == "ĠĊ");
  CHECK(unspell_bytes("ĠĊ") == " \n");
  CHECK_FALSE(unspell_bytes("中"));
}

TEST_CASE("a longest token bounds merges and a stop request ends training") {
  Stage s;
  auto pre = pretokenizers().make("none");
  WordCounter counter(*pre);
  counter.add_word("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 10);
  BpeTrainerOptions options;
  options.max_token_bytes = 5;
  for (auto& token : train_bbpe(s.context, counter, options).parts.tokens) CHECK(token.size() < 5);

  WordCounter large(*pre);
  for (auto& d : random_documents(5, 100, 20)) large.add_word(d, 2);
  s.stop.request();
  CHECK_THROWS_AS(train_bbpe(s.context, large, BpeTrainerOptions{}), Error);
}

TEST_CASE("a corpus gives the same vocabulary for one and eight threads") {
  std::string text = random_documents(11, 1, 1'200'000)[0];  // six tiles of 1 MB
  auto train = [&](Stage& s) {
    auto pre = pretokenizers().make("llama3");
    WordCounter counter(*pre);
    counter.add(s.parallel, text);
    return train_bbpe(s.context, counter, BpeTrainerOptions{.vocab_size = 1000}).parts;
  };
  TokenizerParts serial;
  {
    Stage one(1);
    serial = train(one);
  }
  CHECK(serial.merges.size() > 700);
  Stage eight(8);
  // On few cores a worker may come late and find little left: the statistics add up over rounds.
  for (int round = 0; round < 20; ++round) {
    auto parts = train(eight);
    CHECK(parts.merges == serial.merges);
    CHECK(parts.tokens == serial.tokens);
    if (eight.parallel.stats().workers >= 2 && eight.parallel.stats().least_tiles >= 3) break;
  }
  CHECK(eight.parallel.stats().workers >= 2);
  CHECK(eight.parallel.stats().least_tiles >= 3);
}

TEST_CASE("pieces are counted with their repetitions, over tiles and shards") {
  Stage s(2);
  auto pre = pretokenizers().make("gpt2");
  WordCounter counter(*pre);
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += i % 3 == 0 ? " the" : i % 3 == 1 ? " cat" : " " + std::to_string(i % 1000);
  counter.add(s.parallel, text);
  counter.add_word(" the", 5);
  CHECK(counter.pieces() == 300'005);
  for (auto& word : counter.words()) {
    if (word.bytes == " the") CHECK(word.count == 100'005);
    if (word.bytes == " cat") CHECK(word.count == 100'000);
  }
}

TEST_CASE("words that went to disk in many runs keep their counts") {
  Stage s(2);
  auto pre = pretokenizers().make("gpt2");
  WordCounter in_memory(*pre), bounded(*pre, 150'000);
  for (uint64_t seed = 0; seed < 30; ++seed) {
    std::string text = random_documents(seed, 1, 5000)[0];
    in_memory.add(s.parallel, text);
    bounded.add(s.parallel, text);
    bounded.make_room();
  }
  CHECK(bounded.spilled());
  CHECK(bounded.runs_bytes() > 150'000);
  auto counts = [](WordCounter& counter) {
    std::map<std::string, uint64_t> out;
    counter.for_words([&](const CountedWord& word) { CHECK(out.emplace(std::string(word.bytes), word.count).second); });
    return out;
  };
  auto expected = counts(in_memory);
  CHECK(expected.size() > 5'000);
  CHECK(counts(bounded) == expected);
  CHECK(counts(bounded) == expected);  // may be read again
  CHECK(bounded.pieces() == in_memory.pieces());
}

TEST_CASE("training within a small memory gives the merges of training without bound") {
  Stage s(2);
  auto pre = pretokenizers().make("gpt2");
  BpeTrainerOptions options;
  options.vocab_size = 340;
  WordCounter in_memory(*pre);
  std::vector<std::string> texts;
  for (uint64_t seed = 0; seed < 10; ++seed) texts.push_back(random_documents(seed, 1, 2000, 26)[0]);
  for (auto& text : texts) in_memory.add(s.parallel, text);
  BpeTraining expected = train_bbpe(s.context, in_memory, options);
  CHECK(expected.external.bands == 0);
  CHECK(expected.parts.merges.size() == 84);
  int most_single = 0, most_bands = 0, least_bands = 1000, most_passes = 0;
  for (uint64_t memory : {100'000, 750'000}) {
    CAPTURE(memory);
    s.context.memory_bytes = memory;
    WordCounter bounded(*pre, memory);
    for (auto& text : texts) {
      bounded.add(s.parallel, text);
      bounded.make_room();
    }
    BpeTraining got = train_bbpe(s.context, bounded, options);
    MESSAGE(got.external.bands, " bands, ", got.external.single_merges, " single merges, ", got.external.passes,
            " passes, ", got.distinct_words, " words");
    CHECK(got.parts.merges == expected.parts.merges);
    CHECK(got.parts.tokens == expected.parts.tokens);
    CHECK(got.merge_counts == expected.merge_counts);
    CHECK(got.distinct_words == expected.distinct_words);
    most_single = std::max(most_single, got.external.single_merges);
    most_bands = std::max(most_bands, got.external.bands);
    least_bands = std::min(least_bands, got.external.bands);
    most_passes = std::max(most_passes, got.external.passes);
  }
  CHECK(most_single > 0);  // the words of one pair alone did not fit
  CHECK(most_bands > 2);
  CHECK(least_bands == 0);  // the symbols of all words fit
  CHECK(most_passes > 2);
}

TEST_CASE("a character vocabulary is sorted and knows each character once") {
  Stage s;
  auto pre = pretokenizers().make("none");
  WordCounter counter(*pre);
  counter.add_word("b中a\nab", 1);
  std::vector<std::string> special{"<unk>"};
  auto parts = train_characters(counter, special);
  CHECK(parts.tokens == std::vector<std::string>{"<unk>", "\n", "a", "b", "中"});
  parts.unk = "<unk>";
  Tokenizer tokenizer(parts);
  CHECK(tokenizer.encode("中abz") == std::vector<int32_t>{4, 2, 3, 0});
  CHECK(tokenizer.decode(tokenizer.encode("a\n中")) == "a\n中");
}

TEST_CASE("distinct pieces of a text are extrapolated from a sample by a power of its size") {
  CHECK(extrapolate_distinct(25, 10, 100, 20, 100) == 20);      // the sample is the text
  CHECK(extrapolate_distinct(16, 20, 256, 160, 4096) == 1280);  // exponent 3/4, as mixed corpora have it
  CHECK(extrapolate_distinct(16, 40, 256, 80, 65536) == 1280);  // 1/4 in the sample: half way to that, 1/2
  CHECK(extrapolate_distinct(0, 0, 100, 20, 400) == 20);        // no part to compare with
}
