#include <cmath>

#include "../check.h"

namespace llmkit::test {

std::vector<GradCase> cases_attention() {
  auto run = [](ops::AttentionOptions o) {
    return [o](Tape& t, std::span<const Tensor> x) { return ops::attention(t, x[0], o); };
  };
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
  // Terms of position; x[1], x[2], x[3] are the tables.
  static const std::vector<double> slopes = {0.5, 0.25, 0.125, 0.0625};
  static const std::vector<double> cos = [] {
    std::vector<double> v;
    for (int i = 0; i < 10; ++i) v.push_back(std::cos(0.3 * i));
    return v;
  }();
  static const std::vector<double> sin = [] {
    std::vector<double> v;
    for (int i = 0; i < 10; ++i) v.push_back(std::sin(0.3 * i));
    return v;
  }();
  auto with_tables = [](ops::AttentionOptions o) {
    return [o](Tape& t, std::span<const Tensor> x) {
      ops::AttentionOptions own = o;
      own.score_bias = x[1], own.key_terms = x[2], own.value_terms = x[3];
      return ops::attention(t, x[0], own);
    };
  };
  const std::vector<Shape> inputs = {{10, 32}, {4, 3}, {5, 4}, {4, 4}};
  ops::AttentionOptions turned = plain, terms = grouped, terms_both_ways = grouped, all_terms = everything;
  turned.rotation = {cos.data(), sin.data(), 5, 2};
  terms_both_ways.causal = false;
  all_terms.slopes = slopes;
  all_terms.rotation = {cos.data(), sin.data(), 5, 2};
  return {{"turned", {{10, 24}}, run(turned)},
          {"terms", inputs, with_tables(terms)},
          {"terms both ways", inputs, with_tables(terms_both_ways)},
          {"all terms", inputs, with_tables(all_terms)},
          {"causal", {{10, 24}}, run(plain)},
          {"grouped", {{10, 32}}, run(grouped)},
          {"window", {{10, 24}}, run(window)},
          {"both ways", {{10, 24}}, run(both_ways)},
          {"documents", {{10, 24}}, run(block)},
          {"dropout", {{10, 24}}, run(dropped)},
          {"everything", {{10, 32}}, run(everything)}};
}

}  // namespace llmkit::test
