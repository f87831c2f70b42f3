#include "tokenizer/tokenizer_json.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "temporary_folder.h"
#include "tokenizer/bpe_trainer.h"
#include "tokenizer/tokenizer.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

TokenizerParts rich_parts() {
  TokenizerParts parts;
  for (int b = 0; b < 256; ++b) parts.tokens.push_back(std::string(1, static_cast<char>(b)));
  parts.tokens.insert(parts.tokens.end(), {" t", "he", " the", "\n\n", "", "\xE4\xBD"});
  parts.merges = {{' ', 't', 256}, {'h', 'e', 257}, {256, 257, 258}, {'\n', '\n', 259}, {0xE4, 0xBD, 261}};
  AddedToken end, word;
  end.content = "<|end|>";
  word.content = "foo bar";
  word.special = false;
  word.single_word = word.lstrip = word.rstrip = word.normalized = true;
  parts.prefix = {parts.add(end)};
  parts.add(word);
  parts.bos = parts.eos = parts.pad = "<|end|>";
  parts.chat_template = "{{ 'x\n\"y\"' }}";
  parts.max_length = 512;
  return parts;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The message with which a changed tokenizer.json is refused.
std::string refusal(std::string_view from, std::string_view to) {
  try {
    parse_tokenizer_json(replaced(write_tokenizer_json(rich_parts()), from, to), "tokenizer.json");
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a tokenizer survives writing and reading, for every pre-tokenizer") {
  for (auto& entry : pretokenizers().entries()) {
    // Those that are for vocabularies of characters: the next test.
    auto made = pretokenizers().make(entry.name);
    if (made->hugging_face_json().find("ByteLevel") == std::string_view::npos) continue;
    TokenizerParts parts = rich_parts(), read;
    parts.pretokenizer = entry.name;
    read = parse_tokenizer_json(write_tokenizer_json(parts), "tokenizer.json");
    parse_tokenizer_config(write_tokenizer_config(parts), "tokenizer_config.json", read);
    CHECK(read.pretokenizer == parts.pretokenizer);
    CHECK(read.tokens == parts.tokens);
    CHECK(read.merges == parts.merges);
    CHECK(read.added == parts.added);
    CHECK(read.prefix == parts.prefix);
    CHECK(read.suffix == parts.suffix);
    CHECK(read.chat_template == parts.chat_template);
    CHECK(read.max_length == 512);
    CHECK(read.pad == "<|end|>");
    CHECK(Tokenizer(read).hash() == Tokenizer(parts).hash());
  }
}

TEST_CASE("character vocabularies survive it too, for every pre-tokenizer that is made for them") {
  for (auto& entry : pretokenizers().entries()) {
    auto made = pretokenizers().make(entry.name);
    if (made->hugging_face_json().find("ByteLevel") != std::string_view::npos) continue;
    TokenizerParts parts, read;
    parts.symbols = TokenizerParts::Symbols::characters;
    parts.pretokenizer = entry.name;
    parts.unk = "?";
    parts.tokens = {"?", "a", "b", "ab", "▁", "é"};
    parts.merges = {{1, 2, 3}};
    read = parse_tokenizer_json(write_tokenizer_json(parts), "tokenizer.json");
    CHECK(read.symbols == parts.symbols);
    CHECK(read.tokens == parts.tokens);
    for (std::string text : {"abé,ba", "▁ab▁", "a.b", ""})
      CHECK(Tokenizer(read).encode(text) == Tokenizer(parts).encode(text));
  }
}

TEST_CASE("a character vocabulary survives writing and reading") {
  TokenizerParts parts;
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.pretokenizer = "none";
  AddedToken unk;
  unk.content = parts.unk = "<unk>";
  parts.add(unk);
  parts.tokens.insert(parts.tokens.end(), {"\n", " ", "a", "中"});
  TokenizerParts read = parse_tokenizer_json(write_tokenizer_json(parts), "tokenizer.json");
  CHECK(read.symbols == parts.symbols);
  CHECK(read.tokens == parts.tokens);
  CHECK(Tokenizer(read).encode("a中\nx") == std::vector<int32_t>{3, 4, 1, 0});
}

TEST_CASE("files on disk give the same tokenizer, and the byte tokenizer needs none") {
  TemporaryFolder temporary;
  std::filesystem::path folder = temporary.file("tokenizer");
  Tokenizer(rich_parts()).save(folder.string());
  Tokenizer loaded = Tokenizer::load(folder.string());
  CHECK(loaded.hash() == Tokenizer(rich_parts()).hash());
  CHECK(Tokenizer::load((folder / "tokenizer.json").string()).hash() == loaded.hash());
  std::filesystem::remove_all(folder);
  CHECK_THROWS_AS(Tokenizer::load(folder.string()), Error);

  Tokenizer bytes = Tokenizer::load("byte");
  CHECK(bytes.vocab_size() == 257);
  CHECK(bytes.encode("é") == std::vector<int32_t>{0xC3, 0xA9});
  CHECK(bytes.eos() == 256);
}

TEST_CASE("merges written as one string are read") {
  std::string json = replaced(write_tokenizer_json(rich_parts()), R"(["Ġ", "t"])", R"("Ġ t")");
  CHECK(parse_tokenizer_json(json, "x").merges == rich_parts().merges);
}

TEST_CASE("no dropout may be spelled as 0") {
  std::string json = replaced(write_tokenizer_json(rich_parts()), R"("dropout": null)", R"("dropout": 0.0)");
  CHECK(parse_tokenizer_json(json, "x").merges == rich_parts().merges);
}

TEST_CASE("what is not supported is refused by name") {
  CHECK(refusal(R"("normalizer": null)", R"("normalizer": {"type":"ByteLevel"})").find("ByteLevel") !=
        std::string::npos);
  CHECK(refusal(R"("type": "BPE")", R"("type": "WordLevel")").find("WordLevel") != std::string::npos);
  CHECK(refusal(R"("dropout": null)", R"("dropout": 0.1)").find("dropout") != std::string::npos);
  CHECK(refusal(R"(\\p{N}{1,3})", R"(\\p{N}{1,4})").find("{1,4}") != std::string::npos);
  CHECK(refusal("Isolated", "Removed").find("Removed") != std::string::npos);
}

TEST_CASE("damaged vocabularies give one clear error") {
  CHECK(refusal(R"("Ġthe": 258)", R"("Ġthe": 100000000)").find("out of range") != std::string::npos);
  CHECK(refusal(R"("Ġthe": 258)", R"("Ġthe": -1)").find("out of range") != std::string::npos);
  CHECK(refusal(R"("Ġthe": 258)", R"("Ġthe": 257)").find("one id") != std::string::npos);
  CHECK(refusal(R"("Ġthe": 258)", R"("Ġtheo": 258)").find("not in the vocabulary") != std::string::npos);
  CHECK(refusal(R"("Ġthe": 258)", R"("he": 258)") != "");
  CHECK(refusal(R"(["Ġ", "t"])", R"(["Ġ"])").find("not a merge") != std::string::npos);
  CHECK(refusal(R"("model":)", R"("modell":)").find("model") != std::string::npos);
  CHECK(refusal(R"("Ġthe": 258)", R"("Ġthe": "258")").find("integer") != std::string::npos);
}

namespace {

// A BPE over characters, all of which are tokens, with the steps and added tokens given.
Tokenizer of_steps(const std::string& normalizer, const std::string& pre_tokenizer, const std::string& added) {
  return Tokenizer(parse_tokenizer_json(
      R"({"normalizer":)" + normalizer + R"(,"pre_tokenizer":)" + pre_tokenizer +
          R"(,"decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},"added_tokens":[)" +
          added +
          R"(],"model":{"type":"BPE","unk_token":"?","vocab":{"?":0,"▁":1,"a":2,"b":3,"\n":4,"[F]":5},"merges":[]}})",
      "tokenizer.json"));
}

constexpr const char* kMarks = R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true})";
constexpr const char* kStripAndCollapse =
    R"({"type":"Sequence","normalizers":[{"type":"Strip","strip_left":false,"strip_right":true},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁"}]})";
