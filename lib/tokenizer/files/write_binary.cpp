// SentencePiece models and GGUF metadata, written.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/registry.h"
#include "formats/gguf.h"
#include "formats/wire.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/charsmap_rules.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/tokenizer_formats.h"

namespace llmkit::tokenizer {
namespace {

using formats::GgufMetadata;
using formats::WireWriter;

Error cannot(std::string format, std::string expected, std::string found) {
  return Error(
      ErrorParts{"this tokenizer cannot be written as " + format, {}, std::move(expected), std::move(found), {}});
}

// The one normalizer that SentencePiece has.
struct Rules {
  std::string map;
  bool dummy_prefix = false, remove_extra = false, escape = false, suffix = false;
};

Rules rules_of(const TokenizerParts& parts, const std::string& format) {
  Rules rules;
  for (auto& text : parts.normalizers) {
    Spec spec = parse_spec(text);
    Values v = resolve(spec, normalizers().find(spec.name), "normalizer");
    if (spec.name == "sentencepiece") {
      auto map = decode_base64(v.text("map")).value_or("");
      if (!map.empty() && !rules.map.empty()) throw cannot(format, "one list of character rules", text);
      rules = {map.empty() ? rules.map : map, v.boolean("dummy-prefix"), v.boolean("remove-extra"), v.boolean("escape"),
               v.boolean("suffix")};
    } else if (spec.name == "nmt-nfkc" && &text == &parts.normalizers.front()) {
      rules.map = nmt_nfkc_charsmap();
    } else if (spec.name == "prepend" && v.text("text") == kSpaceMark) {
      rules.dummy_prefix = true;
    } else if (spec.name == "replace" && v.text("from") == " " && v.text("to") == kSpaceMark) {
      rules.escape = true;
    } else if (spec.name == "metaspace" && v.text("prepend") == "never") {
      rules.escape = true;
    } else {
      throw cannot(format, "the normalizer of SentencePiece", text);
    }
  }
  return rules;
}

int32_t id_of(const TokenizerParts& parts, const std::string& content) {
  if (content.empty()) return -1;
  auto found = std::find(parts.tokens.begin(), parts.tokens.end(), content);
  return found == parts.tokens.end() ? -1 : static_cast<int32_t>(found - parts.tokens.begin());
}

TokenType type_of(const TokenizerParts& parts, size_t id) {
  if (id < parts.types.size()) return parts.types[id];
  for (auto& token : parts.added)
    if (token.id == static_cast<int32_t>(id)) {
      if (token.content == parts.unk) return TokenType::unknown;
      return token.special ? TokenType::control : TokenType::user_defined;
    }
  const std::string& t = parts.tokens[id];
  bool byte = parts.byte_fallback && t.size() == 6 && t.starts_with("<0x") && t.ends_with('>');
  return byte ? TokenType::byte : TokenType::normal;
}

// Where merges have an order but tokens no scores: the rank of a token's first merge, negated, as SentencePiece does.
std::vector<float> scores_of(const TokenizerParts& parts) {
  if (!parts.scores.empty()) return parts.scores;
  std::vector<float> scores(parts.tokens.size(), 0);
  for (size_t rank = parts.merges.size(); rank-- > 0;)
    scores[static_cast<size_t>(parts.merges[rank].result)] = -static_cast<float>(rank);
  return scores;
}

void check_pieces(const TokenizerParts& parts, const std::string& format) {
  if (parts.symbols != TokenizerParts::Symbols::characters || parts.model == ModelKind::wordpiece)
    throw cannot(format, "Unigram or BPE on characters", "another model");
  if (parts.pretokenizer != "none" && parts.pretokenizer != "metaspace")
    throw cannot(format, "no pre-tokenizer but metaspace", parts.pretokenizer);
  if (!parts.word_prefix.empty() || !parts.word_suffix.empty()) throw cannot(format, "no prefix or suffix", "one");
  if (!parts.unk.empty() && !parts.fuse_unk && !parts.byte_fallback)
    throw cannot(format, "unknown neighbours to be one token", "one for each character");
  if (parts.model != ModelKind::bpe || !parts.scores.empty()) return;
  // The merges that the reader will find must be those of the list, in its order.
  TokenizerParts copy = parts;
  copy.scores = scores_of(parts);
  auto derived = merges_of_scores(copy, "the tokenizer");
  auto key = [](const Merge& m) { return std::array<int32_t, 3>{m.result, m.left, m.right}; };
  auto less = [&](const Merge& a, const Merge& b) { return key(a) < key(b); };
  auto listed = parts.merges;
  std::sort(derived.begin(), derived.end(), less);
  std::sort(listed.begin(), listed.end(), less);
  if (derived != listed)
    throw cannot(format, "every two tokens that spell a third to be merged", "a shorter list of merges");
}

}  // namespace

std::string write_sentencepiece(const TokenizerParts& parts) {
  const std::string format = "a SentencePiece model";
  check_pieces(parts, format);
  Rules rules = rules_of(parts, format);
  auto scores = scores_of(parts);
  WireWriter model;
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    if (parts.tokens[id].empty()) throw cannot(format, "a token for every id", "none for " + std::to_string(id));
    WireWriter piece;
    piece.bytes(1, parts.tokens[id]);
    piece.real(2, scores[id]);
    if (TokenType type = type_of(parts, id); type != TokenType::normal) piece.integer(3, static_cast<uint64_t>(type));
    model.bytes(1, piece.str());
  }
  WireWriter trainer, normalizer;
  trainer.integer(3, parts.model == ModelKind::unigram ? 1 : parts.merges.empty() ? 4 : 2);
  trainer.integer(4, parts.tokens.size());
  trainer.integer(24, rules.suffix);
  trainer.integer(35, parts.byte_fallback);
  auto role = [&](uint32_t field, const std::string& content, uint32_t spelled) {
    trainer.integer(field, static_cast<uint64_t>(int64_t{id_of(parts, content)}));
    if (!content.empty()) trainer.bytes(spelled, content);
  };
  role(40, parts.unk, 45);
  role(41, parts.bos, 46);
  role(42, parts.eos, 47);
  role(43, parts.pad, 48);
  normalizer.bytes(1, rules.map.empty() ? "identity" : "user_defined");
  normalizer.bytes(2, rules.map);
  normalizer.integer(3, rules.dummy_prefix);
  normalizer.integer(4, rules.remove_extra);
  normalizer.integer(5, rules.escape);
  model.bytes(2, trainer.str());
  model.bytes(3, normalizer.str());
  return model.str();
}

