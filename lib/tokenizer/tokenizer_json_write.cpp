#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "base/json_writer.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/json_pipeline.h"
#include "tokenizer/tokenizer_formats.h"
#include "tokenizer/tokenizer_json.h"

namespace llmkit::tokenizer {
std::vector<std::string> spelled_tokens(const TokenizerParts& parts) {
  std::vector<std::string> out(parts.tokens.size());
  for (auto& token : parts.added) out[static_cast<size_t>(token.id)] = token.content;
  for (size_t id = 0; id < out.size(); ++id) {
    if (!out[id].empty() || parts.tokens[id].empty()) continue;
    out[id] = parts.symbols == TokenizerParts::Symbols::bytes ? spell_bytes(parts.tokens[id]) : parts.tokens[id];
  }
  return out;
}

namespace {

void write_added(JsonWriter& w, const AddedToken& token, bool with_id) {
  w.begin_object();
  if (with_id) w.member("id", token.id);
  w.member("content", token.content).member("single_word", token.single_word).member("lstrip", token.lstrip);
  w.member("rstrip", token.rstrip).member("normalized", token.normalized).member("special", token.special);
  w.end_object();
}

void write_unigram(JsonWriter& w, const TokenizerParts& parts) {
  w.begin_object().member("type", "Unigram").key("unk_id");
  auto unk = std::find(parts.tokens.begin(), parts.tokens.end(), parts.unk);
  if (parts.unk.empty() || unk == parts.tokens.end())
    w.null();
  else
    w.value(unk - parts.tokens.begin());
  w.key("vocab").begin_array();
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    if (parts.tokens[id].empty())
      throw Error("a Unigram tokenizer.json needs a token for every id; there is none for " + std::to_string(id));
    w.begin_array()
        .value(parts.tokens[id])
        .value(static_cast<double>(id < parts.scores.size() ? parts.scores[id] : 0))
        .end_array();
  }
  w.end_array().member("byte_fallback", parts.byte_fallback).end_object();
}

void write_vocabulary(JsonWriter& w, const std::vector<std::string>& spelled) {
  w.begin_object();
  std::unordered_set<std::string_view> written;
  for (size_t id = 0; id < spelled.size(); ++id)
    if (!spelled[id].empty() && written.insert(spelled[id]).second) w.member(spelled[id], id);
  w.end_object();
}

void write_model(JsonWriter& w, const TokenizerParts& parts) {
  if (parts.model == ModelKind::unigram) return write_unigram(w, parts);
  auto spelled = spelled_tokens(parts);
  auto text_or_null = [&](std::string_view key, const std::string& text) {
    w.key(key);
    if (text.empty())
      w.null();
    else
      w.value(text);
  };
  w.begin_object();
  if (parts.model == ModelKind::wordpiece) {
    w.member("type", "WordPiece").member("unk_token", parts.unk);
    w.member("continuing_subword_prefix", parts.word_prefix)
        .member("max_input_chars_per_word", parts.max_word_characters);
    w.key("vocab");
    write_vocabulary(w, spelled);
    w.end_object();
    return;
  }
  w.member("type", "BPE").key("dropout").null();
  text_or_null("unk_token", parts.unk);
  text_or_null("continuing_subword_prefix", parts.word_prefix);
  text_or_null("end_of_word_suffix", parts.word_suffix);
  w.member("fuse_unk", parts.fuse_unk).member("byte_fallback", parts.byte_fallback);
  w.member("ignore_merges", parts.ignore_merges).key("vocab");
  write_vocabulary(w, spelled);
  w.key("merges").begin_array();
  for (auto& m : parts.merges) {
    w.begin_array().value(spelled[static_cast<size_t>(m.left)]).value(spelled[static_cast<size_t>(m.right)]);
    w.end_array();
  }
  w.end_array().end_object();
}

}  // namespace

std::string write_tokenizer_json(const TokenizerParts& parts) {
  std::string out;
  JsonWriter w(out);
  w.begin_object().member("version", "1.0").key("truncation").null().key("padding").null();
  w.key("added_tokens").begin_array();
  for (auto& token : parts.added) write_added(w, token, true);
  w.end_array();
  write_text_steps(w, parts);
  write_id_steps(w, parts);
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
