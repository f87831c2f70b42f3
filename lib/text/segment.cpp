#include "text/segment.h"

#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include <array>
#include <memory>

#include "base/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace llmkit::text {
namespace {

enum class Class : uint8_t { letter, digit, space, symbol, mark, unspaced };

constexpr std::array<Class, 128> make_ascii() {
  std::array<Class, 128> table{};
  for (int c = 0; c < 128; ++c) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    table[c] = letter                 ? Class::letter
               : c >= '0' && c <= '9' ? Class::digit
               : c <= ' ' || c == 127 ? Class::space
                                      : Class::symbol;
  }
  return table;
}
constexpr std::array<Class, 128> kAscii = make_ascii();

Class classify(char32_t c) {
  if (c < 0x80) return kAscii[c];
  if (c >= 0xC0 && c < 0x250) return c == 0xD7 || c == 0xF7 ? Class::symbol : Class::letter;
  if (is_unspaced(c)) return is_mark(c) ? Class::mark : is_punctuation(c) ? Class::symbol : Class::unspaced;
  if (is_alphabetic(c)) return Class::letter;
  if (is_digit(c)) return Class::digit;
  if (is_mark(c) || c == 0x200D || c == 0xAD) return Class::mark;
  if (is_space(c) || is_control(c) || c == 0xFEFF || (c >= 0x200B && c <= 0x200F)) return Class::space;
  return Class::symbol;
}

bool joins_letters(char32_t c) {
  return c == '\'' || c == 0x2019 || c == 0xB7;
}
bool joins_digits(char32_t c) {
  return c == '.' || c == ',';
}

}  // namespace

bool next_word(std::string_view text, size_t& position, Word& word) {
  size_t at = position;
  size_t start = at;
  char32_t code = 0;
  Class kind = Class::space;
  while (at < text.size() && kind == Class::space) {
    start = at;
    code = decode_utf8(text, at);
    kind = classify(code);
  }
  if (kind == Class::space) {
    position = at;
    return false;
  }
  uint32_t length = 1;
  if (kind == Class::symbol) {
    while (at < text.size()) {
      size_t next = at;
      if (decode_utf8(text, next) != code) break;
      at = next;
      ++length;
    }
    word.kind = WordKind::symbol;
  } else {
    bool letters = kind == Class::letter || kind == Class::mark;
    bool character = kind == Class::unspaced;
    Class last = kind;
    while (at < text.size()) {
      size_t next = at;
      char32_t c = decode_utf8(text, next);
      Class k = classify(c);
      uint32_t add = 1;
      if (k == Class::symbol && !character &&
          ((last == Class::letter && joins_letters(c)) || (last == Class::digit && joins_digits(c))) &&
          next < text.size()) {
        size_t after = next;  // the joiner counts only between two of a kind
        Class follow = classify(decode_utf8(text, after));
        if (follow != last) break;
        next = after;
        k = follow;
        add = 2;
      }
      bool goes_on = k == Class::mark || (!character && (k == Class::letter || k == Class::digit));
      if (!goes_on) break;
      letters = letters || k == Class::letter;
      if (k != Class::mark) last = k;
      at = next;
      length += add;
    }
    word.kind = character ? WordKind::character : letters ? WordKind::word : WordKind::number;
  }
  word.text = text.substr(start, at - start);
  word.length = length;
  position = at;
  return true;
}

std::vector<Word> split_words(std::string_view text) {
  std::vector<Word> words;
  words.reserve(text.size() / 6 + 4);
  Word word;
  for (size_t at = 0; next_word(text, at, word);) words.push_back(word);
  return words;
}

std::vector<std::string_view> split_words_icu(std::string_view text) {
  std::vector<std::string_view> out;
  UErrorCode status = U_ZERO_ERROR;
  UText input = UTEXT_INITIALIZER;
  utext_openUTF8(&input, text.data(), static_cast<int64_t>(text.size()), &status);
  std::unique_ptr<UText, UText* (*)(UText*)> close(&input, utext_close);
  std::unique_ptr<UBreakIterator, void (*)(UBreakIterator*)> breaks(ubrk_open(UBRK_WORD, "", nullptr, 0, &status),
                                                                    ubrk_close);
  if (U_SUCCESS(status)) ubrk_setUText(breaks.get(), &input, &status);
  if (U_FAILURE(status)) throw Error("ICU word boundaries failed: " + std::string(u_errorName(status)));
  int32_t start = ubrk_first(breaks.get());
  for (int32_t end = ubrk_next(breaks.get()); end != UBRK_DONE; start = end, end = ubrk_next(breaks.get())) {
    std::string_view piece = text.substr(static_cast<size_t>(start), static_cast<size_t>(end - start));
    size_t at = 0;
    if (!is_space(decode_utf8(piece, at))) out.push_back(piece);
  }
  return out;
}

std::string_view trim(std::string_view text) {
  auto space_at_start = [](std::string_view t) -> size_t {
    if (t.empty()) return 0;
    if (static_cast<unsigned char>(t[0]) <= ' ') return 1;
    if (t.starts_with("\xC2\xA0")) return 2;
    return t.starts_with("\xE3\x80\x80") ? 3 : 0;
  };
  auto space_at_end = [](std::string_view t) -> size_t {
    if (t.empty()) return 0;
    if (static_cast<unsigned char>(t.back()) <= ' ') return 1;
    if (t.ends_with("\xC2\xA0")) return 2;
    return t.ends_with("\xE3\x80\x80") ? 3 : 0;
  };
  while (size_t n = space_at_start(text)) text.remove_prefix(n);
  while (size_t n = space_at_end(text)) text.remove_suffix(n);
  return text;
}

}  // namespace llmkit::text
