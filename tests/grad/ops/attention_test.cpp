#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_attention() {
  auto run = [](ops::AttentionOptions o) { return [o](Tape& t, std::span<const Tensor> x) { return ops::attention(t, x[0], o); }; };
  static const std::vector<int32_t> documents = {0, 0, 1, 1, 1, 0, 0, 0, 0, 1};
  ops::AttentionOptions plain;
  plain.sequences = 2;
  plain.heads = 2;
  plain.kv_heads = 2;
  plain.head_dim = 4;
  plain.scale = 0.5;
  ops::AttentionOptions grouped = plain, window = plain, both_ways = plain, block = plain, dropped = plain;
  grouped.heads = 4;
  window.window = 3;
  both_ways.causal = false;
  block.documents = documents;
  dropped.dropout = {0.3, 11, 2, 1, 2};
  ops::AttentionOptions everything = grouped;
  everything.window = 3;
  everything.documents = documents;
  everything.dropout = dropped.dropout;
  return {{"causal", {{10, 24}}, run(plain)},          {"grouped", {{10, 32}}, run(grouped)},     {"window", {{10, 24}}, run(window)},
          {"both ways", {{10, 24}}, run(both_ways)},   {"documents", {{10, 24}}, run(block)},     {"dropout", {{10, 24}}, run(dropped)},
          {"everything", {{10, 32}}, run(everything)}};
}

}  // namespace llmkit::test