constexpr const char* kLateToken =
    R"({"id":5,"content":"[F]","single_word":false,"lstrip":false,"rstrip":false,"normalized":true,"special":false})";

}  // namespace

// The ids here are those of Hugging Face tokenizers 0.23.3.
TEST_CASE("an added token in normal text is a border before marks are made") {
  Tokenizer tokenizer = of_steps("null", kMarks, kLateToken);
  using Ids = std::vector<int32_t>;
  CHECK(tokenizer.encode("[F]") == Ids{5});
  CHECK(tokenizer.encode("a[F]b a") == Ids{1, 2, 5, 1, 3, 1, 2});
  CHECK(tokenizer.encode(" [F] a") == Ids{1, 5, 1, 2});
  Ids ids;
  std::vector<Span> spans;
  tokenizer.encode("a[F]b", ids, spans);
  CHECK(spans == std::vector<Span>{{0, 1}, {0, 1}, {1, 4}, {4, 5}, {4, 5}});
}

TEST_CASE("an added token in normal text is looked for as a Prepend makes it") {
  constexpr const char* kLlama =
      R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]})";
  Tokenizer tokenizer = of_steps(kLlama, "null", kLateToken);
  using Ids = std::vector<int32_t>;
  CHECK(tokenizer.encode("[F]a") == Ids{5, 2});
  CHECK(tokenizer.encode("a [F]") == Ids{1, 2, 5});
  CHECK(tokenizer.encode("a[F]") == Ids{1, 2, 0, 0, 0});
  CHECK(tokenizer.decode(Ids{1, 2, 5}) == "a [F]");
}

