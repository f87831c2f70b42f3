// Vocabularies that lie: each gives one line that says where, and nothing is allocated for what is only claimed.
#include <doctest/doctest.h>

#include <cstring>

#include "base/error.h"
#include "formats/gguf.h"
#include "formats/wire.h"
#include "refusal.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_formats.h"
#include "tokenizer/tokenizer_json.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

using Texts = std::vector<std::string>;

bool says(const std::string& text, std::string_view part, std::string_view where) {
  CAPTURE(text);
  CHECK(text.find('\n') == std::string::npos);
  CHECK(text.find(where) != std::string::npos);
  return text.find(part) != std::string::npos;
}

struct Gguf {
  formats::GgufMetadata m;
  explicit Gguf(std::string model) { set("model", {std::move(model)}); }
  Gguf& set(std::string key, formats::GgufValue value) {
    m.entries.emplace_back("tokenizer.ggml." + key, std::move(value));
    return *this;
  }
  std::string refusal_of() const {
    return refusal([&] { Tokenizer(parse_gguf_tokenizer(formats::write_gguf_metadata(m), "g.gguf")); });
  }
};

Texts byte_tokens(const Texts& more) {
  Texts tokens;
  for (int c = '!'; c <= '~'; ++c) tokens.push_back(std::string(1, static_cast<char>(c)));
  tokens.insert(tokens.end(), more.begin(), more.end());
  return tokens;
}

std::string piece(std::string_view text, float score, uint64_t type) {
  formats::WireWriter p, model;
  p.bytes(1, text);
  p.real(2, score);
  p.integer(3, type);
  model.bytes(1, p.str());
  return model.str();
}

// A tokenizer.json with this vocabulary and these merges.
std::string json(std::string_view vocabulary, std::string_view merges, std::string_view added = "[]") {
  return R"({"version":"1.0","added_tokens":)" + std::string(added) +
         R"(,"normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,)"
         R"("use_regex":true},"post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":true,)"
         R"("trim_offsets":true,"use_regex":true},"model":{"type":"BPE","vocab":)" +
         std::string(vocabulary) + R"(,"merges":)" + std::string(merges) + "}}";
}

std::string refusal_of_json(std::string_view vocabulary, std::string_view merges, std::string_view added = "[]") {
  return refusal([&] { Tokenizer(parse_tokenizer_json(json(vocabulary, merges, added), "t.json")); });
}

}  // namespace

TEST_CASE("GGUF: the same token twice, ids out of range, merges of what is missing") {
  CHECK(Gguf("gpt2").set("tokens", {byte_tokens({"ab"})}).set("merges", {Texts{"a b"}}).refusal_of() == "");
  CHECK(says(Gguf("gpt2").set("tokens", {byte_tokens({"ab", "ab"})}).set("merges", {Texts{"a b"}}).refusal_of(),
             "'ab' with 94 and 95", "g.gguf"));
  for (auto* merge : {"a x\xC3\xA9", "a  ", "a ", "ab a", "ab", ""}) {
    CAPTURE(merge);
    std::string text = Gguf("gpt2").set("tokens", {byte_tokens({"ab"})}).set("merges", {Texts{merge}}).refusal_of();
    CHECK(text != "");
    CHECK(says(text, "merge", "tokenizer.ggml.merges"));
  }
  for (auto* role : {"bos_token_id", "eos_token_id", "unknown_token_id", "padding_token_id"})
    for (int64_t id : {int64_t{95}, int64_t{4294967295}})
      CHECK(says(
          Gguf("gpt2").set("tokens", {byte_tokens({"ab"})}).set("merges", {Texts{"a b"}}).set(role, {id}).refusal_of(),
          "an id below 95", role));
  for (auto* role : {"cls_token_id", "seperator_token_id"})
    CHECK(says(Gguf("bert")
                   .set("tokens", {Texts{"[UNK]",
                                         "\xE2\x96\x81"
                                         "a"}})
                   .set(role, {int64_t{2}})
                   .refusal_of(),
               "an id below 2", role));
  Gguf spm("llama");
  spm.set("tokens", {Texts{"<unk>", "a", "b", "a"}}).set("scores", {std::vector<double>{0, -1, -2, -3}});
  CHECK(says(spm.refusal_of(), "'a' with 1 and 3", "tokenizer.ggml.tokens"));
  spm.m.entries[1].second = {Texts{"<unk>", "a", "b", "ab"}};
  spm.set("token_type", {std::vector<int64_t>{2, 1, 1, 7}});
  CHECK(says(spm.refusal_of(), "0 to 6", "tokenizer.ggml.token_type"));
  spm.m.entries.back().second = {std::vector<int64_t>{2, 1, 1}};
  CHECK(says(spm.refusal_of(), "4 types", "tokenizer.ggml.token_type"));
}

