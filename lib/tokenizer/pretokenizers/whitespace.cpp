// Runs of anything but white space; white space only separates them.
#include "tokenizer/scanner.h"

namespace llmkit::tokenizer {
namespace {

struct WhitespaceScanner {
  const char* next(const char* p, const Scan& scan) const {
    ScannedChar c = scan.at(p);
    return scan.run(p + c.length, is_space(c.cls) ? is_space : ~is_space);
  }
};

}  // namespace

Entry<PreTokenizer> whitespace_pretokenizer() {
  Entry<PreTokenizer> entry{{"whitespace", "words between white space, which gets no tokens", ""}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> {
    return std::make_unique<ScanningPreTokenizer<WhitespaceScanner>>(R"({"type":"WhitespaceSplit"})",
                                                                     PieceTraits{.drops_spaces = true});
  };
  return entry;
}

}  // namespace llmkit::tokenizer
