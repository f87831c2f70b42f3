// Rotary embedding: pair j of a head is turned by position · θ^(-2j/d) (Su et al. 2021, equation 15), in the
// rotate-half layout of Hugging Face's Llama.
#include <cmath>

#include "nn/position.h"

namespace llmkit::nn {
namespace {

class Rope : public Position {
 public:
  explicit Rope(double theta) : theta_(theta) {}

  void declare(ParameterStore& store, const PositionShape& shape) override {
    head_dim_ = shape.head_dim;
    positions_ = shape.max_positions;
    if (head_dim_ % 2 != 0) throw Error("rope needs an even head_dim, found " + std::to_string(head_dim_));
    std::vector<double> frequency(static_cast<size_t>(head_dim_ / 2));
    for (size_t j = 0; j < frequency.size(); ++j)
      frequency[j] = std::pow(theta_, -2.0 * static_cast<double>(j) / static_cast<double>(head_dim_));
    auto bytes = static_cast<size_t>(positions_ * head_dim_ / 2 * element_bytes(store.dtype()));
    cos_ = MemoryBlock(bytes);
    sin_ = MemoryBlock(bytes);
    dispatch(store.dtype(), [&]<class T>() {
      kernels::rope_table<T>(reinterpret_cast<T*>(cos_.data()), reinterpret_cast<T*>(sin_.data()), frequency.data(),
                             positions_, head_dim_);
    });
  }

  Tensor turn(Tape& tape, const Tensor& x, int64_t heads, std::span<const int32_t> positions) const override {
    ops::RopeOptions options;
    options.heads = heads;
    options.head_dim = head_dim_;
    options.in_place = true;
    return ops::rope(tape, x, {cos_.data(), sin_.data(), positions_, head_dim_}, positions, options);
  }

 private:
  double theta_;
  int64_t head_dim_ = 0, positions_ = 0;
  MemoryBlock cos_, sin_;
};

}  // namespace

Entry<Position> position_rope() {
  return {{"rope",
           "queries and keys turned by an angle that grows with the position",
           "Su et al.: RoFormer, 2021",
           {{"theta", ParamType::real, "10000", "base of the wavelengths", 1, 1e12}}},
          [](const Values& v) -> std::unique_ptr<Position> { return std::make_unique<Rope>(v.real("theta")); }};
}

}  // namespace llmkit::nn
