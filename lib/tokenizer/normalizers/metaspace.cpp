// Spaces become "▁", and the text gets one in front if it does not begin with one: the text half of Hugging Face's
// Metaspace pre-tokenizer (the cutting half is the pre-tokenizer "metaspace").
#include "tokenizer/normalizer.h"

namespace llmkit::tokenizer {
namespace {

enum class Scheme { always, first, never };

class Metaspace : public Normalizer {
 public:
  explicit Metaspace(Scheme scheme) : scheme_(scheme) {}

  void normalize(std::string_view text, TextStart start, std::string& out,
                 std::vector<size_t>* origins) const override {
    auto put = [&](std::string_view bytes, size_t at) {
      out += bytes;
      if (origins) origins->insert(origins->end(), bytes.size(), at);
    };
    bool wanted = scheme_ == Scheme::always ? start != TextStart::inside
                                            : scheme_ == Scheme::first && start == TextStart::document;
    if (wanted && !text.empty() && text[0] != ' ' && !text.starts_with(kSpaceMark)) put(kSpaceMark, 0);
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == ' ')
        put(kSpaceMark, i);
      else
        put(text.substr(i, 1), i);
    }
  }
  // Written by the pre-tokenizer of the same name.
  std::string hugging_face_json() const override { return {}; }

 private:
  Scheme scheme_;
};

}  // namespace

Entry<Normalizer> metaspace_normalizer() {
  Entry<Normalizer> entry{
      {"metaspace", "spaces become ▁, with one in front", "Kudo and Richardson, SentencePiece, 2018"}};
  entry.params = {{"prepend", ParamType::text, "always", "always, first (only at the document's start) or never"}};
  entry.make = [](const Values& v) -> std::unique_ptr<Normalizer> {
    const std::string& scheme = v.text("prepend");
    if (scheme == "always") return std::make_unique<Metaspace>(Scheme::always);
    if (scheme == "first") return std::make_unique<Metaspace>(Scheme::first);
    if (scheme == "never") return std::make_unique<Metaspace>(Scheme::never);
    throw UsageError(ErrorParts{"unknown prepend scheme", {}, "always, first or never", scheme, {}});
  };
  return entry;
}

}  // namespace llmkit::tokenizer
