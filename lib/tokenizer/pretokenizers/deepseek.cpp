// DeepSeek V3 and R1: three cuts, one after the other:
// \p{N}{1,3}, then [\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+, then
// [!-/:-@[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
// What the last one does not match stays together. A piece never reaches over the border of a stretch that the first
// two have cut out, and white space before such a border is white space at the end of the text.
#include "tokenizer/scanner.h"

namespace llmkit::tokenizer {
namespace {

constexpr ClassSet kWord = is_letter | is_mark, kSign = is_punctuation | ClassSet{CharClass::symbol};
constexpr ClassSet kUnmatched{CharClass::other, CharClass::control, CharClass::format, CharClass::private_use};

bool is_east_asian(const char* p, const char* end) {
  auto byte = [p](int i) { return static_cast<unsigned char>(p[i]); };
  if (byte(0) < 0xE3 || byte(0) > 0xE9 || end - p < 3) return false;
  uint32_t c = decode_utf8(p, end).code_point;
  return (c >= 0x4E00 && c <= 0x9FA5) || (c >= 0x3040 && c <= 0x30FF);
}

// Looks at characters of the stretch that p is in; beyond its border there is nothing.
struct Stretch {
  const Scan& scan;
  bool east_asian;

  bool holds(const char* p) const { return p < scan.end() && is_east_asian(p, scan.end()) == east_asian; }
  bool is(const char* p, ClassSet set) const { return holds(p) && set(scan.at(p).cls); }
  const char* run(const char* p, ClassSet set) const {
    while (is(p, set)) p += scan.at(p).length;
    return p;
  }
  const char* words(const char* p) const {
    for (;;) {
      if (!east_asian) p = scan.ascii_letters(p);
      if (!is(p, kWord)) return p;
      p += scan.at(p).length;
    }
  }
};

struct DeepSeekScanner {
  const char* next(const char* p, const Scan& scan) const {
    ScannedChar c = scan.at(p);
    const char* after = p + c.length;
    if (is_number(c.cls)) return scan.numbers(after, 2);
    Stretch stretch{scan, is_east_asian(p, scan.end())};
    if (static_cast<unsigned char>(*p) < 128 && kSign(c.cls))
      if (const char* q = scan.ascii_letters(after); q > after) return q;
    bool newline = *p == '\n' || *p == '\r';
    if (kWord(c.cls) || (!kSign(c.cls) && !newline && stretch.is(after, kWord))) return stretch.words(after);
    if (kSign(c.cls) || (*p == ' ' && stretch.is(after, kSign))) {
      const char* q = stretch.run(after, kSign);
      return stretch.east_asian ? q : scan.newlines(q);
    }
    if (is_space(c.cls)) return spaces(p, stretch);
    // Unmatched up to where a match begins: anything else, or the character before a word.
    for (const char* q = after;; q += scan.at(q).length)
      if (!stretch.is(q, kUnmatched) || stretch.is(q + scan.at(q).length, kWord)) return q;
  }

  static const char* spaces(const char* p, const Stretch& stretch) {
    const char *last = p, *newline = nullptr, *q = p;
    for (; stretch.is(q, is_space); q += stretch.scan.at(q).length) {
      if (*q == '\n' || *q == '\r') newline = q + 1;
      last = q;
    }
    if (newline) return newline;
    bool text_follows = stretch.is(q, ~is_number);
    return text_follows && last > p ? last : q;
  }
};

}  // namespace

Entry<PreTokenizer> deepseek_pretokenizer() {
  Entry<PreTokenizer> entry{{"deepseek", "as DeepSeek V3 and R1: Chinese and Japanese apart, a sign with its word",
                             "DeepSeek-AI, DeepSeek-V3 technical report, 2024"}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> {
    return std::make_unique<ScanningPreTokenizer<DeepSeekScanner>>(
        R"({"type":"Sequence","pretokenizers":[)"
        R"({"type":"Split","pattern":{"Regex":"\\p{N}{1,3}"},"behavior":"Isolated","invert":false},)"
        R"({"type":"Split","pattern":{"Regex":"[一-龥぀-ゟ゠-ヿ]+"},"behavior":"Isolated","invert":false},)"
        R"({"type":"Split","pattern":{"Regex":"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated","invert":false},)" LLMKIT_BYTE_LEVEL(
            "false") "]}");
  };
  return entry;
}

}  // namespace llmkit::tokenizer
