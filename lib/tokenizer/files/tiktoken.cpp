// .tiktoken: "base64-of-the-bytes rank" a line (openai/tiktoken, load.py).
#include <charconv>

#include "base/error.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/tokenizer_formats.h"

namespace llmkit::tokenizer {
namespace {

struct Special {
  std::string_view content;
  int32_t id;
};
struct Encoding {
  size_t ranks;
  std::string_view pretokenizer;
  std::vector<Special> special;
};

const std::vector<Encoding>& encodings() {
  static const std::vector<Encoding> known{
      {50256, "gpt2", {{"<|endoftext|>", 50256}}},
      {100256,
       "cl100k",
       {{"<|endoftext|>", 100257},
        {"<|fim_prefix|>", 100258},
        {"<|fim_middle|>", 100259},
        {"<|fim_suffix|>", 100260},
        {"<|endofprompt|>", 100276}}},
      {199998, "o200k", {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}}},
  };
  return known;
}

[[noreturn]] void fail(std::string_view where, size_t line, std::string expected, std::string_view found) {
  throw Error(ErrorParts{"not a .tiktoken file",
                         std::string(where) + ":" + std::to_string(line),
                         std::move(expected),
                         "'" + printable(found) + "'",
                         {}});
}

}  // namespace

TokenizerParts parse_tiktoken(std::string_view text, std::string_view where) {
  TokenizerParts parts;
  auto limit = static_cast<int64_t>(text.size() / 4 + 65536);
  size_t number = 0, ranks = 0;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    size_t space = line.find(' ');
    auto bytes = space == std::string_view::npos ? std::nullopt : decode_base64(line.substr(0, space));
    int64_t rank = -1;
    if (bytes && !bytes->empty()) {
      auto [last, error] = std::from_chars(line.data() + space + 1, line.data() + line.size(), rank);
      if (error != std::errc() || last != line.data() + line.size()) rank = -1;
    }
    if (rank < 0) fail(where, number, "base64, a space and a rank", line);
    put_token(parts.tokens, rank, std::move(*bytes), limit, where);
    ++ranks;
  }
  if (ranks == 0)
    throw Error(ErrorParts{"not a .tiktoken file", std::string(where), "lines of base64 and rank", "none", {}});
  check_distinct(parts.tokens, where);
  bool complete = true;
  parts.merges = merges_of_ranks(parts.tokens, where, complete);
  parts.ignore_merges = !complete;  // tiktoken takes a piece that is a token as it is
  parts.pretokenizer = "cl100k";
  for (auto& encoding : encodings()) {
    if (encoding.ranks != ranks) continue;
    parts.pretokenizer = encoding.pretokenizer;
    for (auto& special : encoding.special) {
      AddedToken token;
      token.content = special.content;
      token.id = special.id;
      put_token(parts.tokens, token.id, token.content, limit, where);
      parts.added.push_back(token);
    }
    parts.eos = "<|endoftext|>";
  }
  return parts;
}

std::string write_tiktoken(const TokenizerParts& parts) {
  auto cannot = [](std::string why) -> Error {
    return Error(ErrorParts{"this tokenizer cannot be written as .tiktoken",
                            {},
                            "byte-level BPE merged in the order of ids",
                            std::move(why),
                            {}});
  };
  if (parts.model != ModelKind::bpe || parts.symbols != TokenizerParts::Symbols::bytes || !parts.normalizers.empty())
    throw cannot("another model");
  std::vector<std::string> ranked = parts.tokens;
  for (auto& token : parts.added)
    if (token.special) ranked[static_cast<size_t>(token.id)].clear();
  bool complete = true;
  if (merges_of_ranks(ranked, "the tokenizer", complete) != parts.merges) throw cannot("merges in another order");
  std::string out;
  for (size_t id = 0; id < ranked.size(); ++id)
    if (!ranked[id].empty()) out += encode_base64(ranked[id]) + " " + std::to_string(id) + "\n";
  return out;
}

}  // namespace llmkit::tokenizer
