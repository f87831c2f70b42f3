#include "tokenizer/subword_model.h"

#include <charconv>

namespace llmkit::tokenizer {

// The byte of "<0x0A>", or -1.
static int byte_of(std::string_view spelling) {
  if (spelling.size() != 6 || !spelling.starts_with("<0x") || spelling[5] != '>') return -1;
  int value = -1;
  auto [end, error] = std::from_chars(spelling.data() + 3, spelling.data() + 5, value, 16);
  return error == std::errc() && end == spelling.data() + 5 ? value : -1;
}

Vocabulary::Vocabulary(const TokenizerParts& all) : parts(all), control(all.tokens.size()) {
  bytes.fill(-1);
  auto& tokens = parts.tokens;
  ids.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id)
    if (!tokens[id].empty()) ids.try_emplace(tokens[id], static_cast<int32_t>(id));
  for (auto& token : parts.added) {
    if (token.id < 0) continue;
    ids[token.content] = token.id;
    control[static_cast<size_t>(token.id)] = token.special;
  }
  for (size_t id = 0; id < parts.types.size() && id < tokens.size(); ++id)
    if (parts.types[id] == TokenType::control || parts.types[id] == TokenType::unknown) control[id] = true;
  if (parts.symbols == TokenizerParts::Symbols::characters) {
    for (size_t id = 0; id < tokens.size(); ++id) {
      bool typed = id < parts.types.size() ? parts.types[id] == TokenType::byte : parts.byte_fallback;
      if (int byte = typed ? byte_of(tokens[id]) : -1; byte >= 0)
        bytes[static_cast<size_t>(byte)] = static_cast<int32_t>(id);
    }
  }
  if (auto found = ids.find(parts.unk); !parts.unk.empty() && found != ids.end()) unk = found->second;
  whole_text = parts.pretokenizer == "none" && parts.symbols == TokenizerParts::Symbols::characters;
}

}  // namespace llmkit::tokenizer
