// BERT's cleaning (Devlin et al. 2019): control characters vanish, white space is a space, ideographs stand alone,
// accents and capitals go. Unassigned characters stay, as in Hugging Face's tokenizers.
#include "base/json_writer.h"
#include "tokenizer/normalizers/mapped_text.h"
#include "tokenizer/unicode_class.h"
#include "tokenizer/unicode_normal.h"

namespace llmkit::tokenizer {
namespace {

constexpr ClassSet kDropped{CharClass::control, CharClass::format, CharClass::private_use};

// The blocks that BERT counts as Chinese; 0x2B920 for 0x2B820 is Hugging Face's, whose ids we give.
bool is_ideograph(uint32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

struct Cleaning {
  bool clean_text, chinese, strip_accents, lowercase;
};

class Bert : public Normalizer {
 public:
  explicit Bert(Cleaning cleaning) : cleaning_(cleaning), nfd_(normalizers().make("nfd")) {}

  void normalize(std::string_view text, TextStart start, std::string& out,
                 std::vector<size_t>* origins) const override {
    if (!cleaning_.strip_accents) return clean(text, out, origins, true);
    // Marks may come from anywhere, so they are looked for after the decomposition of the cleaned text.
    std::string cleaned, apart;
    std::vector<size_t> from_text, from_cleaned;
    clean(text, cleaned, origins ? &from_text : nullptr, false);
    nfd_->normalize(cleaned, start, apart, origins ? &from_cleaned : nullptr);
    std::vector<size_t> from_apart;
    finish(apart, out, origins ? &from_apart : nullptr);
    if (!origins) return;
    for (size_t at : from_apart) origins->push_back(from_text[from_cleaned[at]]);
  }
  std::string hugging_face_json() const override {
    std::string out;
    JsonWriter w(out);
    w.begin_object().member("type", "BertNormalizer").member("clean_text", cleaning_.clean_text);
    w.member("handle_chinese_chars", cleaning_.chinese).member("strip_accents", cleaning_.strip_accents);
    w.member("lowercase", cleaning_.lowercase).end_object();
    return out;
  }

 private:
  // Everything but accents; capitals too where `last`.
  void clean(std::string_view text, std::string& out, std::vector<size_t>* origins, bool last) const {
    MappedText mapped(text, out, origins);
    for (size_t at = 0; at < text.size();) {
      Utf8Char c = decode_utf8(text.data() + at, text.data() + text.size());
      size_t next = at + c.length;
      if (c.code_point > 0x10FFFF) {
        if (!cleaning_.clean_text) mapped.copy(at, next);
        at = next;
        continue;
      }
      CharClass cls = class_of(c.code_point);
      bool drop = cleaning_.clean_text &&
                  (kDropped(cls) || c.code_point == 0 || c.code_point == 0xFFFD || c.code_point == 0x85);
      if (drop) {
      } else if (cleaning_.clean_text && is_space(cls)) {
        bool kept_out = c.code_point == 0x0B || c.code_point == 0x0C;  // control characters that are white space
        if (!kept_out) mapped.put(" ", at);
      } else if (cleaning_.chinese && is_ideograph(c.code_point)) {
        mapped.put(" ", at);
        mapped.copy(at, next);
        mapped.put(" ", at);
      } else {
        write(c.code_point, at, next, last, mapped);
      }
      at = next;
    }
  }
  void finish(std::string_view text, std::string& out, std::vector<size_t>* origins) const {
    MappedText mapped(text, out, origins);
    for (size_t at = 0; at < text.size();) {
      Utf8Char c = decode_utf8(text.data() + at, text.data() + text.size());
      bool mark = c.code_point <= 0x10FFFF && class_of(c.code_point) == CharClass::nonspacing_mark;
      if (!mark) write(c.code_point, at, at + c.length, true, mapped);
      at += c.length;
    }
  }
  void write(uint32_t code, size_t at, size_t next, bool last, MappedText& mapped) const {
    if (!last || !cleaning_.lowercase || code > 0x10FFFF || !(normal_flags(code) & kHasLower))
      return mapped.copy(at, next);
    for (uint32_t lower : lower_case(code)) mapped.put_code(lower, at);
  }

  Cleaning cleaning_;
  std::unique_ptr<Normalizer> nfd_;
};

}  // namespace

Entry<Normalizer> bert_normalizer() {
  Entry<Normalizer> entry{{"bert", "control characters, accents and capitals removed, ideographs apart",
                           "Devlin et al., BERT: pre-training of deep bidirectional transformers, 2019"}};
  entry.params = {{"clean-text", ParamType::boolean, "true", "remove control characters, white space as spaces"},
                  {"chinese", ParamType::boolean, "true", "spaces around ideographs"},
                  {"strip-accents", ParamType::boolean, "true", "remove accents"},
                  {"lowercase", ParamType::boolean, "true", "lower case"}};
  entry.make = [](const Values& v) -> std::unique_ptr<Normalizer> {
    return std::make_unique<Bert>(
        Cleaning{v.boolean("clean-text"), v.boolean("chinese"), v.boolean("strip-accents"), v.boolean("lowercase")});
  };
  return entry;
}

}  // namespace llmkit::tokenizer
