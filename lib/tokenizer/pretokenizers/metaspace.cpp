// Cuts before every "▁" (U+2581), the mark into which a normalizer has turned the spaces.
#include "tokenizer/scanner.h"

namespace llmkit::tokenizer {
namespace {

struct MetaspaceScanner {
  const char* next(const char* p, const Scan& scan) const {
    std::string_view text(p, static_cast<size_t>(scan.end() - p));
    size_t mark = text.find("\xE2\x96\x81", 1);
    return mark == std::string_view::npos ? scan.end() : p + mark;
  }
};

}  // namespace

Entry<PreTokenizer> metaspace_pretokenizer() {
  Entry<PreTokenizer> entry{
      {"metaspace", "before every ▁, the mark of a space (SentencePiece)", "Kudo and Richardson, SentencePiece, 2018"}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> {
    return std::make_unique<ScanningPreTokenizer<MetaspaceScanner>>(
        R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true})",
        PieceTraits{.breaks_at_words = false});
  };
  return entry;
}

}  // namespace llmkit::tokenizer
