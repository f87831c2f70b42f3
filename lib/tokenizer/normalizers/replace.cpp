// Every occurrence of a text becomes another, from the left, without overlap.
#include "base/json_writer.h"
#include "tokenizer/normalizer.h"

namespace llmkit::tokenizer {
namespace {

class Replace : public Normalizer {
 public:
  Replace(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}

  void normalize(std::string_view text, TextStart, std::string& out, std::vector<size_t>* origins) const override {
    for (size_t at = 0; at < text.size();) {
      size_t found = from_.empty() ? std::string_view::npos : text.find(from_, at);
      size_t end = found == std::string_view::npos ? text.size() : found;
      out.append(text, at, end - at);
      if (origins)
        for (size_t i = at; i < end; ++i) origins->push_back(i);
      if (found == std::string_view::npos) break;
      out += to_;
      if (origins) origins->insert(origins->end(), to_.size(), found);
      at = found + from_.size();
    }
  }
  std::string hugging_face_json() const override {
    std::string out;
    JsonWriter w(out);
    w.begin_object().member("type", "Replace").key("pattern").begin_object().member("String", from_).end_object();
    w.member("content", to_).end_object();
    return out;
  }

 private:
  std::string from_, to_;
};

}  // namespace

Entry<Normalizer> replace_normalizer() {
  Entry<Normalizer> entry{{"replace", "one text for another", ""}};
  entry.params = {{"from", ParamType::text, " ", "what is replaced"},
                  {"to", ParamType::text, "\xE2\x96\x81", "what stands there instead"}};
  entry.make = [](const Values& v) -> std::unique_ptr<Normalizer> {
    return std::make_unique<Replace>(v.text("from"), v.text("to"));
  };
  return entry;
}

}  // namespace llmkit::tokenizer
