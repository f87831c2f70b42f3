#include "tokenizer/compare.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "text/language.h"

namespace llmkit::tokenizer {
double renyi_efficiency(std::span<const int64_t> counts, int64_t vocabulary, double alpha) {
  double total = 0, sum = 0;
  for (int64_t n : counts) total += static_cast<double>(n);
  if (total == 0 || vocabulary < 2) return 0;
  for (int64_t n : counts) {
    if (n == 0) continue;
    double p = static_cast<double>(n) / total;
    sum += alpha == 1 ? -p * std::log(p) : std::pow(p, alpha);
  }
  double entropy = alpha == 1 ? sum : std::log(sum) / (1 - alpha);
  return entropy / std::log(static_cast<double>(vocabulary));
}

Fit measure_fit(Parallel& parallel, const Tokenizer& tokenizer, std::span<const Sample> samples) {
  std::vector<std::string_view> texts;
  for (auto& sample : samples) texts.push_back(sample.text);
  Fit fit;
  fit.coverage = measure_coverage(parallel, tokenizer, texts);
  for (auto& token : tokenizer.parts().tokens) fit.vocabulary += !token.empty();

  struct Measured {
    TextSizes sizes;
    std::string language;
    std::vector<int32_t> ids;
    bool lossy = false;
  };
  std::vector<Measured> measured(samples.size());
  parallel.for_tiles(static_cast<int64_t>(samples.size()), [&](int64_t i) {
    const Sample& sample = samples[static_cast<size_t>(i)];
    Measured& m = measured[static_cast<size_t>(i)];
    m.sizes = sizes_of(sample.text);
    m.language = sample.language.empty() ? text::identify_language(sample.text).code : sample.language;
    tokenizer.encode(sample.text, m.ids);
    m.lossy = tokenizer.decode(m.ids) != sample.text;
  });
  std::vector<int64_t> counts(static_cast<size_t>(tokenizer.vocab_size()));
  std::map<std::string, LanguageFit> languages;
  for (auto& m : measured) {
    for (int32_t id : m.ids) ++counts[static_cast<size_t>(id)];
    fit.lossy_documents += m.lossy;
    LanguageFit& sum = languages[m.language];
    sum += m.sizes;
    sum.documents += 1;
    sum.tokens += static_cast<int64_t>(m.ids.size());
  }
  for (auto& [language, sum] : languages) {
    sum.language = language;
    fit.languages.push_back(sum);
  }
  std::stable_sort(fit.languages.begin(), fit.languages.end(), [](auto& a, auto& b) { return a.bytes > b.bytes; });
  if (auto unk = tokenizer.unk()) fit.unknown_tokens = counts[static_cast<size_t>(*unk)];
  fit.renyi = renyi_efficiency(counts, fit.vocabulary, 2.5);
  fit.shannon = renyi_efficiency(counts, fit.vocabulary, 1);
  return fit;
}

}  // namespace llmkit::tokenizer
