// Top-k: only the k most probable tokens can be drawn (Fan, Lewis, Dauphin, "Hierarchical neural story generation",
// 2018).
#include "decode/sampler.h"

namespace llmkit::decode {
namespace {

class TopK : public Sampler {
 public:
  explicit TopK(size_t k) : k_(k) {}
  void apply(Candidates& c, const History&) const override {
    c.order(k_);
    c.keep(k_);
  }

 private:
  size_t k_;
};

}  // namespace

Entry<Sampler> top_k_sampler() {
  return {{"top-k",
           "keep the k most probable tokens",
           "Fan et al. 2018, arXiv 1805.04833",
           {{"k", ParamType::integer, "40", "how many tokens stay", 1, 1e9}}},
          [](const Values& v) -> std::unique_ptr<Sampler> {
            return std::make_unique<TopK>(static_cast<size_t>(v.integer("k")));
          }};
}

}  // namespace llmkit::decode
