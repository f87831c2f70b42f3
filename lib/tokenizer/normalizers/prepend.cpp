// A text before every segment that is not empty (Llama 2's tokenizer.json: "▁").
#include "base/json_writer.h"
#include "tokenizer/normalizer.h"

namespace llmkit::tokenizer {
namespace {

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string text) : prefix_(std::move(text)) {}

  void normalize(std::string_view text, TextStart start, std::string& out,
                 std::vector<size_t>* origins) const override {
    bool put = start != TextStart::inside && !text.empty();
    if (put) out += prefix_;
    out += text;
    if (!origins) return;
    if (put) origins->insert(origins->end(), prefix_.size(), 0);
    for (size_t i = 0; i < text.size(); ++i) origins->push_back(i);
  }
  std::string hugging_face_json() const override {
    std::string out;
    JsonWriter w(out);
    w.begin_object().member("type", "Prepend").member("prepend", prefix_).end_object();
    return out;
  }

 private:
  std::string prefix_;
};

}  // namespace

Entry<Normalizer> prepend_normalizer() {
  Entry<Normalizer> entry{{"prepend", "a text before every segment", ""}};
  entry.params = {{"text", ParamType::text, "\xE2\x96\x81", "what is put there"}};
  entry.make = [](const Values& v) -> std::unique_ptr<Normalizer> { return std::make_unique<Prepend>(v.text("text")); };
  return entry;
}

}  // namespace llmkit::tokenizer