TEST_CASE("steps for spaces are not taken for SentencePiece's where they do something else") {
  using Ids = std::vector<int32_t>;
  Tokenizer both = of_steps(kStripAndCollapse, kMarks, "");
  CHECK(both.encode("a  b ") == Ids{1, 2, 1, 3});
  CHECK(both.encode("  a") == Ids{1, 2});
  Tokenizer strip = of_steps(R"({"type":"Strip","strip_left":false,"strip_right":true})", kMarks, "");
  CHECK(strip.encode("  a  b ") == Ids{1, 1, 2, 1, 1, 3});
  Tokenizer collapse = of_steps(R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "})", kMarks, "");
  CHECK(collapse.encode("a  b ") == Ids{1, 2, 1, 3, 1});
  CHECK_THROWS_AS(
      of_steps("null",
               std::string(R"({"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},)") + kMarks + "]}", ""),
      Error);
}

TEST_CASE("Gemma's cut at spaces, of which its normalizer leaves none, is read") {
  Tokenizer tokenizer =
      of_steps(R"({"type":"Replace","pattern":{"String":" "},"content":"▁"})",
               R"({"type":"Split","pattern":{"String":" "},"behavior":"MergedWithPrevious","invert":false})", "");
  CHECK(tokenizer.encode("a b") == std::vector<int32_t>{2, 1, 3});
}

TEST_CASE("an added token that spells the symbol of a byte takes no byte from the text") {
  TokenizerParts parts;
  for (int b = 0; b < 256; ++b) parts.tokens.push_back(std::string(1, static_cast<char>(b)));
  std::string json = write_tokenizer_json(parts);
  json = replaced(
      json, R"("added_tokens": [])",
      R"("added_tokens": [{"id":233,"content":"é","single_word":false,"lstrip":false,"rstrip":false,"normalized":true,"special":false}])");
  Tokenizer tokenizer(parse_tokenizer_json(json, "tokenizer.json"));
  CHECK(tokenizer.encode("\xE9\xA9\xAC") == std::vector<int32_t>{0xE9, 0xA9, 0xAC});
  CHECK(tokenizer.encode("é") == std::vector<int32_t>{0xE9});
}