std::string write_gguf_tokenizer(const TokenizerParts& parts) {
  const std::string format = "GGUF metadata", key = "tokenizer.ggml.";
  GgufMetadata m;
  auto set = [&](const std::string& name, auto value) {
    m.entries.emplace_back(key + name, formats::GgufValue{std::move(value)});
  };
  m.entries.emplace_back("general.architecture", formats::GgufValue{std::string("llama")});
  std::vector<std::string> tokens = parts.tokens;
  std::vector<int64_t> types;
  for (size_t id = 0; id < tokens.size(); ++id) types.push_back(static_cast<int64_t>(type_of(parts, id)));
  if (parts.model == ModelKind::wordpiece) {
    set("model", std::string("bert"));
    for (size_t id = 0; id < tokens.size(); ++id) {
      if (types[id] != 1 || tokens[id].empty()) continue;
      if (tokens[id].starts_with(parts.word_prefix))
        tokens[id].erase(0, parts.word_prefix.size());
      else
        tokens[id].insert(0, kSpaceMark);
    }
  } else if (parts.symbols == TokenizerParts::Symbols::bytes) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kPre{{{"gpt2", "gpt-2"},
                                                                                        {"llama3", "llama-bpe"},
                                                                                        {"qwen2", "qwen2"},
                                                                                        {"o200k", "gpt-4o"},
                                                                                        {"deepseek", "deepseek-v3"}}};
    auto pre = std::find_if(kPre.begin(), kPre.end(), [&](auto& p) { return p.first == parts.pretokenizer; });
    if (pre == kPre.end())
      throw cannot(format, "gpt2, llama3, qwen2, o200k or deepseek as pre-tokenizer", parts.pretokenizer);
    set("model", std::string("gpt2"));
    set("pre", std::string(pre->second));
    for (size_t id = 0; id < tokens.size(); ++id)
      if (types[id] == 1) tokens[id] = spell_bytes(tokens[id]);
    std::vector<std::string> merges;
    for (auto& merge : parts.merges)
      merges.push_back(spell_bytes(parts.tokens[static_cast<size_t>(merge.left)]) + " " +
                       spell_bytes(parts.tokens[static_cast<size_t>(merge.right)]));
    set("merges", std::move(merges));
  } else {
    check_pieces(parts, format);
    Rules rules = rules_of(parts, format);
    if (!rules.escape) throw cannot(format, "the mark for a space", "the space itself");
    set("model", std::string(parts.model == ModelKind::unigram ? "t5" : "llama"));
    auto scores = scores_of(parts);
    set("scores", std::vector<double>(scores.begin(), scores.end()));
    set("add_space_prefix", rules.dummy_prefix);
    set("remove_extra_whitespaces", rules.remove_extra);
    std::vector<int64_t> map;
    for (char c : rules.map) map.push_back(static_cast<unsigned char>(c));
    if (!map.empty()) set("precompiled_charsmap", std::move(map));
  }
  set("tokens", std::move(tokens));
  set("token_type", std::move(types));
  auto role = [&](const char* name, const std::string& content) {
    if (int32_t id = id_of(parts, content); id >= 0) set(name, int64_t{id});
  };
  role("bos_token_id", parts.bos);
  role("eos_token_id", parts.eos);
  role("unknown_token_id", parts.unk);
  role("padding_token_id", parts.pad);
  if (parts.model == ModelKind::wordpiece) {
    if (parts.prefix.size() == 1) set("cls_token_id", int64_t{parts.prefix[0]});
    if (parts.suffix.size() == 1) set("seperator_token_id", int64_t{parts.suffix[0]});  // the spelling is ggml's
  } else {
    set("add_bos_token", !parts.prefix.empty());
    set("add_eos_token", !parts.suffix.empty());
  }
  if (!parts.chat_template.empty())
    m.entries.emplace_back("tokenizer.chat_template", formats::GgufValue{parts.chat_template});
  return formats::write_gguf_metadata(m);
}

}  // namespace llmkit::tokenizer
