// Normalizers that look at one character at a time: lower case, no marks, SentencePiece's cleaning for translation.
#include "tokenizer/normalizers/mapped_text.h"
#include "tokenizer/unicode_class.h"
#include "tokenizer/unicode_normal.h"

namespace llmkit::tokenizer {
namespace {

// `Change::apply(code_point, at, mapped)` writes something else for a character and returns true, or leaves it to be
// copied. Characters below 0x80 for which Change::kKeepsAscii holds are not looked at.
template <class Change>
class PerCharacter : public Normalizer {
 public:
  void normalize(std::string_view text, TextStart, std::string& out, std::vector<size_t>* origins) const override {
    MappedText mapped(text, out, origins);
    size_t copied = 0;
    for (size_t at = 0; at < text.size();) {
      if (Change::kKeepsAscii) at = skip_ascii(text, at);
      if (at == text.size()) break;
      Utf8Char c = decode_utf8(text.data() + at, text.data() + text.size());
      if (c.code_point <= 0x10FFFF && Change::changes(c.code_point)) {
        mapped.copy(copied, at);
        Change::write(c.code_point, at, mapped);
        copied = at + c.length;
      }
      at += c.length;
    }
    mapped.copy(copied, text.size());
  }
  std::string hugging_face_json() const override { return Change::kJson; }
};

struct Lowercase {
  static constexpr bool kKeepsAscii = false;
  static constexpr const char* kJson = R"({"type":"Lowercase"})";
  static bool changes(uint32_t c) { return c < 0x80 ? c - 'A' < 26 : normal_flags(c) & kHasLower; }
  static void write(uint32_t c, size_t at, MappedText& mapped) {
    if (c < 0x80) return mapped.put_code(c | 0x20, at);
    for (uint32_t lower : lower_case(c)) mapped.put_code(lower, at);
  }
};

struct StripAccents {
  static constexpr bool kKeepsAscii = true;
  static constexpr const char* kJson = R"({"type":"StripAccents"})";
  static bool changes(uint32_t c) { return is_mark(class_of(c)); }
  static void write(uint32_t, size_t, MappedText&) {}
};

// Hugging Face's Nmt: control characters vanish, white space of every kind becomes a space. SentencePiece's own rules
// are those of nmt-nfkc.
struct Nmt {
  static constexpr bool kKeepsAscii = false;
  static constexpr const char* kJson = R"({"type":"Nmt"})";
  static bool vanishes(uint32_t c) {
    return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
  }
  static bool changes(uint32_t c) {
    return vanishes(c) || c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
           (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
  }
  static void write(uint32_t c, size_t at, MappedText& mapped) {
    if (!vanishes(c)) mapped.put(" ", at);
  }
};

template <class Change>
std::unique_ptr<Normalizer> make_per_character(const Values&) {
  return std::make_unique<PerCharacter<Change>>();
}

}  // namespace

Entry<Normalizer> lowercase_normalizer() {
  Entry<Normalizer> entry{{"lowercase", "letters in lower case, whatever stands around them", ""}};
  entry.make = make_per_character<Lowercase>;
  return entry;
}

Entry<Normalizer> strip_accents_normalizer() {
  Entry<Normalizer> entry{{"strip-accents", "combining marks removed; after nfd or nfkd, letters without accents", ""}};
  entry.make = make_per_character<StripAccents>;
  return entry;
}

Entry<Normalizer> nmt_normalizer() {
  Entry<Normalizer> entry{{"nmt", "control characters removed, white space of every kind a space",
                           "Kudo and Richardson, SentencePiece, 2018"}};
  entry.make = make_per_character<Nmt>;
  return entry;
}

}  // namespace llmkit::tokenizer
