// o200k (GPT-4o, gpt-oss): words end where a capital follows small letters, and keep their contraction.
// With U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}], L = [\p{Ll}\p{Lm}\p{Lo}\p{M}], P = [^\r\n\p{L}\p{N}], C = (?i:'s|'t|'re|…)?
// P?U*L+C | P?U+L*C | \p{N}{1,3} | ?[^\s\p{L}\p{N}]+[\r\n/]* | \s*[\r\n]+ | \s+(?!\S) | \s+
#include "tokenizer/scanner.h"

namespace llmkit::tokenizer {
namespace {

constexpr ClassSet kBoth = ClassSet{CharClass::letter} | is_mark;
constexpr ClassSet kUpper = ClassSet{CharClass::upper} | kBoth, kLower = ClassSet{CharClass::lower} | kBoth;

struct O200kScanner {
#if defined(__SSE2__)
  // Words of one capital at most, at their beginning.
  static BlockPieces words_of(const AsciiBlock& b) {
    uint64_t letters = b.letters(), before_word = b.spaces | b.tabs() | b.rest() | b.newlines;
    uint64_t first = b.upper & ~(letters << 1), behind_newline = b.newlines << 1;
    return {letters | (before_word & letters >> 1) | (b.rest() & b.spaces >> 1), ~(b.lower | first) | behind_newline,
            ~(b.upper | b.apostrophes) | behind_newline};
  }
  static OtherBlockPieces others_of(const AsciiBlock& b) {
    uint64_t white = b.all_white(), before_letter = b.letters() >> 1;
    BlockPieces runs = runs_with_newlines(b, (b.rest() & ~before_letter) | (b.spaces & b.rest() >> 1));
    runs.ends &= ~(b.rest() & b.newlines << 1);  // it may be a slash
    return {runs, (white & white >> 1) | b.newlines | (b.tabs() & ~before_letter) | (b.spaces & b.digits >> 1),
            b.newlines, 3};
  }
#endif
  // U*L+ from p, or nullptr. U* takes all it can, up to `upper_end`, and gives back until L+ has a character, which is
  // the last one of both.
  static const char* word(const char* p, const Scan& scan, const char*& upper_end) {
    const char* both_end = nullptr;
    for (;; upper_end = p) {
      while (p < scan.end() && static_cast<unsigned char>(*p - 'A') < 26) ++p;
      upper_end = p;
      if (p == scan.end()) return both_end;
      if (static_cast<unsigned char>(*p) < 128)
        return static_cast<unsigned char>(*p - 'a') < 26 ? lower(p + 1, scan) : both_end;
      if (const char* q = scan.ideographs(p); q > p) {
        p = both_end = q;
        continue;
      }
      ScannedChar c = scan.at(p);
      if (!kUpper(c.cls)) return c.cls == CharClass::lower ? lower(p + c.length, scan) : both_end;
      p += c.length;
      if (kBoth(c.cls)) both_end = p;
    }
  }
  // L*, with fast ways through ASCII and ideographs; capitals end it.
  static const char* lower(const char* p, const Scan& scan) {
    for (;;) {
      p = scan.ascii_lower(p);
      if (p == scan.end() || static_cast<unsigned char>(*p) < 128) return p;
      p = scan.ideographs(p);
      if (p == scan.end()) return p;
      ScannedChar c = scan.at(p);
      if (!kLower(c.cls)) return p;
      p += c.length;
    }
  }
  static const char* with_contraction(const char* p, const Scan& scan) {
    if (p < scan.end() && *p == '\'')
      if (const char* q = scan.any_case_contraction(p)) return q;
    return p;
  }
  static const char* slashes(const char* p, const Scan& scan) {  // [\r\n/]*
    while (p < scan.end() && (*p == '\n' || *p == '\r' || *p == '/')) ++p;
    return p;
  }

  const char* next(const char* p, const Scan& scan) const {
    ScannedChar c = scan.at(p);
    const char* after = p + c.length;
    bool prefix = (is_rest(c.cls) || is_space(c.cls)) && *p != '\n' && *p != '\r';
    // The four ways to begin a word, in the order in which the expression tries them; U+ behind a failed U*L+ is a run
    // of capitals.
    const char *behind_prefix = after, *upper_end = p;
    if (prefix)
      if (const char* q = word(after, scan, behind_prefix)) return with_contraction(q, scan);
    if (kUpper(c.cls) || kLower(c.cls))
      if (const char* q = word(p, scan, upper_end)) return with_contraction(q, scan);
    if (behind_prefix > after) return with_contraction(behind_prefix, scan);
    if (upper_end > p) return with_contraction(upper_end, scan);

    if (is_number(c.cls)) return scan.numbers(after, 2);
    if (is_rest(c.cls)) return slashes(scan.rest(after), scan);
    if (*p == ' ' && scan.is(after, is_rest)) return slashes(scan.rest(after), scan);
    return scan.lines_or_spaces(p);
  }
};

}  // namespace

Entry<PreTokenizer> o200k_pretokenizer() {
  Entry<PreTokenizer> entry{{"o200k",
                             "as tiktoken's o200k_base (GPT-4o, gpt-oss): words by case, with their contraction",
                             "OpenAI, tiktoken, 2024"}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> {
    return std::make_unique<ScanningPreTokenizer<O200kScanner>>(LLMKIT_SPLIT_THEN_BYTES(
        R"([^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+)"));
  };
  return entry;
}

}  // namespace llmkit::tokenizer
