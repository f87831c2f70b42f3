#include "engine/lm_objective.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace llmkit;
using namespace llmkit::engine;

namespace {

models::ModelConfig small() {
  models::ModelConfig c;
  c.architecture = "llama";
  c.vocab_size = 50;
  c.hidden_size = 32;
  c.layers = 2;
  c.heads = 2;
  c.max_positions = 16;
  c.complete();
  return c;
}

std::vector<int32_t> numbers(size_t first, size_t count) {
  std::vector<int32_t> out(count);
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<int32_t>((first + i) * 7919 % 50);
  return out;
}

}  // namespace

TEST_CASE("a probe is scored as the same text in validation is, and probes add up by their tokens") {
  auto stream = [](std::vector<int32_t> ids) {
    return TokenStream{ids.size(), [ids](uint64_t position, std::span<int32_t> out) {
                         std::copy_n(ids.begin() + static_cast<int64_t>(position), out.size(), out.begin());
                       }};
  };
  Parallel parallel(2);
  auto model = models::Model::create(small(), 5, parallel);
  WindowOptions windows;
  windows.length = 16;
  WindowLoader loader(stream(numbers(0, 100)), stream(numbers(3, 17)), windows);
  LmOptions options;
  options.probes = {numbers(3, 17), numbers(40, 5)};
  LmObjective objective(*model, loader, parallel, options);
  std::vector<NamedValue> values = objective.validate();
  auto value = [&](std::string_view name) {
    for (auto& v : values)
      if (v.name == name) return v.value;
    FAIL("no value " << name);
    return 0.0;
  };
  CHECK(value("probe_perplexity_1") == value("val_perplexity"));
  CHECK(16 * std::log(value("probe_perplexity_1")) + 4 * std::log(value("probe_perplexity_2")) ==
        doctest::Approx(20 * std::log(value("probe_perplexity"))).epsilon(1e-12));

  WindowLoader without(stream(numbers(0, 100)), {}, windows);
  LmObjective probes_alone(*model, without, parallel, options);
  CHECK(probes_alone.validate().size() == 3);
}
