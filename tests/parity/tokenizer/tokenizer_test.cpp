// Merges and ids equal those that Hugging Face tokenizers 0.23 printed into golden.json (make_golden.py).
#include <doctest/doctest.h>

#include "formats/chat.h"
#include "formats/json.h"
#include "stage.h"
#include "tokenizer/bpe_trainer.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/tokenizer_json.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

std::vector<std::string> chat_texts() {
  formats::ConversationReader reader({LLMKIT_SOURCE_DIR "/data-samples/chat.jsonl"});
  std::vector<std::string> texts;
  for (formats::Conversation c; reader.next(c); c = {}) {
    std::string text;
    for (auto& m : c.messages) text += (text.empty() ? "" : "\n") + m.content;
    texts.push_back(text);
  }
  return texts;
}

std::vector<int32_t> numbers(const formats::Json& json) {
  std::vector<int32_t> out;
  for (auto& n : json.as_array()) out.push_back(static_cast<int32_t>(n.as_int()));
  return out;
}

}  // namespace

TEST_CASE("merges and ids are those of Hugging Face, for every pre-tokenizer") {
  auto golden = formats::load_json(LLMKIT_SOURCE_DIR "/tests/parity/tokenizer/golden.json");
  auto texts = chat_texts();
  auto& strings = golden.get_array("strings");
  Parallel parallel(1);
  StopFlag stop;
  NoProgress progress;
  Context context{parallel, stop, progress};
  size_t lossless = 0;  // those that a byte-level BPE is made with; Hugging Face's UnicodeScripts loses spaces in front
  for (auto& entry : pretokenizers().entries()) {
    bool other = entry.name == "metaspace" || entry.name == "per-script";
    lossless += !other && !pretokenizers().make(entry.name)->drops_spaces();
  }
  CHECK(golden.get_array("cases").size() == lossless);
  for (auto& expected : golden.get_array("cases")) {
    std::string name = expected.get_string("pretokenizer");
    CAPTURE(name);
    auto pre = pretokenizers().make(name);
    WordCounter counter(*pre);
    for (std::string_view text : texts) counter.add(std::span(&text, 1));
    BpeTrainerOptions options;
    options.vocab_size = 520;
    options.special_tokens = {"<|endoftext|>", "<|im_start|>"};
    options.pretokenizer = name;
    TokenizerParts parts = train_bbpe(context, counter, options).parts;

    auto& merges = expected.get_array("merges");
    REQUIRE(parts.merges.size() == merges.size());
    for (size_t i = 0; i < merges.size(); ++i) {
      auto spelled = [&](int32_t id) { return spell_bytes(parts.tokens[static_cast<size_t>(id)]); };
      REQUIRE(spelled(parts.merges[i].left) + " " + spelled(parts.merges[i].right) == merges[i].as_string());
    }
    // By way of the file format, so that this covers writing and reading it.
    Tokenizer tokenizer(parse_tokenizer_json(write_tokenizer_json(parts), "tokenizer.json"));
    for (size_t i = 0; i < strings.size(); ++i) {
      const std::string& text = strings[i].as_string();
      CAPTURE(text);
      CHECK(tokenizer.encode(text) == numbers(expected.get_array("plain")[i]));
      CHECK(tokenizer.encode(text, {.special = SpecialText::parse}) == numbers(expected.get_array("parsed")[i]));
      CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
    }
  }
}
