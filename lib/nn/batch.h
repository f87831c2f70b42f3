// What a layer is told about the rows it is given, besides their values.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "tensor/ops.h"

namespace llmkit::nn {

// Where random numbers are drawn in a block; the numbers name streams, so they must not change.
enum class Site : uint64_t { embedding = 1, attention = 2, attention_output = 3, ffn_output = 4 };

// A training or scoring batch: rows are sequences · length tokens.
struct BatchContext {
  int64_t sequences = 1, length = 1;
  std::span<const int32_t> positions;  // [rows]
  std::span<const int32_t> documents;  // [rows] or empty
  uint64_t first_sequence_id = 0;
  bool dropout = true;

  ops::DropoutSite site(double rate, uint64_t layer, Site where) const {
    return {dropout ? rate : 0.0, first_sequence_id, sequences, layer, static_cast<uint64_t>(where)};
  }
};

// What one layer keeps of one sequence's past.
class LayerState {
 public:
  virtual ~LayerState() = default;
  virtual int64_t length() const = 0;
  virtual void truncate(int64_t length) = 0;
  virtual std::unique_ptr<LayerState> fork() const = 0;
  virtual void reserve(int64_t tokens) = 0;
  virtual size_t bytes() const = 0;
};

// A decode call: the rows of several sequences one after another.
struct DecodeContext {
  struct Part {
    LayerState* state;
    int64_t rows;
  };
  std::span<const Part> parts;
  std::span<const int32_t> positions;  // [rows]
};

}  // namespace llmkit::nn
