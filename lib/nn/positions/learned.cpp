// A learned vector per position, added to the embeddings (Gehring et al. 2017; GPT-2).
#include "nn/position.h"

namespace llmkit::nn {
namespace {

class Learned : public Position {
 public:
  void declare(ParameterStore& store, const PositionShape& shape) override {
    table_ = store.add(
        {"embedding.position.weight", {shape.max_positions, shape.hidden}, Init::normal, shape.deviation, true});
  }
  Tensor embed(Tape& tape, const ParameterStore& store, const Tensor& x,
               std::span<const int32_t> positions) const override {
    return ops::embedding(tape, store.tensor(table_), positions, x);
  }

 private:
  ParameterId table_ = kNoParameter;
};

}  // namespace

Entry<Position> position_learned() {
  return {{"learned", "a trained vector per position, added to the embeddings",
           "Gehring et al.: Convolutional sequence to sequence learning, 2017"},
          [](const Values&) -> std::unique_ptr<Position> { return std::make_unique<Learned>(); }};
}

}  // namespace llmkit::nn
