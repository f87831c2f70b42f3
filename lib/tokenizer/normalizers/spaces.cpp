// White space: none at the ends (strip), one space for several (collapse-spaces), and what SentencePiece does
// (sentencepiece-spaces): extra ones removed, a dummy one in front or behind, each written as "▁".
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

struct SpaceRules {
  bool remove_extra, escape;
  enum class Dummy { none, front, behind } dummy;
};

class SentencePieceSpaces : public Normalizer {
 public:
  explicit SentencePieceSpaces(SpaceRules rules) : rules_(rules), mark_(rules.escape ? kSpaceMark : " ") {}

  void normalize(std::string_view text, TextStart start, std::string& out,
                 std::vector<size_t>* origins) const override {
    MappedText mapped(text, out, origins);
    size_t at = 0, end = text.size();
    if (rules_.remove_extra) {
      at = std::min(text.find_first_not_of(' '), end);
      end = text.find_last_not_of(' ') + 1;  // npos + 1 == 0
    }
    if (at >= end) return;
    bool dummy = start != TextStart::inside;
    if (dummy && rules_.dummy == SpaceRules::Dummy::front) mapped.put(mark_, at);
    while (at < end) {
      size_t space = std::min(text.find(' ', at), end);
      mapped.copy(at, space);
      if (space == end) break;
      mapped.put(mark_, space);
      at = space + 1;
      if (rules_.remove_extra) at = std::min(text.find_first_not_of(' ', at), end);
    }
    if (dummy && rules_.dummy == SpaceRules::Dummy::behind) mapped.put(mark_, end);
  }
  bool needs_whole_text() const override { return rules_.remove_extra || rules_.dummy != SpaceRules::Dummy::none; }
  std::string hugging_face_json() const override {
    std::string out;
    JsonWriter w(out);
    w.begin_object().member("type", "Sequence").key("normalizers").begin_array();
    auto replace = [&](const char* kind, std::string_view from, std::string_view to) {
      w.begin_object().member("type", "Replace").key("pattern").begin_object().member(kind, from).end_object();
      w.member("content", to).end_object();
    };
    if (rules_.remove_extra) {
      replace("Regex", " {2,}", " ");
      w.begin_object().member("type", "Strip").member("strip_left", true).member("strip_right", true).end_object();
    }
    if (rules_.dummy == SpaceRules::Dummy::front)
      w.begin_object().member("type", "Prepend").member("prepend", " ").end_object();
    if (rules_.dummy == SpaceRules::Dummy::behind) replace("Regex", "\\z", " ");
    if (rules_.escape) replace("String", " ", kSpaceMark);
    w.end_array().end_object();
    return out;
  }

 private:
  SpaceRules rules_;
  std::string_view mark_;
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

Entry<Normalizer> sentencepiece_spaces_normalizer() {
  Entry<Normalizer> entry{{"sentencepiece-spaces", "spaces as SentencePiece wants them: no extra ones, a dummy, marks",
                           "Kudo and Richardson, SentencePiece, 2018"}};
  entry.params = {{"remove-extra", ParamType::boolean, "true", "one for several, none at the ends"},
                  {"dummy", ParamType::text, "front", "front, behind or none: a space put there"},
                  {"escape", ParamType::boolean, "true", "spaces are written as ▁"}};
  entry.make = [](const Values& v) -> std::unique_ptr<Normalizer> {
    using Dummy = SpaceRules::Dummy;
    const std::string& dummy = v.text("dummy");
    if (dummy != "front" && dummy != "behind" && dummy != "none")
      throw UsageError(ErrorParts{"unknown place of the dummy space", {}, "front, behind or none", dummy, {}});
    return std::make_unique<SentencePieceSpaces>(SpaceRules{v.boolean("remove-extra"), v.boolean("escape"),
                                                            dummy == "front"    ? Dummy::front
                                                            : dummy == "behind" ? Dummy::behind
                                                                                : Dummy::none});
  };
  return entry;
}

}  // namespace llmkit::tokenizer
