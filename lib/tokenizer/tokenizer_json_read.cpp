#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "formats/json.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/json_pipeline.h"
#include "tokenizer/tokenizer_formats.h"
#include "tokenizer/tokenizer_json.h"

namespace llmkit::tokenizer {
namespace {

using formats::Json;

// Ids come from the file: one far beyond the number of tokens must not cost memory.
int64_t id_limit(const Json& root) {
  const Json* added = root.find("added_tokens");
  return static_cast<int64_t>(2 * (root.at("model").at("vocab").size() + (added ? added->size() : 0)) + 65536);
}

void read_added(const Json& root, int64_t limit, TokenizerParts& parts) {
  const Json* list = root.find("added_tokens");
  if (!list || list->is_null()) return;
  for (auto& json : list->as_array(root.path("added_tokens"))) {
    AddedToken token;
    token.content = json.get_string("content");
    token.special = json.get_bool("special", false);
    token.single_word = json.get_bool("single_word", false);
    token.lstrip = json.get_bool("lstrip", false);
    token.rstrip = json.get_bool("rstrip", false);
    token.normalized = json.get_bool("normalized", !token.special);
    int64_t id = json.get_int("id");
    if (token.content.empty()) continue;
    put_token(parts.tokens, id, token.content, limit, root.path("added_tokens"));
    token.id = static_cast<int32_t>(id);
    parts.added.push_back(std::move(token));
  }
  std::stable_sort(parts.added.begin(), parts.added.end(), [](auto& a, auto& b) { return a.id < b.id; });
}

// "left right" or ["left", "right"].
std::pair<std::string, std::string> merge_parts(const Json& merge, const std::string& where) {
  if (merge.is_string()) {
    const std::string& text = merge.as_string();
    size_t space = text.find(' ');
    if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos)
      return {text.substr(0, space), text.substr(space + 1)};
  } else if (merge.is_array() && merge.size() == 2) {
    return {merge.as_array()[0].as_string(where), merge.as_array()[1].as_string(where)};
  }
  throw Error(ErrorParts{"not a merge", where, "two tokens", formats::write_json(merge), {}});
}

// {"token": id}; returns the spellings by id.
std::vector<std::string> read_vocabulary(const Json& model, int64_t limit, TokenizerParts& parts) {
  std::vector<bool> is_added(parts.tokens.size());
  for (auto& token : parts.added) is_added[static_cast<size_t>(token.id)] = true;
  std::string where = model.path("vocab");
  std::vector<std::string> spellings;
  for (auto& [spelled, value] : model.at("vocab").as_object(where).members) {
    int64_t id = value.as_int(where);
    bool added = id >= 0 && id < static_cast<int64_t>(is_added.size()) && is_added[static_cast<size_t>(id)];
    std::optional<std::string> bytes;
    if (parts.symbols == TokenizerParts::Symbols::bytes) bytes = unspell_bytes(spelled);
    // An added token "é" that is the symbol of a byte, too, stays that byte.
    if (added && bytes && bytes->size() == 1 && parts.tokens[static_cast<size_t>(id)] == spelled)
      parts.tokens[static_cast<size_t>(id)].clear();
    else if (added)
      bytes.reset();
    put_token(parts.tokens, id, bytes.value_or(spelled), limit, where);
    if (spellings.size() < parts.tokens.size()) spellings.resize(parts.tokens.size());
    spellings[static_cast<size_t>(id)] = spelled;
  }
  spellings.resize(parts.tokens.size());
  return spellings;
}

void read_bpe(const Json& model, int64_t limit, TokenizerParts& parts) {
  if (model.get_real("dropout", 0) != 0) require_null(model, "dropout");
  parts.word_prefix = model.get_string("continuing_subword_prefix", "");
  parts.word_suffix = model.get_string("end_of_word_suffix", "");
  parts.ignore_merges = model.get_bool("ignore_merges", false);
  parts.byte_fallback = model.get_bool("byte_fallback", false);
  parts.fuse_unk = model.get_bool("fuse_unk", false);
  auto spellings = read_vocabulary(model, limit, parts);
  std::vector<std::pair<std::string, std::string>> merges;
  for (auto& merge : model.get_array("merges")) merges.push_back(merge_parts(merge, model.path("merges")));
  parts.merges = merges_of_spellings(parts, merges, spellings, model.path("merges"));
}

void read_wordpiece(const Json& model, int64_t limit, TokenizerParts& parts) {
  parts.model = ModelKind::wordpiece;
  parts.word_prefix = model.get_string("continuing_subword_prefix", "##");
  int64_t most = model.get_int("max_input_chars_per_word", 100);
  if (most < 1 || most > 1'000'000)
    unsupported(model, "max_input_chars_per_word", std::to_string(most), "1 to 1000000");
  parts.max_word_characters = static_cast<int32_t>(most);
  read_vocabulary(model, limit, parts);
}

// [["token", score], …] in the order of ids.
void read_unigram(const Json& model, int64_t limit, TokenizerParts& parts) {
  parts.model = ModelKind::unigram;
  parts.byte_fallback = model.get_bool("byte_fallback", false);
  parts.fuse_unk = true;
  std::string where = model.path("vocab");
  for (auto& entry : model.get_array("vocab")) {
    if (entry.as_array(where).size() != 2)
      throw Error(
          ErrorParts{"not a token of a Unigram model", where, "a text and a score", formats::write_json(entry), {}});
    auto id = static_cast<int64_t>(parts.scores.size());
    put_token(parts.tokens, id, entry.as_array()[0].as_string(where), limit, where);
    double score = entry.as_array()[1].as_real(where);
    if (!std::isfinite(score)) throw Error(ErrorParts{"a score is not finite", where, {}, {}, {}});
    parts.scores.push_back(static_cast<float>(score));
  }
  parts.scores.resize(parts.tokens.size());
  const Json* unk = model.find("unk_id");
  if (!unk || unk->is_null()) return;
  int64_t id = unk->as_int(model.path("unk_id"));
  if (id < 0 || id >= static_cast<int64_t>(parts.tokens.size()))
    unsupported(model, "unk_id", std::to_string(id), "an id of the vocabulary");
  parts.unk = parts.tokens[static_cast<size_t>(id)];
}

void read_model(const Json& root, int64_t limit, TokenizerParts& parts) {
  const Json& model = root.at("model");
  // Old files name no type: a BPE model is the one with merges.
  std::string type = model.get_string("type", model.has("merges")   ? "BPE"
                                              : model.has("unk_id") ? "Unigram"
                                                                    : "WordPiece");
  parts.unk = type == "Unigram" ? std::string() : model.get_string("unk_token", "");
  if (type == "BPE")
    read_bpe(model, limit, parts);
  else if (type == "WordPiece")
    read_wordpiece(model, limit, parts);
  else if (type == "Unigram")
    read_unigram(model, limit, parts);
  else
    unsupported(model, "type", type, "BPE, WordPiece or Unigram");
}

}  // namespace

