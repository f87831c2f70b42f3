// Inverted dropout (Srivastava et al. 2014): y_i = keep_i · x_i / (1 - rate). keep_i is a pure function of (key, i)
// by Philox, so the backward and a recomputation draw the same mask from the same key; nothing is stored.
#pragma once

#include <cstdint>

#include "kernels/exec.h"

namespace llmkit::kernels {

// x and y are [sequences, n_per_sequence]; sequence s uses keys[s]. y may be x. accumulate: y += (the backward: dx +=
// drop(dy)).
template <class T>
void dropout(const Exec& ex, T* y, const T* x, int64_t sequences, int64_t n_per_sequence, const uint64_t* keys,
             double rate, bool accumulate = false);

// Element `index` of row `row` of stream `key` is kept. dropout() uses row 0; attention draws the mask of (head, query,
// key) as row head·2³² + query position, index = key position.
bool dropout_keeps(uint64_t key, uint64_t index, double rate, uint64_t row = 0);

}  // namespace llmkit::kernels
