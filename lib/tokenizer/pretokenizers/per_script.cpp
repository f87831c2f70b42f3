// Cuts where the script changes: kana counts as Han, and a space goes with what stands before it (as SentencePiece's
// split_by_unicode_script and Hugging Face's UnicodeScripts).
#include "tokenizer/scanner.h"
#include "tokenizer/unicode_script.h"

namespace llmkit::tokenizer {
namespace {

class PerScriptScanner {
 public:
  PerScriptScanner()
      : han_(script_named("Han")), hiragana_(script_named("Hiragana")), katakana_(script_named("Katakana")) {}

  const char* next(const char* p, const Scan& scan) const {
    int current = -1;  // spaces before the first character go with it
    while (p < scan.end()) {
      Utf8Char c = decode_utf8(p, scan.end());
      if (c.code_point != ' ') {
        int script = joined(c.code_point);
        if (current >= 0 && script != current) return p;
        current = script;
      }
      p += c.length;
    }
    return p;
  }

 private:
  int joined(uint32_t code) const {
    uint8_t script = script_of(code);
    return script == hiragana_ || script == katakana_ || code == 0x30FC ? han_ : script;
  }

  uint8_t han_, hiragana_, katakana_;
};

}  // namespace

Entry<PreTokenizer> per_script_pretokenizer() {
  Entry<PreTokenizer> entry{
      {"per-script", "where the script changes; words may join", "Kudo and Richardson, SentencePiece, 2018"}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> {
    return std::make_unique<ScanningPreTokenizer<PerScriptScanner>>(
        R"({"type":"Sequence","pretokenizers":[{"type":"UnicodeScripts"},)" LLMKIT_BYTE_LEVEL("false") "]}",
        PieceTraits{.breaks_at_words = false});
  };
  return entry;
}

}  // namespace llmkit::tokenizer
