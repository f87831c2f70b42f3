#include <unordered_set>

#include "base/json_writer.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/tokenizer_json.h"

namespace llmkit::tokenizer {
namespace {

constexpr std::string_view kByteLevel =
    R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})";

// The spelling of every token in the vocabulary: added ones as they are, the others by the byte alphabet.
std::vector<std::string> spellings(const TokenizerParts& parts) {
  std::vector<std::string> out(parts.tokens.size());
  for (auto& token : parts.added) out[static_cast<size_t>(token.id)] = token.content;
  for (size_t id = 0; id < out.size(); ++id) {
    if (!out[id].empty() || parts.tokens[id].empty()) continue;
    out[id] = parts.symbols == TokenizerParts::Symbols::bytes ? spell_bytes(parts.tokens[id]) : parts.tokens[id];
  }
  return out;
}

void write_added(JsonWriter& w, const AddedToken& token, bool with_id) {
  w.begin_object();
  if (with_id) w.member("id", token.id);
  w.member("content", token.content).member("single_word", token.single_word).member("lstrip", token.lstrip);
  w.member("rstrip", token.rstrip).member("normalized", token.normalized).member("special", token.special);
  w.end_object();
}

// "single" and "pair" of a TemplateProcessing.
void write_template(JsonWriter& w, const TokenizerParts& parts, int sequences) {
  auto special = [&](int32_t id, int type) {
    w.begin_object().key("SpecialToken").begin_object();
    w.member("id", parts.tokens[static_cast<size_t>(id)]).member("type_id", type).end_object().end_object();
  };
  w.begin_array();
  for (int s = 0; s < sequences; ++s) {
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

void write_model(JsonWriter& w, const TokenizerParts& parts) {
  auto spelled = spellings(parts);
  w.begin_object().member("type", "BPE").key("dropout").null().key("unk_token");
  if (parts.unk.empty())
    w.null();
  else
    w.value(parts.unk);
  w.key("continuing_subword_prefix").null().key("end_of_word_suffix").null();
  w.member("fuse_unk", false).member("byte_fallback", false).member("ignore_merges", parts.ignore_merges);
  w.key("vocab").begin_object();
  std::unordered_set<std::string_view> written;
  for (size_t id = 0; id < spelled.size(); ++id)
    if (!spelled[id].empty() && written.insert(spelled[id]).second) w.member(spelled[id], id);
  w.end_object().key("merges").begin_array();
  for (auto& m : parts.merges) {
    w.begin_array().value(spelled[static_cast<size_t>(m.left)]).value(spelled[static_cast<size_t>(m.right)]);
    w.end_array();
  }
  w.end_array().end_object();
}

}  // namespace

std::string write_tokenizer_json(const TokenizerParts& parts) {
  bool bytes = parts.symbols == TokenizerParts::Symbols::bytes;
  std::string out;
  JsonWriter w(out);
  w.begin_object().member("version", "1.0").key("truncation").null().key("padding").null();
  w.key("added_tokens").begin_array();
  for (auto& token : parts.added) write_added(w, token, true);
  w.end_array().key("normalizer").null();
  w.key("pre_tokenizer").raw(bytes ? pretokenizers().make(parts.pretokenizer)->hugging_face_json() : "null");
  w.key("post_processor");
  write_post_processor(w, parts);
  w.key("decoder").raw(bytes ? kByteLevel : R"({"type":"Fuse"})");
  w.key("model");
  write_model(w, parts);
  w.end_object();
  out += '\n';
  return out;
}

std::string write_tokenizer_config(const TokenizerParts& parts) {
  std::string out;
  JsonWriter w(out, 2);
  w.begin_object().key("added_tokens_decoder").begin_object();
  for (auto& token : parts.added) {
    w.key(std::to_string(token.id));
    write_added(w, token, false);
  }
  w.end_object();
  auto role = [&](std::string_view name, const std::string& content) {
    if (!content.empty()) w.member(name, content);
  };
  role("bos_token", parts.bos);
  role("eos_token", parts.eos);
  role("pad_token", parts.pad);
  role("unk_token", parts.unk);
  role("chat_template", parts.chat_template);
  w.member("clean_up_tokenization_spaces", false);
  if (parts.max_length > 0) w.member("model_max_length", parts.max_length);
  w.member("tokenizer_class", "PreTrainedTokenizerFast").end_object();
  out += '\n';
  return out;
}

std::string write_special_tokens_map(const TokenizerParts& parts) {
  std::string out;
  JsonWriter w(out, 2);
  w.begin_object();
  if (!parts.bos.empty()) w.member("bos_token", parts.bos);
  if (!parts.eos.empty()) w.member("eos_token", parts.eos);
  if (!parts.pad.empty()) w.member("pad_token", parts.pad);
  if (!parts.unk.empty()) w.member("unk_token", parts.unk);
  w.end_object();
  out += '\n';
  return out;
}

}  // namespace llmkit::tokenizer
