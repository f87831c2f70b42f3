// White space: none at the ends (strip), one space for several (collapse-spaces).
#include "base/json_writer.h"
#include "tokenizer/normalizers/mapped_text.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

class Strip : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}

  void normalize(std::string_view text, TextStart, std::string& out, std::vector<size_t>* origins) const override {
    size_t from = 0, to = text.size();
    for (ScannedChar c; left_ && from < to; from += c.length)
      if (c = scan_char(text.data() + from, text.data() + to); !is_space(c.cls)) break;
    for (ScannedChar c; right_ && to > from; to -= c.length)
      if (c = char_before(text, to); !is_space(c.cls)) break;
    MappedText(text, out, origins).copy(from, to);
  }
  bool needs_whole_text() const override { return true; }
  std::string hugging_face_json() const override {
    std::string out;
    JsonWriter w(out);
    w.begin_object().member("type", "Strip").member("strip_left", left_).member("strip_right", right_).end_object();
    return out;
  }

 private:
  bool left_, right_;
};

class CollapseSpaces : public Normalizer {
 public:
  explicit CollapseSpaces(std::string to) : to_(std::move(to)) {}

  void normalize(std::string_view text, TextStart, std::string& out, std::vector<size_t>* origins) const override {
    MappedText mapped(text, out, origins);
    size_t copied = 0;
    for (size_t at; (at = text.find("  ", copied)) != std::string_view::npos;) {
      mapped.copy(copied, at);
      mapped.put(to_, at);
      copied = std::min(text.find_first_not_of(' ', at), text.size());
    }
    mapped.copy(copied, text.size());
  }
  std::string hugging_face_json() const override {
    std::string out;
    JsonWriter w(out);
    w.begin_object().member("type", "Replace").key("pattern").begin_object().member("Regex", " {2,}").end_object();
    w.member("content", to_).end_object();
    return out;
  }

 private:
  std::string to_;
};

}  // namespace

Entry<Normalizer> strip_normalizer() {
  Entry<Normalizer> entry{{"strip", "no white space at the ends", ""}};
  entry.params = {{"left", ParamType::boolean, "true", "at the beginning"},
                  {"right", ParamType::boolean, "true", "at the end"}};
  entry.make = [](const Values& v) -> std::unique_ptr<Normalizer> {
    return std::make_unique<Strip>(v.boolean("left"), v.boolean("right"));
  };
  return entry;
}

Entry<Normalizer> collapse_spaces_normalizer() {
  Entry<Normalizer> entry{{"collapse-spaces", "two or more spaces become one", ""}};
  entry.params = {{"to", ParamType::text, " ", "what stands for them"}};
  entry.make = [](const Values& v) -> std::unique_ptr<Normalizer> {
    return std::make_unique<CollapseSpaces>(v.text("to"));
  };
  return entry;
}

}  // namespace llmkit::tokenizer
