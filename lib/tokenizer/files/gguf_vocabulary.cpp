// The tokenizer inside a GGUF file: tokenizer.ggml.model is "llama" (SentencePiece's BPE), "t5" (Unigram), "gpt2"
// (byte-level BPE, tokenizer.ggml.pre names the pattern) or "bert" (WordPiece, whose "##" is the absence of a "▁").
#include <array>
#include <cmath>

#include "base/error.h"
#include "formats/gguf.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/tokenizer_formats.h"

namespace llmkit::tokenizer {
namespace {

using formats::GgufMetadata;

constexpr std::string_view kKey = "tokenizer.ggml.";

std::string key(std::string_view name) {
  return std::string(kKey) + std::string(name);
}

[[noreturn]] void fail(const GgufMetadata& m, std::string_view name, std::string expected, std::string found) {
  throw Error(ErrorParts{
      "this tokenizer cannot be read", m.where + ": " + key(name), std::move(expected), std::move(found), {}});
}

struct Pattern {
  std::string_view gguf, pretokenizer;
};
constexpr std::array kPatterns{Pattern{"gpt-2", "gpt2"},          Pattern{"llama-bpe", "llama3"},
                               Pattern{"llama3", "llama3"},       Pattern{"qwen2", "qwen2"},
                               Pattern{"default", "gpt2"},        Pattern{"gpt-4o", "o200k"},
                               Pattern{"deepseek-v3", "deepseek"}};

void read_tokens(const GgufMetadata& m, TokenizerParts& parts) {
  auto* tokens = m.texts(key("tokens"));
  if (!tokens || tokens->empty()) fail(m, "tokens", "an array of strings", "nothing");
  parts.tokens = *tokens;
  check_distinct(parts.tokens, m.where + ": " + key("tokens"));
  if (auto* scores = m.reals(key("scores"))) {
    for (double s : *scores) {
      if (!std::isfinite(s)) fail(m, "scores", "finite numbers", std::to_string(s));
      parts.scores.push_back(static_cast<float>(s));
    }
    if (parts.scores.size() != parts.tokens.size())
      fail(m, "scores", std::to_string(parts.tokens.size()) + " scores", std::to_string(parts.scores.size()));
  }
  parts.types.assign(parts.tokens.size(), TokenType::normal);
  if (auto* types = m.integers(key("token_type"))) {
    if (types->size() != parts.tokens.size())
      fail(m, "token_type", std::to_string(parts.tokens.size()) + " types", std::to_string(types->size()));
    for (size_t i = 0; i < types->size(); ++i) {
      int64_t type = (*types)[i];
      if (type < 0 || type > 6) fail(m, "token_type", "0 to 6", std::to_string(type));
      parts.types[i] = type == 0 ? TokenType::normal : static_cast<TokenType>(type);
    }
  }
}

// -1 where there is none.
int32_t id_of(const GgufMetadata& m, const TokenizerParts& parts, std::string_view name) {
  auto id = m.integer(key(name));
  if (!id) return -1;
  if (*id < 0 || *id >= static_cast<int64_t>(parts.tokens.size()))
    fail(m, name, "an id below " + std::to_string(parts.tokens.size()), std::to_string(*id));
  return static_cast<int32_t>(*id);
}

std::string token_of(const GgufMetadata& m, const TokenizerParts& parts, std::string_view name) {
  int32_t id = id_of(m, parts, name);
  return id < 0 ? std::string() : parts.tokens[static_cast<size_t>(id)];
}

void read_roles(const GgufMetadata& m, TokenizerParts& parts) {
  parts.bos = token_of(m, parts, "bos_token_id");
  parts.eos = token_of(m, parts, "eos_token_id");
  parts.unk = token_of(m, parts, "unknown_token_id");
  parts.pad = token_of(m, parts, "padding_token_id");
  parts.chat_template = m.text("tokenizer.chat_template").value_or("");
  bool bert = parts.model == ModelKind::wordpiece, spm = parts.model == ModelKind::bpe && !parts.scores.empty();
  if (bert) {
    int32_t cls = id_of(m, parts, "cls_token_id"), sep = id_of(m, parts, "seperator_token_id");
    if (cls < 0) cls = id_of(m, parts, "bos_token_id");
    if (sep < 0) sep = id_of(m, parts, "separator_token_id");
    if (sep < 0) sep = id_of(m, parts, "eos_token_id");
    for (auto [id, list] : {std::pair{cls, &parts.prefix}, std::pair{sep, &parts.suffix}})
      if (id >= 0) list->push_back(id);
  } else {
    if (m.boolean(key("add_bos_token")).value_or(spm) && !parts.bos.empty())
      parts.prefix = {id_of(m, parts, "bos_token_id")};
    if (m.boolean(key("add_eos_token")).value_or(parts.model == ModelKind::unigram) && !parts.eos.empty())
      parts.suffix = {id_of(m, parts, "eos_token_id")};
  }
}

void add_special(TokenizerParts& parts) {
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    TokenType type = parts.types[id];
    bool own = type == TokenType::user_defined && parts.symbols == TokenizerParts::Symbols::bytes;
    if (type != TokenType::control && type != TokenType::unknown && !own) continue;
    AddedToken token;
    token.content = parts.tokens[id];
    token.id = static_cast<int32_t>(id);
    token.special = !own;
    parts.added.push_back(token);
  }
}

void read_sentencepiece(const GgufMetadata& m, TokenizerParts& parts) {
  if (parts.scores.empty()) fail(m, "scores", "an array of numbers", "nothing");
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.pretokenizer = "none";
  parts.fuse_unk = true;
  parts.joining = Joining::metaspace;
  for (TokenType type : parts.types) parts.byte_fallback |= type == TokenType::byte;
  parts.drop_first_space = m.boolean(key("add_space_prefix")).value_or(true);
  bool remove = m.boolean(key("remove_extra_whitespaces")).value_or(parts.model == ModelKind::unigram);
  std::string map;
  if (auto* bytes = m.integers(key("precompiled_charsmap")))
    for (int64_t b : *bytes) map += static_cast<char>(b);
  Charsmap{std::string_view(map)};
  auto flag = [](bool b) { return std::string(b ? "true" : "false"); };
  parts.normalizers = {"sentencepiece:dummy-prefix=" + flag(parts.drop_first_space) + ",remove-extra=" + flag(remove) +
                       (map.empty() ? std::string() : ",map=\"" + encode_base64(map) + "\"")};
  if (parts.model == ModelKind::bpe) parts.merges = merges_of_scores(parts, m.where);
}

void read_byte_level(const GgufMetadata& m, TokenizerParts& parts) {
  std::string pre = m.text(key("pre")).value_or("default");
  parts.pretokenizer.clear();
  for (auto& p : kPatterns)
    if (p.gguf == pre) parts.pretokenizer = p.pretokenizer;
  if (parts.pretokenizer.empty()) fail(m, "pre", "gpt-2, llama-bpe, qwen2, gpt-4o or deepseek-v3", pre);
  parts.scores.clear();
  parts.ignore_merges = pre == "llama-bpe" || pre == "llama3";
  std::vector<std::pair<std::string, std::string>> spelled;
  auto* merges = m.texts(key("merges"));
  if (!merges) fail(m, "merges", "an array of strings", "nothing");
  for (auto& line : *merges) {
    size_t space = line.find(' ', 1);
    if (space == std::string::npos) fail(m, "merges", "two tokens", "'" + printable(line) + "'");
    spelled.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  parts.merges = merges_of_spellings(parts, spelled, parts.tokens, m.where + ": " + key("merges"));
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    if (parts.types[id] != TokenType::normal) continue;
    if (auto bytes = unspell_bytes(parts.tokens[id])) parts.tokens[id] = *bytes;
  }
}

void read_wordpiece(TokenizerParts& parts) {
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.scores.clear();
  parts.word_prefix = "##";
  parts.joining = Joining::wordpiece;
  parts.clean_up = true;
  parts.normalizers = {"bert"};
  parts.pretokenizer = "bert";
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    std::string& token = parts.tokens[id];
    bool special =
        parts.types[id] != TokenType::normal || (token.starts_with('[') && token.ends_with(']') && token.size() > 2);
    if (special)
      parts.types[id] = parts.types[id] == TokenType::normal ? TokenType::control : parts.types[id];
    else if (token.starts_with(kSpaceMark))
      token.erase(0, kSpaceMark.size());
    else
      token.insert(0, "##");
  }
}

}  // namespace

TokenizerParts parse_gguf_tokenizer(std::string_view bytes, std::string_view where) {
  GgufMetadata m = formats::parse_gguf_metadata(bytes, where);
  TokenizerParts parts;
  read_tokens(m, parts);
  std::string model = m.text(key("model")).value_or("");
  if (model == "llama" || model == "t5") {
    parts.model = model == "t5" ? ModelKind::unigram : ModelKind::bpe;
    read_sentencepiece(m, parts);
  } else if (model == "gpt2") {
    read_byte_level(m, parts);
  } else if (model == "bert") {
    parts.model = ModelKind::wordpiece;
    read_wordpiece(parts);
  } else {
    fail(m, "model", "llama, t5, gpt2 or bert", model);
  }
  read_roles(m, parts);
  add_special(parts);
  return parts;
}

}  // namespace llmkit::tokenizer
