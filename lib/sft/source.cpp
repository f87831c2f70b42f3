#include "sft/source.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/rng.h"
#include "engine/data_order.h"

namespace llmkit::sft {
namespace {

constexpr uint64_t kOrderStream = 0x736674;  // "sft"

std::vector<Row> pack(const std::vector<Example>& examples, const SourceOptions& options) {
  std::vector<int64_t> lengths;
  for (auto& e : examples) lengths.push_back(e.inputs());
  return options.packing ? pack_best_fit(lengths, options.max_length) : pack_none(lengths);
}

}  // namespace

Source::Source(const std::vector<Example>& train, const std::vector<Example>& validation, const SourceOptions& options)
    : train_(train),
      validation_(validation),
      options_(options),
      train_rows_(pack(train, options)),
      validation_rows_(pack(validation, options)) {
  for (auto* rows : {&train_rows_, &validation_rows_})
    for (auto& row : *rows) length_ = std::max(length_, row.used);
}

double Source::fill() const {
  int64_t used = 0;
  for (auto& row : train_rows_) used += row.used;
  return static_cast<double>(used) / static_cast<double>(std::max<int64_t>(1, rows() * length_));
}

int64_t Source::steps(double epochs) const {
  double per_step = static_cast<double>(options_.sequences * options_.micro_batches);
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(epochs * static_cast<double>(rows()) / per_step)));
}

uint64_t Source::fingerprint() const {
  Xxh3 hash;
  for (auto* examples : {&train_, &validation_}) {
    for (auto& e : *examples) {
      hash.update(std::as_bytes(std::span(e.tokens)));
      std::string mask;
      for (bool trained : e.trained) mask += trained ? '1' : '0';
      hash.update(mask);
    }
    hash.update("|");
  }
  return hash.digest64();
}

const Row& Source::row(uint64_t number) const {
  uint64_t count = train_rows_.size(), epoch = number / count;
  engine::Permutation order(count, stream_key({options_.seed, kOrderStream, epoch}));
  return train_rows_[order(number % count)];
}

engine::StepShape Source::begin(int64_t step) {
  engine::StepShape shape;
  shape.micro_batches = options_.micro_batches;
  int64_t count = options_.sequences * options_.micro_batches;
  shape.tokens = count * length_;
  for (int64_t i = 0; i < count; ++i)
    for (int64_t e : row(static_cast<uint64_t>(step * count + i)).examples)
      shape.targets += train_[static_cast<size_t>(e)].targets();
  return shape;
}

void Source::micro_batch(int64_t step, int64_t micro, engine::LmBatch& batch) {
  auto first = static_cast<uint64_t>((step * options_.micro_batches + micro) * options_.sequences);
  packed_.clear();
  for (int64_t i = 0; i < options_.sequences; ++i)
    packed_.add_row(row(first + static_cast<uint64_t>(i)), train_, length_, options_.pad);
  move_to(batch, options_.sequences, first);
}

int64_t Source::validation_batches() const {
  return (static_cast<int64_t>(validation_rows_.size()) + options_.sequences - 1) / options_.sequences;
}

void Source::validation_batch(int64_t index, engine::LmBatch& batch) {
  int64_t begin = index * options_.sequences;
  int64_t end = std::min(begin + options_.sequences, static_cast<int64_t>(validation_rows_.size()));
  packed_.clear();
  for (int64_t i = begin; i < end; ++i)
    packed_.add_row(validation_rows_[static_cast<size_t>(i)], validation_, length_, options_.pad);
  move_to(batch, end - begin, 0);
}

void Source::move_to(engine::LmBatch& batch, int64_t rows, uint64_t first) {
  batch.sequences = rows;
  batch.length = length_;
  batch.tokens.swap(packed_.tokens);
  batch.targets.swap(packed_.targets);
  batch.documents.swap(packed_.documents);
  batch.positions.swap(packed_.positions);
  batch.first_sequence = first;
}

}  // namespace llmkit::sft
