// Keeps only the most probable token: argmax decoding.
#include "decode/sampler.h"

namespace llmkit::decode {
namespace {

class Greedy : public Sampler {
 public:
  void apply(Candidates& c, const History&) const override {
    c.order(1);
    c.keep(1);
  }
};

}  // namespace

Entry<Sampler> greedy_sampler() {
  return {{"greedy", "keep only the most probable token", "", {}},
          [](const Values&) -> std::unique_ptr<Sampler> { return std::make_unique<Greedy>(); }};
}

}  // namespace llmkit::decode
