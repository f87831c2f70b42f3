#include "sft/packing.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace llmkit::sft {

std::vector<Row> pack_best_fit(std::span<const int64_t> lengths, int64_t capacity) {
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return lengths[static_cast<size_t>(a)] > lengths[static_cast<size_t>(b)];
  });
  std::vector<Row> rows;
  std::set<std::pair<int64_t, size_t>> room;  // free positions, row
  for (int64_t example : order) {
    int64_t length = lengths[static_cast<size_t>(example)];
    auto best = room.lower_bound({length, 0});
    size_t row = rows.size();
    if (best == room.end()) {
      rows.emplace_back();
    } else {
      row = best->second;
      room.erase(best);
    }
    rows[row].examples.push_back(example);
    rows[row].used += length;
    if (rows[row].used < capacity) room.emplace(capacity - rows[row].used, row);
  }
  return rows;
}

std::vector<Row> pack_none(std::span<const int64_t> lengths) {
  std::vector<Row> rows;
  for (size_t i = 0; i < lengths.size(); ++i) rows.push_back({{static_cast<int64_t>(i)}, lengths[i]});
  return rows;
}

void PackedBatch::clear() {
  tokens.clear();
  positions.clear();
  documents.clear();
  targets.clear();
}

void PackedBatch::add_row(const Row& row, std::span<const Example> examples, int64_t length, int32_t pad) {
  size_t end = tokens.size() + static_cast<size_t>(length);
  int32_t document = 0;
  for (int64_t index : row.examples) {
    const Example& e = examples[static_cast<size_t>(index)];
    for (size_t i = 0; i + 1 < e.tokens.size(); ++i) {
      bool trained = e.trained[i + 1];
      tokens.push_back(e.tokens[i]);
      positions.push_back(static_cast<int32_t>(i));
      documents.push_back(document);
      targets.push_back(trained ? e.tokens[i + 1] : -1);
    }
    ++document;
  }
  for (int32_t i = 0; tokens.size() < end; ++i) {
    tokens.push_back(pad);
    positions.push_back(i);
    documents.push_back(document);
    targets.push_back(-1);
  }
}

}  // namespace llmkit::sft