TokenizerParts parse_tokenizer_json(std::string_view json, std::string_view where) {
  Json root = formats::parse_json(json, where, {.refuse_duplicate_keys = true});
  TokenizerParts parts;
  int64_t limit = id_limit(root);
  read_added(root, limit, parts);
  read_text_steps(root, parts);
  read_model(root, limit, parts);
  read_id_steps(root, parts);
  for (const char* key : {"truncation", "padding"})
    if (const Json* value = root.find(key); value && !value->is_null())
      log::warning(std::string(where) + ": its " + key + " is passed over: texts are encoded whole");
  return parts;
}

TokenizerParts parse_vocab_and_merges(std::string_view vocab_json, std::string_view merges, std::string_view where) {
  Json model = Json::object();
  model.set("vocab", formats::parse_json(vocab_json, where, {.refuse_duplicate_keys = true}));
  TokenizerParts parts;
  auto limit = static_cast<int64_t>(2 * model.at("vocab").size() + 65536);
  // Byte-level if every spelling is made of the byte alphabet.
  for (auto& [spelled, value] : model.at("vocab").as_object(where).members)
    if (!unspell_bytes(spelled)) parts.symbols = TokenizerParts::Symbols::characters;
  bool bytes = parts.symbols == TokenizerParts::Symbols::bytes;
  parts.pretokenizer = bytes ? "gpt2" : "none";
  auto spellings = read_vocabulary(model, limit, parts);
  std::vector<std::pair<std::string, std::string>> pairs;
  size_t number = 0;
  for (size_t at = 0; at < merges.size();) {
    size_t end = std::min(merges.find('\n', at), merges.size());
    std::string_view line = merges.substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos)
      throw Error(ErrorParts{"not a merge",
                             std::string(where) + ", merge line " + std::to_string(number),
                             "two tokens",
                             "'" + printable(line) + "'",
                             {}});
    pairs.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  for (auto& [left, right] : pairs)
    if (!bytes && (left.ends_with("</w>") || right.ends_with("</w>"))) parts.word_suffix = "</w>";
  if (!parts.word_suffix.empty()) {
    parts.joining = Joining::suffix;
    parts.pretokenizer = "whitespace";
  }
  parts.merges = merges_of_spellings(parts, pairs, spellings, where);
  for (std::string_view name : {"<|endoftext|>", "<unk>", "<s>", "</s>", "<pad>"}) {
    auto found = std::find(parts.tokens.begin(), parts.tokens.end(), name);
    if (found == parts.tokens.end()) continue;
    AddedToken token;
    token.content = name;
    parts.add(token);
    if (name == "<unk>") parts.unk = name;
    if (name == "<|endoftext|>" || name == "</s>") parts.eos = name;
    if (name == "<s>") parts.bos = name;
    if (name == "<pad>") parts.pad = name;
  }
  return parts;
}

void parse_tokenizer_config(std::string_view json, std::string_view where, TokenizerParts& parts) {
  Json root = formats::parse_json(json, where);
  auto role = [&](std::string_view key, std::string& content) {
    const Json* value = root.find(key);
    if (!value || value->is_null()) return;
    content = value->is_object() ? value->get_string("content") : value->as_string(root.path(key));
  };
  role("bos_token", parts.bos);
  role("eos_token", parts.eos);
  role("pad_token", parts.pad);
  std::string unk = parts.unk;
  role("unk_token", unk);
  // Which token stands for the unknown, the model says; here are names for those that use them.
  if (parts.unk.empty() && parts.model == ModelKind::bpe) parts.unk = unk;
  if (const Json* chat = root.find("chat_template"); chat && chat->is_string()) {
    parts.chat_template = chat->as_string();
  } else if (chat && chat->is_array()) {  // several named ones
    for (auto& named : chat->as_array())
      if (named.get_string("name") == "default") parts.chat_template = named.get_string("template");
  }
  const Json* length = root.find("model_max_length");  // 1e30 stands for "any"
  if (length && length->is_number() && length->as_real() < 1e12)
    parts.max_length = static_cast<int64_t>(length->as_real());
}

}  // namespace llmkit::tokenizer
