// Perplexity of documents (field text) by rolling log-likelihood, each token predicted once. Comparable between
// tokenizers: bits_per_byte = -log2 p(text) / bytes, and byte_perplexity; token_perplexity is not.
#include <cmath>
#include <numbers>

#include "eval/task.h"

namespace llmkit::eval {
namespace {

class Perplexity : public Task {
 public:
  bool recognises(std::string_view name) const override {
    return name.ends_with(".txt") || name.ends_with(".txt.zst") || name.ends_with(".txt.gz") ||
           name.find("validation") != std::string_view::npos || name.find("_dev") != std::string_view::npos;
  }
  std::vector<Item> load(const std::string& path) const override { return load_documents(path); }
  std::vector<Request> requests(const Item& item) const override {
    return {{Request::Kind::rolling, "", text_field(item, "text"), {}, 0}};
  }
  std::vector<Score> score(const Item& item, const std::vector<Response>& r) const override {
    double bytes = static_cast<double>(text_field(item, "text").size()), tokens = static_cast<double>(r[0].tokens);
    if (bytes == 0 || tokens == 0) return {};
    return {{"bits_per_byte", -r[0].logprob / std::numbers::ln2 / bytes, bytes},
            {"byte_perplexity", -r[0].logprob / bytes, bytes},
            {"token_perplexity", -r[0].logprob / tokens, tokens}};
  }
};

}  // namespace

Entry<Task> perplexity_task() {
  return {{"perplexity", "bits per byte and perplexity of documents (JSON Lines with text, or plain text)", "", {}},
          [](const Values&) -> std::unique_ptr<Task> { return std::make_unique<Perplexity>(); }};
}

}  // namespace llmkit::eval
