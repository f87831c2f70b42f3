#include <unordered_set>

#include "base/error.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/charsmap_rules.h"
#include "tokenizer/json_pipeline.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/pretokenizer.h"

namespace llmkit::tokenizer {
namespace {

constexpr std::string_view kByteLevel =
    R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})";

std::string metaspace_json(std::string_view scheme, bool split) {
  return R"({"type":"Metaspace","replacement":"▁","prepend_scheme":")" + std::string(scheme) + R"(","split":)" +
         (split ? "true}" : "false}");
}

// What a list of normalizers is in tokenizer.json: its own steps, and a Metaspace where marks are made.
struct Steps {
  std::vector<std::string> normalizers;
  std::string metaspace;  // prepend scheme, "" where there is none
};

std::string precompiled(std::string_view base64) {
  return R"({"type":"Precompiled","precompiled_charsmap":")" + std::string(base64) + "\"}";
}

// As the converter of transformers writes SentencePiece's normalizer.
void add_sentencepiece(const Values& v, Steps& steps) {
  if (const std::string& map = v.text("map"); !map.empty()) steps.normalizers.push_back(precompiled(map));
  if (v.boolean("suffix"))
    throw Error(ErrorParts{
        "this tokenizer cannot be written as tokenizer.json", {}, "the space of a word before it", "behind it", {}});
  if (v.boolean("remove-extra")) {
    steps.normalizers.push_back(R"({"type":"Strip","strip_left":false,"strip_right":true})");
    steps.normalizers.push_back(R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁"})");
    if (v.boolean("escape")) steps.metaspace = v.boolean("dummy-prefix") ? "always" : "never";
    return;
  }
  if (v.boolean("dummy-prefix")) steps.normalizers.push_back(R"({"type":"Prepend","prepend":"▁"})");
  if (v.boolean("escape")) steps.normalizers.push_back(R"({"type":"Replace","pattern":{"String":" "},"content":"▁"})");
}

Steps steps_of(const TokenizerParts& parts) {
  Steps steps;
  for (auto& text : parts.normalizers) {
    Spec spec = parse_spec(text);
    auto& entry = normalizers().find(spec.name);
    Values v = resolve(spec, entry, "normalizer");
    if (spec.name == "sentencepiece") {
      add_sentencepiece(v, steps);
    } else if (spec.name == "nmt-nfkc") {
      steps.normalizers.push_back(precompiled(encode_base64(nmt_nfkc_charsmap())));
    } else if (spec.name == "metaspace") {
      steps.metaspace = v.text("prepend");
    } else {
      std::string json = entry.make(v)->hugging_face_json();
      if (json.empty())
        throw Error(ErrorParts{
            "this tokenizer cannot be written as tokenizer.json", {}, "a normalizer that the format knows", text, {}});
      steps.normalizers.push_back(json);
    }
  }
  return steps;
}

// Whether some token reaches over a "▁": then words may not be cut there.
bool marks_inside(const TokenizerParts& parts) {
  for (auto& token : parts.tokens) {
    size_t start = 0;
    while (token.compare(start, kSpaceMark.size(), kSpaceMark) == 0) start += kSpaceMark.size();
    if (token.find(kSpaceMark, start) != std::string::npos) return true;
  }
  return false;
}

// "single" and "pair" of a TemplateProcessing.
void write_template(JsonWriter& w, const TokenizerParts& parts, int sequences) {
  auto special = [&](int32_t id, int type) {
    w.begin_object().key("SpecialToken").begin_object();
    w.member("id", parts.tokens[static_cast<size_t>(id)]).member("type_id", type).end_object().end_object();
  };
  w.begin_array();
  for (int s = 0; s < sequences; ++s) {
    if (s == 0 || parts.model != ModelKind::wordpiece)
      for (int32_t id : parts.prefix) special(id, s);
    w.begin_object().key("Sequence").begin_object().member("id", s == 0 ? "A" : "B").member("type_id", s);
    w.end_object().end_object();
    for (int32_t id : parts.suffix) special(id, s);
  }
  w.end_array();
}

void write_post_processor(JsonWriter& w, const TokenizerParts& parts) {
  if (parts.prefix.empty() && parts.suffix.empty()) {
    w.raw(parts.symbols == TokenizerParts::Symbols::bytes ? kByteLevel : "null");
    return;
  }
  w.begin_object().member("type", "TemplateProcessing").key("single");
  write_template(w, parts, 1);
  w.key("pair");
  write_template(w, parts, 2);
  w.key("special_tokens").begin_object();
  std::unordered_set<int32_t> done;
  for (auto* ids : {&parts.prefix, &parts.suffix}) {
    for (int32_t id : *ids) {
      if (!done.insert(id).second) continue;
      const std::string& content = parts.tokens[static_cast<size_t>(id)];
      w.key(content).begin_object().member("id", content).key("ids").begin_array().value(id).end_array();
      w.key("tokens").begin_array().value(content).end_array().end_object();
    }
  }
  w.end_object().end_object();
}

std::string decoder_json(const TokenizerParts& parts, const Steps& steps) {
  if (parts.symbols == TokenizerParts::Symbols::bytes) return std::string(kByteLevel);
  std::string fallback = parts.byte_fallback ? R"({"type":"ByteFallback"},)" : "";
  switch (parts.joining) {
    case Joining::metaspace:
      if (!steps.metaspace.empty() && !parts.byte_fallback) return metaspace_json(steps.metaspace, true);
      return R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},)" + fallback +
             R"({"type":"Fuse"})" +
             (parts.drop_first_space ? R"(,{"type":"Strip","content":" ","start":1,"stop":0}]})" : "]}");
    case Joining::wordpiece:
      return R"({"type":"WordPiece","prefix":")" + parts.word_prefix + R"(","cleanup":)" +
             (parts.clean_up ? "true}" : "false}");
    case Joining::suffix:
      return R"({"type":"BPEDecoder","suffix":")" + parts.word_suffix + "\"}";
    default:
      if (!fallback.empty()) return R"({"type":"Sequence","decoders":[)" + fallback + R"({"type":"Fuse"}]})";
      return R"({"type":"Fuse"})";
  }
}

}  // namespace

void write_text_steps(JsonWriter& w, const TokenizerParts& parts) {
  Steps steps = steps_of(parts);
  w.key("normalizer");
  if (steps.normalizers.empty()) {
    w.null();
  } else if (steps.normalizers.size() == 1) {
    w.raw(steps.normalizers[0]);
  } else {
    w.begin_object().member("type", "Sequence").key("normalizers").begin_array();
    for (auto& json : steps.normalizers) w.raw(json);
    w.end_array().end_object();
  }
  w.key("pre_tokenizer");
  bool bytes = parts.symbols == TokenizerParts::Symbols::bytes;
  if (!steps.metaspace.empty()) {
    w.raw(metaspace_json(steps.metaspace, parts.pretokenizer == "metaspace" || !marks_inside(parts)));
  } else if (parts.pretokenizer == "none" && !bytes) {
    w.null();
  } else if (parts.pretokenizer == "metaspace") {
    w.raw(metaspace_json("never", true));
  } else {
    w.raw(pretokenizers().make(parts.pretokenizer)->hugging_face_json());
  }
}

void write_id_steps(JsonWriter& w, const TokenizerParts& parts) {
  w.key("post_processor");
  write_post_processor(w, parts);
  w.key("decoder").raw(decoder_json(parts, steps_of(parts)));
}

}  // namespace llmkit::tokenizer
