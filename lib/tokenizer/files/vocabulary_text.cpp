// Vocabularies as text: BERT's vocab.txt, and GPT-2's vocab.json with merges.txt, written (its reader is with
// tokenizer.json's).
#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "base/json_writer.h"
#include "tokenizer/tokenizer_formats.h"

namespace llmkit::tokenizer {

TokenizerParts parse_vocab_txt(std::string_view text, std::string_view where) {
  TokenizerParts parts;
  parts.model = ModelKind::wordpiece;
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.word_prefix = "##";
  parts.joining = Joining::wordpiece;
  parts.clean_up = true;
  parts.pretokenizer = "bert";
  std::unordered_set<std::string_view> seen;
  bool cased = false;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::string place = std::string(where) + ":" + std::to_string(parts.tokens.size() + 1);
    if (line.empty()) throw Error(ErrorParts{"not a vocabulary", place, "a token", "an empty line", {}});
    if (!seen.insert(line).second)
      throw Error(ErrorParts{"a token is there twice", place, {}, "'" + printable(line) + "'", {}});
    parts.tokens.emplace_back(line);
    bool special = line.starts_with('[') && line.ends_with(']') && line.size() > 2;
    cased |= !special && std::any_of(line.begin(), line.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  }
  if (!seen.contains("[UNK]"))
    throw Error(ErrorParts{"not BERT's vocabulary", std::string(where), "a line [UNK]", "none", {}});
  parts.normalizers = {cased ? "bert:lowercase=false,strip-accents=false" : "bert"};
  parts.unk = "[UNK]";
  for (std::string_view name : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
    if (!seen.contains(name)) continue;
    AddedToken token;
    token.content = name;
    int32_t id = parts.add(token);
    if (name == "[PAD]") parts.pad = name;
    if (name == "[CLS]") parts.prefix = {id};
    if (name == "[SEP]") parts.suffix = {id};
  }
  return parts;
}

std::string write_vocab_txt(const TokenizerParts& parts) {
  auto cannot = [](std::string expected, std::string found) {
    return Error(
        ErrorParts{"this tokenizer cannot be written as vocab.txt", {}, std::move(expected), std::move(found), {}});
  };
  if (parts.model != ModelKind::wordpiece) throw cannot("WordPiece", "another model");
  if (parts.word_prefix != "##") throw cannot("the prefix ##", "'" + parts.word_prefix + "'");
  std::string out;
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    const std::string& token = parts.tokens[id];
    if (token.empty() || token.find_first_of("\r\n") != std::string::npos)
      throw cannot("a token of one line for every id", std::to_string(id) + " is '" + printable(token) + "'");
    out += token + "\n";
  }
  return out;
}

std::pair<std::string, std::string> write_vocab_and_merges(const TokenizerParts& parts) {
  auto cannot = [](std::string expected, std::string found) {
    return Error(ErrorParts{"this tokenizer cannot be written as vocab.json and merges.txt",
                            {},
                            std::move(expected),
                            std::move(found),
                            {}});
  };
  if (parts.model != ModelKind::bpe) throw cannot("BPE", "another model");
  if (parts.symbols == TokenizerParts::Symbols::bytes && parts.pretokenizer != "gpt2")
    throw cannot("the pre-tokenizer of GPT-2, which the format implies", parts.pretokenizer);
  auto spelled = spelled_tokens(parts);
  std::string vocabulary, merges = "#version: 0.2\n";
  JsonWriter w(vocabulary);
  w.begin_object();
  std::unordered_set<std::string_view> written;
  for (size_t id = 0; id < spelled.size(); ++id)
    if (!spelled[id].empty() && written.insert(spelled[id]).second) w.member(spelled[id], id);
  w.end_object();
  vocabulary += '\n';
  for (auto& m : parts.merges) {
    std::string line;
    for (int32_t id : {m.left, m.right}) {
      const std::string& token = spelled[static_cast<size_t>(id)];
      if (token.find_first_of(" \r\n") != std::string::npos)
        throw cannot("merges of tokens without white space", "'" + printable(token) + "'");
      line += (line.empty() ? "" : " ") + token;
    }
    merges += line + "\n";
  }
  return {vocabulary, merges};
}

}  // namespace llmkit::tokenizer
