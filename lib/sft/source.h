// Batches of packed conversations for the fit loop. A step takes the next rows of the current epoch's order, which is a
// pure function of (seed, epoch); the loss of a step is the mean over its targets, however they are spread over rows.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/loader.h"
#include "sft/packing.h"

namespace llmkit::sft {

struct SourceOptions {
  uint64_t seed = 0;
  int64_t max_length = 512;   // positions of a row
  int64_t sequences = 8;      // rows of a micro-batch
  int64_t micro_batches = 1;  // of a step
  bool packing = true;
  int32_t pad = 0;
};

class Source final : public engine::BatchSource {
 public:
  // `validation` may be empty. Both must outlive the source.
  Source(const std::vector<Example>& train, const std::vector<Example>& validation, const SourceOptions& options);

  engine::StepShape begin(int64_t step) override;
  void micro_batch(int64_t step, int64_t micro, engine::LmBatch& batch) override;
  int64_t validation_batches() const override;
  void validation_batch(int64_t index, engine::LmBatch& batch) override;

  int64_t rows() const { return static_cast<int64_t>(train_rows_.size()); }
  int64_t length() const { return length_; }
  double fill() const;                 // share of the positions that hold an example
  int64_t steps(double epochs) const;  // that go through the data so often, at least 1
  uint64_t fingerprint() const;        // of tokens and masks

 private:
  const Row& row(uint64_t number) const;  // counted from 0 over the whole run
  void move_to(engine::LmBatch& batch, int64_t rows, uint64_t first);

  const std::vector<Example>& train_;
  const std::vector<Example>& validation_;
  SourceOptions options_;
  std::vector<Row> train_rows_, validation_rows_;
  int64_t length_ = 1;
  PackedBatch packed_;
};

}  // namespace llmkit::sft
