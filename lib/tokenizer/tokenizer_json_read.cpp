#include <algorithm>
#include <unordered_map>

#include "formats/json.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/tokenizer_json.h"

namespace llmkit::tokenizer {
namespace {

using formats::Json;

[[noreturn]] void unsupported(const Json& parent, std::string_view key, std::string found, std::string expected) {
  throw Error(ErrorParts{
      "this kind of tokenizer is not supported", parent.path(key), std::move(expected), std::move(found), {}});
}

std::string type_of(const Json* json) {
  return !json || json->is_null() ? "null" : json->get_string("type", "object");
}

void require_null(const Json& parent, std::string_view key) {
  const Json* value = parent.find(key);
  if (!value || value->is_null() || (value->is_string() && value->as_string().empty())) return;
  unsupported(parent, key, value->is_object() ? value->get_string("type", "object") : formats::write_json(*value),
              "null");
}

void require_false(const Json& parent, std::string_view key) {
  if (parent.get_bool(key, false)) unsupported(parent, key, "true", "false");
}

// The last step of a byte-level pre-tokenizer; whether it also cuts as GPT-2 does.
bool byte_level_cuts(const Json& step) {
  require_false(step, "add_prefix_space");
  return step.get_bool("use_regex", true);
}

void read_pretokenizer(const Json& root, TokenizerParts& parts) {
  const Json* pre = root.find("pre_tokenizer");
  std::string type = type_of(pre);
  constexpr std::string_view kKnown = "ByteLevel, a Split or Digits before it, or null with a character vocabulary";
  if (type == "null") {
    parts.symbols = TokenizerParts::Symbols::characters;
    parts.pretokenizer = "none";
    return;
  }
  if (type == "ByteLevel") {
    parts.pretokenizer = byte_level_cuts(*pre) ? "gpt2" : "none";
    return;
  }
  if (type != "Sequence") unsupported(root, "pre_tokenizer", type, std::string(kKnown));
  auto& steps = pre->get_array("pretokenizers");
  if (steps.size() == 1 && type_of(&steps[0]) == "ByteLevel") {
    parts.pretokenizer = byte_level_cuts(steps[0]) ? "gpt2" : "none";
    return;
  }
  if (steps.size() != 2 || type_of(&steps[1]) != "ByteLevel") {
    std::string found;
    for (auto& step : steps) found += (found.empty() ? "" : ", ") + type_of(&step);
    unsupported(*pre, "pretokenizers", found, std::string(kKnown));
  }
  bool cuts = byte_level_cuts(steps[1]);
  if (type_of(&steps[0]) == "Digits" && steps[0].get_bool("individual_digits") && cuts) {
    parts.pretokenizer = "digits";
  } else if (type_of(&steps[0]) == "Split" && !cuts) {
    require_false(steps[0], "invert");
    if (steps[0].get_string("behavior") != "Isolated")
      unsupported(steps[0], "behavior", steps[0].get_string("behavior"), "Isolated");
    std::string pattern = steps[0].at("pattern").get_string("Regex");
    parts.pretokenizer = pretokenizer_of_pattern(pattern);
    if (parts.pretokenizer.empty())
      unsupported(steps[0], "pattern", pattern, "the pattern of gpt2, llama3 (cl100k) or qwen2");
  } else {
    unsupported(*pre, "pretokenizers", type_of(&steps[0]), std::string(kKnown));
  }
}

// Ids come from the file: one far beyond the number of tokens must not cost memory.
int64_t id_limit(const Json& root) {
  const Json* added = root.find("added_tokens");
  return static_cast<int64_t>(2 * (root.at("model").at("vocab").size() + (added ? added->size() : 0)) + 65536);
}

void put_token(TokenizerParts& parts, int64_t id, std::string bytes, int64_t limit, std::string_view where) {
  if (id < 0 || id >= limit) {
    throw Error(ErrorParts{"a token id is out of range",
                           std::string(where),
                           "0 to " + std::to_string(limit - 1),
                           std::to_string(id) + " for '" + bytes + "'",
                           {}});
  }
  if (parts.tokens.size() <= static_cast<size_t>(id)) parts.tokens.resize(static_cast<size_t>(id) + 1);
  std::string& slot = parts.tokens[static_cast<size_t>(id)];
  if (!slot.empty() && slot != bytes) {
    throw Error(ErrorParts{"two tokens have one id",
                           std::string(where),
                           {},
                           std::to_string(id) + " for '" + slot + "' and '" + bytes + "'",
                           {}});
  }
  slot = std::move(bytes);
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
    put_token(parts, id, token.content, limit, root.path("added_tokens"));
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

void read_model(const Json& root, int64_t limit, TokenizerParts& parts) {
  const Json& model = root.at("model");
  // Old files name no type: a BPE model is the one with merges.
  std::string type = model.get_string("type", model.has("merges") ? "BPE" : "unknown");
  if (type != "BPE") unsupported(model, "type", type, "BPE");
  for (auto key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) require_null(model, key);
  require_false(model, "byte_fallback");
  parts.ignore_merges = model.get_bool("ignore_merges", false);
  parts.unk = model.get_string("unk_token", "");

  std::vector<bool> is_added(parts.tokens.size());
  for (auto& token : parts.added) is_added[static_cast<size_t>(token.id)] = true;
  auto& vocab = model.at("vocab").as_object(model.path("vocab"));
  std::unordered_map<std::string_view, int32_t> ids;
  ids.reserve(vocab.members.size());
  for (auto& [spelled, value] : vocab.members) {
    int64_t id = value.as_int(model.path("vocab"));
    bool added = id >= 0 && id < static_cast<int64_t>(is_added.size()) && is_added[static_cast<size_t>(id)];
    std::optional<std::string> bytes;
    if (!added && parts.symbols == TokenizerParts::Symbols::bytes) bytes = unspell_bytes(spelled);
    put_token(parts, id, bytes.value_or(spelled), limit, model.path("vocab"));
    ids.emplace(spelled, static_cast<int32_t>(id));
  }
  std::string where = model.path("merges");
  for (auto& merge : model.get_array("merges")) {
    auto [left, right] = merge_parts(merge, where);
    auto l = ids.find(left), r = ids.find(right);
    std::string whole = left + right;
    auto result = ids.find(whole);
    if (l == ids.end() || r == ids.end() || result == ids.end()) {
      throw Error(ErrorParts{
          "a merge names a token that is not in the vocabulary", where, {}, "'" + left + "' + '" + right + "'", {}});
    }
    parts.merges.push_back({l->second, r->second, result->second});
  }
  if (parts.symbols == TokenizerParts::Symbols::characters && !parts.merges.empty())
    unsupported(root, "pre_tokenizer", "null", "ByteLevel for a model with merges");
}

// The special tokens around "A" in a TemplateProcessing; one in a Sequence of processors counts too.
void read_post_processor(const Json& processor, TokenizerParts& parts) {
  std::string type = type_of(&processor);
  if (type == "Sequence") {
    for (auto& step : processor.get_array("processors")) read_post_processor(step, parts);
  } else if (type == "TemplateProcessing") {
    bool behind = false;
    for (auto& piece : processor.get_array("single")) {
      if (piece.has("Sequence")) {
        behind = true;
        continue;
      }
      std::string name = piece.at("SpecialToken").get_string("id");
      for (auto& id : processor.at("special_tokens").at(name).get_array("ids")) {
        int64_t value = id.as_int(processor.path("special_tokens"));
        if (value < 0 || value >= static_cast<int64_t>(parts.tokens.size()))
          throw Error(ErrorParts{"a template names a token that is not in the vocabulary",
                                 processor.path("special_tokens"),
                                 {},
                                 std::to_string(value),
                                 {}});
        (behind ? parts.suffix : parts.prefix).push_back(static_cast<int32_t>(value));
      }
    }
  } else if (type != "ByteLevel" && type != "null") {
    throw Error(ErrorParts{"this post-processor is not supported", {}, "ByteLevel or TemplateProcessing", type, {}});
  }
}

}  // namespace

TokenizerParts parse_tokenizer_json(std::string_view json, std::string_view where) {
  Json root = formats::parse_json(json, where, {.refuse_duplicate_keys = true});
  TokenizerParts parts;
  require_null(root, "normalizer");
  read_pretokenizer(root, parts);
  int64_t limit = id_limit(root);
  read_added(root, limit, parts);
  read_model(root, limit, parts);
  if (const Json* processor = root.find("post_processor"); processor && !processor->is_null())
    read_post_processor(*processor, parts);
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
  role("unk_token", parts.unk);
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
