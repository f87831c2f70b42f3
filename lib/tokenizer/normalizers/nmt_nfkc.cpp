// SentencePiece's default rules, without what it does to spaces.
#include "tokenizer/charsmap_rules.h"
#include "tokenizer/normalizers/sentencepiece.h"

namespace llmkit::tokenizer {
namespace {

class NmtNfkc : public Normalizer {
 public:
  void normalize(std::string_view text, TextStart start, std::string& out,
                 std::vector<size_t>* origins) const override {
    static const SentencePieceNormalizer rules(Charsmap(nmt_nfkc_charsmap()), {false, false, false, false});
    rules.normalize(text, start, out, origins);
  }
  // A "Precompiled" step is read by the name sentencepiece.
  std::string hugging_face_json() const override { return {}; }
};

}  // namespace

Entry<Normalizer> nmt_nfkc_normalizer() {
  Entry<Normalizer> entry{{"nmt-nfkc",
                           "the rules of SentencePiece 0.2's nmt_nfkc: nfkc, spaces of every kind, no controls",
                           "Kudo and Richardson, SentencePiece, 2018"}};
  entry.make = [](const Values&) -> std::unique_ptr<Normalizer> { return std::make_unique<NmtNfkc>(); };
  return entry;
}

}  // namespace llmkit::tokenizer