TEST_CASE("GGUF: a count of 10^8 and more in a file of some hundred bytes") {
  Gguf g("gpt2");
  std::string good =
      formats::write_gguf_metadata(g.set("tokens", {byte_tokens({"ab"})}).set("merges", {Texts{"a b"}}).m);
  for (uint64_t claimed : {uint64_t{100'000'000}, uint64_t{1} << 61, UINT64_MAX}) {
    for (std::string_view name : {"tokenizer.ggml.tokens", "tokenizer.ggml.merges"}) {
      std::string bad = good;
      std::memcpy(bad.data() + bad.find(name) + name.size() + 8, &claimed, 8);  // behind the types of array and element
      CHECK(says(refusal([&] { parse_gguf_tokenizer(bad, "g.gguf"); }), "g.gguf", "g.gguf"));
    }
    std::string bad = good;
    std::memcpy(bad.data() + 16, &claimed, 8);  // the number of keys
    CHECK(says(refusal([&] { parse_gguf_tokenizer(bad, "g.gguf"); }), "g.gguf", "g.gguf"));
  }
}

TEST_CASE("tokenizer.json: ids twice, far away or missing; merges that cannot be") {
  CHECK(refusal_of_json(R"({"a":0,"b":1,"ab":2})", R"([["a","b"]])") == "");
  CHECK(says(refusal_of_json(R"({"a":0,"b":0,"ab":2})", "[]"), "one id", "vocab"));
  CHECK(says(refusal_of_json(R"({"a":0,"a":1,"ab":2})", "[]"), "a", "t.json"));
  CHECK(says(refusal_of_json(R"({"a":0,"b":100000000})", "[]"), "out of range", "vocab"));
  CHECK(says(refusal_of_json(R"({"a":0,"b":-1})", "[]"), "out of range", "vocab"));
  CHECK(says(refusal_of_json(R"({"a":0,"b":1,"ab":2})", R"([["a","c"]])"), "not in the vocabulary", "merges"));
  CHECK(says(refusal_of_json(R"({"a":0,"b":1})", R"([["a","b"]])"), "not in the vocabulary", "merges"));
  CHECK(says(refusal_of_json(R"({"a":0,"":1})", R"([["a",""]])"), "joins nothing", "merges"));
  CHECK(says(refusal_of_json(R"({"a":0})", "[]", R"([{"id":100000000,"content":"<s>"}])"), "out of range",
             "added_tokens"));
  CHECK(says(refusal_of_json(R"({"a":0})", "[]", R"([{"id":1,"content":"<s>"},{"id":1,"content":"<t>"}])"), "one id",
             "added_tokens"));
}

TEST_CASE("SentencePiece and tiktoken: the same piece twice") {
  formats::WireWriter trainer, model;
  trainer.integer(3, 1);
  model.bytes(2, trainer.str());
  std::string head = piece("<unk>", 0, 2) + piece("a", -1, 1);
  CHECK(refusal([&] { parse_sentencepiece(head + model.str(), "x.model"); }) == "");
  CHECK(says(refusal([&] { parse_sentencepiece(head + piece("a", -2, 1) + model.str(), "x.model"); }),
             "'a' with 1 and 2", "x.model"));
  CHECK(says(refusal([] { parse_tiktoken("YQ== 0\nYg== 1\nYQ== 2\n", "x.tiktoken"); }), "'a' with 0 and 2",
             "x.tiktoken"));
}
