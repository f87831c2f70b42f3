#include "tokenizer/pretokenizer.h"

#include <array>

#include "tokenizer/scanner.h"

namespace llmkit::tokenizer {

#define LLMKIT_PRETOKENIZER(name) Entry<PreTokenizer> name##_pretokenizer();
#include "tokenizer/pretokenizers.def"
#undef LLMKIT_PRETOKENIZER

const Registry<PreTokenizer>& pretokenizers() {
  static const Registry<PreTokenizer> registry("pre-tokenizer", {
#define LLMKIT_PRETOKENIZER(name) name##_pretokenizer(),
#include "tokenizer/pretokenizers.def"
#undef LLMKIT_PRETOKENIZER
                                                                });
  return registry;
}

const AsciiClasses& ascii_classes() {
  static const AsciiClasses classes = [] {
    AsciiClasses table;
    for (uint32_t c = 0; c < 128; ++c) table.of[c] = class_of(c);
    return table;
  }();
  return classes;
}

std::string_view pretokenizer_of_pattern(std::string_view pattern) {
  // The spellings under which the same pieces are in circulation.
  struct Known {
    std::string_view pattern, name;
  };
  static constexpr std::array known{
      Known{R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", "gpt2"},
      Known{R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", "gpt2"},
      Known{
          R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
          "llama3"},
      Known{
          R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)",
          "llama3"},
      Known{
          R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)",
          "cl100k"},
      Known{
          R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+\z|\s*[\r\n]|\s+(?!\S)|\s)",
          "cl100k"},
      Known{
          R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
          "qwen2"},
      Known{
          R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
          "o200k"},
      // Several cuts in turn, one a line.
      Known{
          "\\p{N}{1,3}\n[一-龥\u3040-ゟ゠-ヿ]+\n"
          R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
          "deepseek"},
  };
  for (auto& k : known)
    if (k.pattern == pattern) return k.name;
  return {};
}

size_t safe_cut(std::string_view text, size_t from, size_t limit) {
  if (limit >= text.size()) return text.size();
  Scan scan(text.data() + text.size());
  auto letter_at = [&](size_t i) { return i < text.size() && is_letter(scan.at(text.data() + i).cls); };
  auto safe = [&](size_t i) {
    // Exactly one newline: a longer run of white space is divided by what follows it.
    if (text[i - 1] == '\n') return i > 1 && letter_at(i) && !is_space(char_before(text, i - 1).cls);
    return text[i] == ' ' && static_cast<unsigned char>(text[i - 1]) < 128 && letter_at(i - 1) && letter_at(i + 1);
  };
  for (size_t i = limit; i > from; --i)
    if (safe(i)) return i;
  for (size_t i = limit + 1; i < text.size(); ++i)
    if (safe(i)) return i;
  return text.size();
}

}  // namespace llmkit::tokenizer
