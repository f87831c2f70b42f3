#include "tokenizer/compare.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "text/language.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

LanguageFit sizes_of(std::string_view text) {
  LanguageFit fit;
  fit.documents = 1;
  fit.bytes = static_cast<int64_t>(text.size());
  bool in_word = false;
  for (const char *p = text.data(), *end = p + text.size(); p < end; ++fit.characters) {
    ScannedChar c = scan_char(p, end);
    bool space = is_space(c.cls);
    fit.words += !space && !in_word;
    in_word = !space;
    p += c.length;
  }
  return fit;
}

}  // namespace

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
    LanguageFit sizes;
    std::vector<int32_t> ids;
    bool lossy = false;
  };
  std::vector<Measured> measured(samples.size());
  parallel.for_tiles(static_cast<int64_t>(samples.size()), [&](int64_t i) {
    const Sample& sample = samples[static_cast<size_t>(i)];
    Measured& m = measured[static_cast<size_t>(i)];
    m.sizes = sizes_of(sample.text);
    m.sizes.language = sample.language.empty() ? text::identify_language(sample.text).code : sample.language;
    tokenizer.encode(sample.text, m.ids);
    m.sizes.tokens = static_cast<int64_t>(m.ids.size());
    m.lossy = tokenizer.decode(m.ids) != sample.text;
  });
  std::vector<int64_t> counts(static_cast<size_t>(tokenizer.vocab_size()));
  std::map<std::string, LanguageFit> languages;
  for (auto& m : measured) {
    for (int32_t id : m.ids) ++counts[static_cast<size_t>(id)];
    fit.lossy_documents += m.lossy;
    LanguageFit& sum = languages[m.sizes.language];
    sum.documents += 1;
    sum.bytes += m.sizes.bytes;
    sum.characters += m.sizes.characters;
    sum.words += m.sizes.words;
    sum.tokens += m.sizes.tokens;
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
