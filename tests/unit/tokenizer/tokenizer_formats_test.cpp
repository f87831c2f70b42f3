#include "tokenizer/tokenizer_formats.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "formats/gguf.h"
#include "formats/wire.h"
#include "refusal.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_json.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

using Ids = std::vector<int32_t>;

struct Piece {
  std::string text;
  float score;
  int type;
};

std::string model_file(int type, const std::vector<Piece>& pieces) {
  formats::WireWriter model, trainer, normalizer;
  for (auto& p : pieces) {
    formats::WireWriter piece;
    piece.bytes(1, p.text);
    piece.real(2, p.score);
    piece.integer(3, static_cast<uint64_t>(p.type));
    model.bytes(1, piece.str());
  }
  trainer.integer(3, static_cast<uint64_t>(type));
  normalizer.bytes(1, "identity");
  model.bytes(2, trainer.str());
  model.bytes(3, normalizer.str());
  return model.str();
}

const std::vector<Piece> kPieces{{"<unk>", 0, 2}, {"<s>", 0, 3}, {"</s>", 0, 3},  {"▁", -3, 1},   {"a", -4, 1},
                                 {"b", -5, 1},    {"▁a", -1, 1}, {"ab", -1.5, 1}, {"▁ab", -2, 1}, {"bb", -2.5, 1}};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TokenizerParts byte_level() {
  TokenizerParts parts;
  parts.pretokenizer = "gpt2";
  for (int b = 0; b < 256; ++b) parts.tokens.push_back(std::string(1, static_cast<char>(b)));
  parts.tokens.insert(parts.tokens.end(), {"he", "ll", "hell", "hello", " hello"});
  parts.merges = {{'h', 'e', 256}, {'l', 'l', 257}, {256, 257, 258}, {258, 'o', 259}, {' ', 259, 260}};
  return parts;
}

// The ids of texts that hurt stay the same through a format.
void check_same(const TokenizerParts& parts, const TokenizerParts& read) {
  Tokenizer before(parts), after(read);
  for (std::string text : {"ab bb  a", " ab", "a\nb  ", "xyab▁a", "", "   ", "hello hello", "bbbb\xFF", "中ab"}) {
    CHECK(before.encode(text) == after.encode(text));
    CHECK(before.decode(before.encode(text)) == after.decode(after.encode(text)));
  }
}

}  // namespace

TEST_CASE("SentencePiece models: Unigram and BPE, through every format that can hold them") {
  for (int type : {1, 2}) {
    TokenizerParts parts = parse_sentencepiece(model_file(type, kPieces), "x.model");
    CHECK(parts.unk == "<unk>");
    CHECK(parts.bos == "<s>");
    Tokenizer tokenizer(parts);
    CHECK(tokenizer.encode(" ab  bb ") == (type == 1 ? Ids{8, 3, 9} : Ids{8, 3, 9}));
    CHECK(tokenizer.decode(tokenizer.encode("ab bb")) == "ab bb");
    check_same(parts, parse_sentencepiece(write_sentencepiece(parts), "again"));
    check_same(parts, parse_gguf_tokenizer(write_gguf_tokenizer(parts), "gguf"));
  }
}

TEST_CASE("byte-level BPE through every format that can hold it") {
  TokenizerParts parts = byte_level();
  check_same(parts, parse_tokenizer_json(write_tokenizer_json(parts), "json"));
  check_same(parts, parse_gguf_tokenizer(write_gguf_tokenizer(parts), "gguf"));
  auto [vocabulary, merges] = write_vocab_and_merges(parts);
  check_same(parts, parse_vocab_and_merges(vocabulary, merges, "vocab.json"));
  TokenizerParts ranks = parse_tiktoken(write_tiktoken(parts), "tiktoken");
  CHECK(ranks.merges == parts.merges);
  CHECK(ranks.tokens == parts.tokens);
}

