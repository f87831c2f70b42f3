// The products of other libraries, where they were found at configure time: what ours are measured against.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace llmkit::bench {

enum class Form : uint8_t { forward, input_gradient, weight_gradient };

// y[M,N] = x[M,K] W[N,K]ᵀ, dx = dy W, dW = dyᵀ x, on raw row-major arrays.
struct Layer {
  int64_t rows, out, in;
  float *x, *w, *y, *dw;
};

std::string peer_names();                                               // with versions and kernel sets
std::function<void()> openblas_product(const Layer& layer, Form form);  // empty where the library is missing
// Weights are reordered once, here; bf16 inputs are converted here too: only the product itself is timed.
std::function<void()> onednn_product(const Layer& layer, Form form, bool bf16);

// Starts the program again with a clean environment and the peers' best settings, unless it has them.
void use_best_settings(int threads, char** argv);

}  // namespace llmkit::bench
