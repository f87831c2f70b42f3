#include "tokenizer/tokenizer.h"

#include <doctest/doctest.h>

#include "base/rng.h"
#include "tokenizer/bpe_trainer.h"
#include "tokenizer/stream_decoder.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

AddedToken token(std::string content) {
  AddedToken t;
  t.content = std::move(content);
  return t;
}

// 256 bytes (id = byte), "he" = 256, "ll" = 257, "hell" = 258, "hello" = 259, then added tokens.
TokenizerParts small_parts() {
  TokenizerParts parts;
  for (int b = 0; b < 256; ++b) parts.tokens.push_back(std::string(1, static_cast<char>(b)));
  parts.tokens.insert(parts.tokens.end(), {"he", "ll", "hell", "hello"});
  parts.merges = {{'h', 'e', 256}, {'l', 'l', 257}, {256, 257, 258}, {258, 'o', 259}};
  return parts;
}

using Ids = std::vector<int32_t>;

}  // namespace

TEST_CASE("merges make words, and a repeated word comes from the cache unchanged") {
  Tokenizer tokenizer(small_parts());
  CHECK(tokenizer.encode("hello hello") == Ids{259, ' ', 259});
  CHECK(tokenizer.encode("hello hello") == Ids{259, ' ', 259});
  CHECK(tokenizer.encode("helhell") == Ids{256, 'l', 258});
  CHECK(tokenizer.encode("").empty());
}

TEST_CASE("ignore_merges takes a whole piece from the vocabulary") {
  TokenizerParts parts = small_parts();
  parts.tokens.push_back("lo");
  CHECK(Tokenizer(parts).encode("lo") == Ids{'l', 'o'});
  parts.ignore_merges = true;
  CHECK(Tokenizer(parts).encode("lo") == Ids{260});
}

TEST_CASE("special tokens are parsed only when asked for, the longest first") {
  TokenizerParts parts = small_parts();
  int32_t a = parts.add(token("<|a|>")), ab = parts.add(token("<|a|>b"));
  Tokenizer tokenizer(parts);
  EncodeOptions parse{.special = SpecialText::parse};
  CHECK(tokenizer.encode("x<|a|>y<|a|>b", parse) == Ids{'x', a, 'y', ab});
  CHECK(tokenizer.encode("<|a|>").size() == 5);
  CHECK(tokenizer.decode(tokenizer.encode("x<|a|>b", parse)) == "x<|a|>b");
  CHECK(tokenizer.decode(tokenizer.encode("x<|a|>b", parse), true) == "x");
  CHECK(tokenizer.token_id("<|a|>") == a);
  CHECK(tokenizer.is_special(ab));
}

TEST_CASE("added tokens that are not special are found in any text, with stripping and word bounds") {
  TokenizerParts parts = small_parts();
  AddedToken t = token("foo");
  t.special = false;
  t.single_word = true;
  t.lstrip = t.rstrip = true;
  int32_t foo = parts.add(t);
  Tokenizer tokenizer(parts);
  CHECK(tokenizer.encode("a  foo \n b") == Ids{'a', foo, 'b'});
  CHECK(tokenizer.encode("foofoo").size() == 6);
  CHECK(tokenizer.encode("éfoo").size() == 5);
  CHECK(tokenizer.encode("_foo").size() == 4);  // \w holds connectors and joiners,
  CHECK(tokenizer.encode("foo\u200D").size() == 6);
  CHECK(tokenizer.encode("²foo") == Ids{0xC2, 0xB2, foo});  // but no superscripts
}

TEST_CASE("the template's tokens go around a text when asked for") {
  TokenizerParts parts = small_parts();
  int32_t bos = parts.add(token("<s>"));
  parts.prefix = {bos};
  CHECK(Tokenizer(parts).encode("o", {.add_special_tokens = true}) == Ids{bos, 'o'});
}

TEST_CASE("random bytes survive encoding and decoding") {
  Tokenizer tokenizer(small_parts());
  Rng rng({5});
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (uint64_t n = rng.below(60); n > 0; --n)
      text += rng.below(2) ? static_cast<char>(rng.below(256)) : "hello 'ſ"[rng.below(8)];
    CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
  }
}

TEST_CASE("adding a token that exists keeps its id") {
  TokenizerParts parts = small_parts();
  CHECK(parts.add(token("hello")) == 259);
  CHECK(parts.add(token("<x>")) == 260);
  CHECK(parts.add(token("<x>")) == 260);
  CHECK(parts.added.size() == 2);
}

TEST_CASE("the hash changes with anything that changes ids") {
  TokenizerParts parts = small_parts();
  uint64_t h = Tokenizer(parts).hash();
  CHECK(Tokenizer(parts).hash() == h);
  parts.chat_template = "x";
  CHECK(Tokenizer(parts).hash() == h);
  std::swap(parts.merges[0], parts.merges[1]);
  CHECK(Tokenizer(parts).hash() != h);
  parts = small_parts();
  parts.pretokenizer = "gpt2";
  CHECK(Tokenizer(parts).hash() != h);
}

TEST_CASE("many texts on eight threads give the ids of one thread") {
  Tokenizer tokenizer(small_parts());
  std::vector<std::string> texts;
  for (int i = 0; i < 64; ++i) {
    texts.emplace_back();
    for (int k = 0; k < 20'000; ++k) texts.back() += k % (i + 2) ? " hello" : " hell" + std::to_string(k);
  }
  std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<Ids> serial;
  {
    Parallel one(1);
    serial = tokenizer.encode_all(one, views);
  }
  Parallel eight(8);
  // On few cores a worker may come late and find little left: the statistics add up over rounds.
  for (int round = 0; round < 20 && (round == 0 || eight.stats().least_tiles < 3 || eight.stats().workers < 2); ++round)
    CHECK(tokenizer.encode_all(eight, views) == serial);
  CHECK(eight.stats().workers >= 2);
  CHECK(eight.stats().least_tiles >= 3);
}

TEST_CASE("a stream is whole UTF-8 at every step") {
  Tokenizer tokenizer(small_parts());
  StreamDecoder decoder(tokenizer);
  std::string text = "h€llo😀", streamed;
  for (int32_t id : tokenizer.encode(text)) {
    std::string part = decoder.push(id);
    CHECK((part.empty() || (static_cast<unsigned char>(part[0]) & 0xC0) != 0x80));
    streamed += part;
  }
  CHECK(streamed + decoder.finish() == text);
}

TEST_CASE("a stream replaces what cannot become UTF-8, once per maximal subpart") {
  Tokenizer tokenizer(small_parts());
  StreamDecoder decoder(tokenizer);
  CHECK(decoder.push(0xE2).empty());
  CHECK(decoder.push(0x82).empty());
  CHECK(decoder.push('a') == "\uFFFDa");
  CHECK(decoder.push(0xFF) == "\uFFFD");
  CHECK(decoder.push(0xF0).empty());
  CHECK(decoder.finish() == "\uFFFD");
  CHECK(decoder.push('b') == "b");
  CHECK(decoder.push(-1).empty());
  CHECK(decoder.push(100'000).empty());
}
