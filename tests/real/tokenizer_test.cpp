// Ids against those of the tools that own the formats: llama.cpp's vocabularies
// with their cases, SentencePiece models with reference encodings, and
// tiktoken's rank files.
#include "tokenizer/tokenizer.h"

#include <doctest/doctest.h>

#include <sstream>

#include "base/rng.h"
#include "formats/json.h"
#include "io/input.h"
#include "real/real_data.h"
#include "tokenizer/tokenizer_formats.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

std::string read(const std::string& path) {
  return io::read_all(*io::open_input(path));
}

std::vector<std::string_view> cases_of(std::string_view text) {
  constexpr std::string_view kBetween = "\n__ggml_vocab_test__\n";
  std::vector<std::string_view> out;
  for (size_t at = 0;;) {
    size_t end = text.find(kBetween, at);
    if (end == std::string_view::npos) break;
    out.push_back(text.substr(at, end - at));
    at = end + kBetween.size();
  }
  return out;
}

std::vector<int32_t> ids_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<int32_t> ids;
  for (int32_t id; in >> id;) ids.push_back(id);
  return ids;
}

void check_gguf(const std::string& name) {
  std::string base = real::data_file("tokenizer/ggml-vocab-" + name + ".gguf.zst");
  if (base.empty()) return;
  TokenizerParts parts = parse_gguf_tokenizer(read(base), name);
  Tokenizer tokenizer(parts), again(parse_gguf_tokenizer(write_gguf_tokenizer(parts), "written"));
  base.resize(base.size() - 4);
  std::string input = read(base + ".inp");
  std::istringstream lines(read(base + ".out"));
  auto cases = cases_of(input);
  CHECK(cases.size() == 46);
  for (auto text : cases) {
    std::string line;
    REQUIRE(std::getline(lines, line));
    CHECK_MESSAGE(tokenizer.encode(text) == ids_of(line), name, ": '", std::string(text), "'");
    CHECK(again.encode(text) == ids_of(line));
  }
}

void check_sentencepiece(const std::string& model, const std::string& cases, int lines_expected) {
  std::string path = real::data_file("tokenizer/" + model);
  if (path.empty()) return;
  TokenizerParts parts = parse_sentencepiece(read(path), model);
  Tokenizer tokenizer(parts), again(parse_sentencepiece(write_sentencepiece(parts), "written"));
  std::istringstream lines(read(real::data_file("tokenizer/" + cases)));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    auto json = formats::parse_json(line, cases);
    std::vector<int32_t> expected;
    for (auto& id : json.get_array("ids")) expected.push_back(static_cast<int32_t>(id.as_int()));
    std::string text = json.get_string("text");
    CHECK_MESSAGE(tokenizer.encode(text) == expected, text);
    CHECK(again.encode(text) == expected);
  }
  CHECK(count == lines_expected);
}

}  // namespace

TEST_CASE("llama.cpp's vocabularies give the ids of its cases") {
  for (auto name : {"gpt-2", "llama-spm", "bert-bge"}) check_gguf(name);
}

TEST_CASE("SentencePiece models give the ids of spm_encode") {
  check_sentencepiece("spm_test_model.model", "spm_test_model_botchan.jsonl.zst", 600);
  check_sentencepiece("spm_chinese.model", "spm_chinese_shuihu.jsonl.zst", 198);
}

TEST_CASE("tiktoken's ranks: every token is one id, files come back as they were") {
  for (auto [name, ranks] : {std::pair{"cl100k_base", 100256}, std::pair{"o200k_base", 199998}}) {
    std::string path = real::data_file(std::string("tokenizer/") + name + ".tiktoken.gz");
    if (path.empty()) return;
    std::string file = read(path);
    TokenizerParts parts = parse_tiktoken(file, name);
    CHECK(parts.merges.size() == static_cast<size_t>(ranks - 256));
    CHECK(write_tiktoken(parts) == file);
    parts.pretokenizer = "none";
    Tokenizer tokenizer(parts);
    int wrong = 0;
    for (int32_t id = 0; id < ranks; ++id) wrong += tokenizer.encode(tokenizer.bytes(id)) != std::vector<int32_t>{id};
    CHECK(wrong == 0);
  }
}

TEST_CASE("decode(encode(x)) = x for a million strings of bytes and characters") {
  std::string ranks = real::data_file("tokenizer/cl100k_base.tiktoken.gz");
  std::string llama = real::data_file("tokenizer/ggml-vocab-llama-spm.gguf.zst");
  if (ranks.empty() || llama.empty()) return;
  Tokenizer byte_level(parse_tiktoken(read(ranks), "cl100k")), fallback(parse_gguf_tokenizer(read(llama), "llama"));
  Rng rng({2026});
  int wrong = 0;
  std::string text;
  std::vector<int32_t> ids;
  for (int i = 0; i < 1'000'000; ++i) {
    text.clear();
    for (uint64_t size = rng.below(24); text.size() < size;) {
      uint64_t kind = rng.below(8);
      if (kind < 4) {
        text += static_cast<char>(' ' + rng.below(95));
      } else if (kind < 6) {
        text += static_cast<char>(rng.below(256));
      } else {
        auto c = static_cast<uint32_t>(rng.below(kind == 6 ? 0x3000 : 0x110000));
        if (c == 0x2581 || (c >= 0xD800 && c < 0xE000)) continue;  // the mark itself reads back as a space
        if (c < 0x80) {
          text += static_cast<char>(c);
        } else if (c < 0x800) {
          text += {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
        } else if (c < 0x10000) {
          text += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
                   static_cast<char>(0x80 | (c & 63))};
        } else {
          text += {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)),
                   static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
        }
      }
    }
    if (text.find("\xE2\x96\x81") != std::string::npos) continue;
    for (auto* tokenizer : {&byte_level, &fallback}) {
      ids.clear();
      tokenizer->encode(text, ids);
      wrong += tokenizer->decode(ids) != text;
    }
  }
  CHECK(wrong == 0);
}
