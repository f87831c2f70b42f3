#include <algorithm>
#include <optional>

#include "base/error.h"
#include "tokenizer/json_pipeline.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/pretokenizer.h"

namespace llmkit::tokenizer {
namespace {

using formats::Json;

std::string type_of(const Json* json) {
  return !json || json->is_null() ? "null" : json->get_string("type", "object");
}

void require_false(const Json& parent, std::string_view key) {
  if (parent.get_bool(key, false)) unsupported(parent, key, "true", "false");
}

// The steps of a Sequence, or the one there is.
std::vector<const Json*> steps_of(const Json* json, std::string_view list) {
  std::vector<const Json*> out;
  if (!json || json->is_null()) return out;
  if (type_of(json) != "Sequence") return {json};
  for (auto& step : json->get_array(list))
    for (const Json* inner : steps_of(&step, list)) out.push_back(inner);
  return out;
}

std::string quoted(const Json& parent, std::string_view key, const std::string& value) {
  if (value.find('"') != std::string::npos)
    unsupported(parent, key, formats::write_json(Json(value)), "no quotation mark");
  return "\"" + value + "\"";
}

constexpr std::string_view kRules = "sentencepiece:dummy-prefix=false,remove-extra=false,escape=false,map=";

bool is_collapse(const Json& step) {
  if (type_of(&step) != "Replace") return false;
  const Json* regex = step.at("pattern").find("Regex");
  if (!regex || regex->as_string() != " {2,}") return false;
  std::string content = step.get_string("content");
  return content == " " || content == kSpaceMark;
}

// The registry's entry whose tokenizer.json form is this one.
std::string known_normalizer(const Json& step) {
  std::string written = formats::write_json(step);
  for (auto& entry : normalizers().entries()) {
    std::string json = normalizers().make(entry.name)->hugging_face_json();
    if (!json.empty() && formats::write_json(formats::parse_json(json, entry.name)) == written)
      return std::string(entry.name);
  }
  return {};
}

std::string bert_spec(const Json& step) {
  auto flag = [&](std::string_view key, bool fallback) {
    return std::string(step.get_bool(key, fallback) ? "true" : "false");
  };
  bool lowercase = step.get_bool("lowercase", true);
  return "bert:clean-text=" + flag("clean_text", true) + ",chinese=" + flag("handle_chinese_chars", true) +
         ",strip-accents=" + flag("strip_accents", lowercase) + ",lowercase=" + flag("lowercase", true);
}

void read_normalizer(const Json& root, TokenizerParts& parts) {
  for (const Json* step : steps_of(root.find("normalizer"), "normalizers")) {
    std::string type = type_of(step);
    if (type == "Precompiled") {
      parts.normalizers.push_back(std::string(kRules) +
                                  quoted(*step, "precompiled_charsmap", step->get_string("precompiled_charsmap")));
    } else if (is_collapse(*step)) {
      parts.normalizers.push_back("collapse-spaces:to=\"" + step->get_string("content") + "\"");
    } else if (type == "Strip") {
      auto side = [&](std::string_view key) { return step->get_bool(key, true) ? "true" : "false"; };
      parts.normalizers.push_back(std::string("strip:left=") + side("strip_left") + ",right=" + side("strip_right"));
    } else if (type == "Prepend") {
      parts.normalizers.push_back("prepend:text=" + quoted(*step, "prepend", step->get_string("prepend")));
    } else if (type == "Replace" && step->at("pattern").has("String")) {
      parts.normalizers.push_back("replace:from=" + quoted(*step, "pattern", step->at("pattern").get_string("String")) +
                                  ",to=" + quoted(*step, "content", step->get_string("content")));
    } else if (type == "BertNormalizer") {
      parts.normalizers.push_back(bert_spec(*step));
    } else if (std::string known = known_normalizer(*step); !known.empty()) {
      parts.normalizers.push_back(known);
    } else {
      unsupported(root, "normalizer", type, "a normalizer that llmkit help normalizers lists");
    }
  }
}

// The last step of a byte-level pre-tokenizer; whether it also cuts as GPT-2 does.
bool byte_level_cuts(const Json& step) {
  require_false(step, "add_prefix_space");
  return step.get_bool("use_regex", true);
}

std::string known_pretokenizer(const Json& json) {
  std::string written = formats::write_json(json);
  for (auto& entry : pretokenizers().entries()) {
    std::string_view known = pretokenizers().make(entry.name)->hugging_face_json();
    if (!known.empty() && known != "null" && formats::write_json(formats::parse_json(known, entry.name)) == written)
      return std::string(entry.name);
  }
  return {};
}

// Whether the last normalizers are SentencePiece's rules and, behind them, steps for spaces alone: those are taken off
// and the rules returned. The rules leave no white space but spaces.
std::optional<std::string> take_rules(std::vector<std::string>& steps, bool per_word) {
  constexpr std::string_view kStrip = "strip:left=false,right=true", kCollapse = "collapse-spaces:";
  auto end = steps.end();
  bool collapse = end != steps.begin() && end[-1].starts_with(kCollapse);
  if (collapse) --end;
  bool strip = end != steps.begin() && end[-1] == kStrip;
  if (strip) --end;
  if (!per_word && !(collapse && strip)) return std::nullopt;
  if (end == steps.begin() || !end[-1].starts_with(kRules)) {
    // As the normalizer without rules is written here: only white space at the end that is no space tells them apart.
    if (per_word || end != steps.begin() || end[1] != "collapse-spaces:to=\"▁\"") return std::nullopt;
    steps.clear();
    return "\"\"";
  }
  std::string map = end[-1].substr(kRules.size());
  steps.erase(end - 1, steps.end());
  return map;
}

// The marks are made by a normalizer here. Steps that do together what SentencePiece does become one that is fast, but
// only where no added token is looked for behind them, as such a token is a border of segments.
void read_metaspace(const Json& step, bool per_word, TokenizerParts& parts) {
  if (step.get_string("replacement", std::string(kSpaceMark)) != kSpaceMark)
    unsupported(step, "replacement", step.get_string("replacement"), std::string(kSpaceMark));
  std::string scheme = step.get_string("prepend_scheme", step.get_bool("add_prefix_space", true) ? "always" : "never");
  parts.pretokenizer = step.get_bool("split", true) ? "metaspace" : "none";
  if (per_word && scheme != "always") unsupported(step, "prepend_scheme", scheme, "always, behind WhitespaceSplit");
  bool late = std::any_of(parts.added.begin(), parts.added.end(), [](auto& token) { return token.normalized; });
  auto map = scheme == "always" ? take_rules(parts.normalizers, per_word) : std::nullopt;
  if (per_word && !map)
    unsupported(step, "type", "WhitespaceSplit, Metaspace", "a Precompiled normalizer before WhitespaceSplit");
  if (map && !late) {
    parts.normalizers.push_back("sentencepiece:remove-extra=true,escape=true,dummy-prefix=true,map=" + *map);
    return;
  }
  if (map) {
    parts.normalizers.push_back(std::string(kRules) + *map);
    parts.normalizers.push_back(per_word ? "strip:left=true,right=true" : "strip:left=false,right=true");
    parts.normalizers.push_back("collapse-spaces");
  }
  parts.normalizers.push_back("metaspace:prepend=" + scheme);
}

bool cuts_at_no_space(const Json& step, const TokenizerParts& parts) {
  return type_of(&step) == "Split" && step.at("pattern").get_string("String", "") == " " &&
         !parts.normalizers.empty() && parts.normalizers.back() == "replace:from=\" \",to=\"▁\"" &&
         !step.get_bool("invert", false);
}

void read_pretokenizer(const Json& root, TokenizerParts& parts) {
  const Json* pre = root.find("pre_tokenizer");
  constexpr std::string_view kKnown = "ByteLevel, a Split or Digits before it, Metaspace, BertPreTokenizer or null";
  auto steps = steps_of(pre, "pretokenizers");
  parts.symbols = TokenizerParts::Symbols::characters;
  bool metaspace = !steps.empty() && type_of(steps.back()) == "Metaspace";
  if (steps.empty()) {
    parts.pretokenizer = "none";
    return;
  }
  // Gemma cuts at spaces of which its normalizer has left none.
  if (steps.size() == 1 && cuts_at_no_space(*steps[0], parts)) {
    parts.pretokenizer = "none";
    return;
  }
  if (metaspace && steps.size() == 1) return read_metaspace(*steps[0], false, parts);
  if (metaspace && steps.size() == 2 && type_of(steps[0]) == "WhitespaceSplit")
    return read_metaspace(*steps[1], true, parts);
  if (type_of(steps.back()) == "ByteLevel") parts.symbols = TokenizerParts::Symbols::bytes;
  parts.pretokenizer = known_pretokenizer(*pre);
  if (!parts.pretokenizer.empty()) return;
  if (parts.symbols == TokenizerParts::Symbols::characters) {
    if (steps.size() == 1) parts.pretokenizer = known_pretokenizer(*steps[0]);
    if (!parts.pretokenizer.empty()) return;
    unsupported(root, "pre_tokenizer", type_of(steps[0]), std::string(kKnown));
  }
  // The same pieces written in other ways.
  bool cuts = byte_level_cuts(*steps.back());
  if (steps.size() == 1) {
    parts.pretokenizer = cuts ? "gpt2" : "none";
    return;
  }
  if (steps.size() == 2 && type_of(steps[0]) == "Digits" && steps[0]->get_bool("individual_digits") && cuts) {
    parts.pretokenizer = "digits";
    return;
  }
  std::string patterns, found;
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    found += (found.empty() ? "" : ", ") + type_of(steps[i]);
    if (type_of(steps[i]) != "Split" || cuts) continue;
    require_false(*steps[i], "invert");
    if (std::string behavior = steps[i]->get_string("behavior"); behavior != "Isolated")
      unsupported(*steps[i], "behavior", behavior, "Isolated");
    patterns += (patterns.empty() ? "" : "\n") + steps[i]->at("pattern").get_string("Regex");
  }
  if (patterns.empty()) unsupported(root, "pre_tokenizer", found + ", ByteLevel", std::string(kKnown));
  parts.pretokenizer = pretokenizer_of_pattern(patterns);
  if (parts.pretokenizer.empty())
    unsupported(root, "pre_tokenizer", patterns, "a pattern of llmkit help pretokenizers");
}

void read_decoder(const Json& root, TokenizerParts& parts) {
  for (const Json* step : steps_of(root.find("decoder"), "decoders")) {
    std::string type = type_of(step);
    if (type == "Metaspace") {
      parts.joining = Joining::metaspace;
      parts.drop_first_space =
          step->get_string("prepend_scheme", step->get_bool("add_prefix_space", true) ? "always" : "never") != "never";
    } else if (type == "WordPiece") {
      parts.joining = Joining::wordpiece;
      parts.clean_up = step->get_bool("cleanup", true);
    } else if (type == "BPEDecoder") {
      parts.joining = Joining::suffix;
    } else if (type == "Replace") {
      if (step->at("pattern").get_string("String", "") == kSpaceMark) parts.joining = Joining::metaspace;
    } else if (type == "Strip") {
      parts.drop_first_space = step->get_int("start", 0) > 0;
    } else if (type != "ByteLevel" && type != "ByteFallback" && type != "Fuse") {
      unsupported(root, "decoder", type,
                  "ByteLevel, Metaspace, WordPiece, BPEDecoder, Replace, ByteFallback, Fuse or Strip");
    }
  }
}

void put_id(const Json& processor, std::string_view key, int64_t id, TokenizerParts& parts, std::vector<int32_t>& out) {
  if (id < 0 || id >= static_cast<int64_t>(parts.tokens.size()))
    throw Error(ErrorParts{
        "a template names a token that is not in the vocabulary", processor.path(key), {}, std::to_string(id), {}});
  out.push_back(static_cast<int32_t>(id));
}

// The special tokens around "A" in a TemplateProcessing; one in a Sequence of processors counts too.
void read_post_processor(const Json& processor, TokenizerParts& parts) {
  std::string type = type_of(&processor);
  if (type == "TemplateProcessing") {
    bool behind = false;
    for (auto& piece : processor.get_array("single")) {
      if (piece.has("Sequence")) {
        behind = true;
        continue;
      }
      std::string name = piece.at("SpecialToken").get_string("id");
      for (auto& id : processor.at("special_tokens").at(name).get_array("ids"))
        put_id(processor, "special_tokens", id.as_int(processor.path("special_tokens")), parts,
               behind ? parts.suffix : parts.prefix);
    }
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    for (auto [key, list] : {std::pair{"cls", &parts.prefix}, std::pair{"sep", &parts.suffix}}) {
      auto& pair = processor.get_array(key);
      if (pair.size() != 2) unsupported(processor, key, formats::write_json(processor.at(key)), "a token and its id");
      put_id(processor, key, pair[1].as_int(processor.path(key)), parts, *list);
    }
  } else if (type != "ByteLevel") {
    throw Error(ErrorParts{"this post-processor is not supported",
                           {},
                           "ByteLevel, TemplateProcessing, BertProcessing or RobertaProcessing",
                           type,
                           {}});
  }
}

}  // namespace

void unsupported(const Json& parent, std::string_view key, std::string found, std::string expected) {
  throw Error(ErrorParts{
      "this kind of tokenizer is not supported", parent.path(key), std::move(expected), std::move(found), {}});
}

void require_null(const Json& parent, std::string_view key) {
  const Json* value = parent.find(key);
  if (!value || value->is_null() || (value->is_string() && value->as_string().empty())) return;
  unsupported(parent, key, value->is_object() ? value->get_string("type", "object") : formats::write_json(*value),
              "null");
}

void read_text_steps(const Json& root, TokenizerParts& parts) {
  read_normalizer(root, parts);
  read_pretokenizer(root, parts);
}

void read_id_steps(const Json& root, TokenizerParts& parts) {
  read_decoder(root, parts);
  for (const Json* step : steps_of(root.find("post_processor"), "processors")) read_post_processor(*step, parts);
}

}  // namespace llmkit::tokenizer