TEST_CASE("a format that cannot say what a tokenizer does is not written") {
  TokenizerParts parts = byte_level();
  CHECK(has(refusal([&] { write_sentencepiece(parts); }), "cannot be written"));
  CHECK(has(refusal([&] { write_vocab_txt(parts); }), "cannot be written"));
  std::swap(parts.merges[0], parts.merges[1]);
  CHECK(has(refusal([&] { write_tiktoken(parts); }), "another order"));
}

TEST_CASE("damaged models give one clear error") {
  auto read = [](const std::vector<Piece>& pieces, int type = 2) {
    return refusal([&] { parse_sentencepiece(model_file(type, pieces), "x.model"); });
  };
  CHECK(has(read({}), "pieces"));
  CHECK(has(read({{"a", 0, 1}}), "type unknown"));
  CHECK(has(read({{"<unk>", 0, 2}, {"", 0, 1}}), "piece 1"));
  CHECK(has(read({{"<unk>", 0, 2}, {"\xFF", 0, 1}}), "UTF-8"));
  CHECK(has(read({{"<unk>", 0, 2}, {"a", 0, 9}}), "type from 1 to 6"));
  CHECK(has(read({{"<unk>", 0, 2}, {"a", 0.0f / 0.0f, 1}}), "finite"));
  CHECK(has(read({{"<unk>", 0, 2}}, 3), "model type 3"));
  CHECK(has(read({{"<unk>", 0, 2}, {std::string(5000, 'a'), 0, 1}}), "too long"));
  std::string whole = model_file(2, kPieces);
  CHECK(refusal([&] { parse_sentencepiece(whole.substr(0, whole.size() - 3), "x"); }) != "");
  CHECK(has(refusal([] { parse_tiktoken("aGU= 0\naGU= x\n", "t"); }), "t:2"));
  CHECK(has(refusal([] { parse_tiktoken("aGU= 0\nYQ== 0\n", "t"); }), "one id"));
  CHECK(has(refusal([] { parse_tiktoken("aGU= 100000000\n", "t"); }), "out of range"));
  CHECK(has(refusal([] { parse_vocab_txt("[UNK]\na\na\n", "v"); }), "twice"));
  CHECK(has(refusal([] { parse_vocab_txt("a\n", "v"); }), "[UNK]"));
  CHECK(has(refusal([] { parse_vocab_and_merges(R"({"a":0,"b":0})", "", "v"); }), "one id"));
  CHECK(has(refusal([] { parse_vocab_and_merges(R"({"a":0})", "a b\n", "v"); }), "not in the vocabulary"));
  CHECK(has(refusal([] { parse_vocab_and_merges(R"({"a":0})", "a\n", "v"); }), "line 1"));
  formats::GgufMetadata m;
  auto set = [&](std::string key, formats::GgufValue v) {
    m.entries.emplace_back("tokenizer.ggml." + key, std::move(v));
  };
  set("model", {std::string("llama")});
  set("tokens", {std::vector<std::string>{"<unk>", "a"}});
  set("scores", {std::vector<double>{0}});
  CHECK(has(refusal([&] { parse_gguf_tokenizer(formats::write_gguf_metadata(m), "g"); }), "2 scores"));
  m.entries[2].second = {std::vector<double>{0, 1}};
  set("bos_token_id", {int64_t{7}});
  CHECK(has(refusal([&] { parse_gguf_tokenizer(formats::write_gguf_metadata(m), "g"); }), "below 2"));
  m.entries[0].second = {std::string("rwkv")};
  CHECK(has(refusal([&] { parse_gguf_tokenizer(formats::write_gguf_metadata(m), "g"); }), "rwkv"));
}

TEST_CASE("tiktoken's merges are the last two parts of each token, and an unreachable one still is itself") {
  std::vector<std::string> tokens{"a", "b", "c", "ab", "bc", "abc", "cab"};
  bool complete = false;
  auto merges = merges_of_ranks(tokens, "x", complete);
  CHECK(complete);
  CHECK(merges == std::vector<Merge>{{0, 1, 3}, {1, 2, 4}, {3, 2, 5}, {2, 3, 6}});
  tokens.push_back("acc");  // no two of its parts are tokens
  merges_of_ranks(tokens, "x", complete);
  CHECK_FALSE(complete);
}
