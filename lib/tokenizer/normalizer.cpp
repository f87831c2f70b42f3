#include "tokenizer/normalizer.h"

#include <algorithm>

namespace llmkit::tokenizer {

#define LLMKIT_NORMALIZER(name) Entry<Normalizer> name##_normalizer();
#include "tokenizer/normalizers.def"
#undef LLMKIT_NORMALIZER

const Registry<Normalizer>& normalizers() {
  static const Registry<Normalizer> registry("normalizer", {
#define LLMKIT_NORMALIZER(name) name##_normalizer(),
#include "tokenizer/normalizers.def"
#undef LLMKIT_NORMALIZER
                                                           });
  return registry;
}

NormalizerChain::NormalizerChain(const std::vector<std::string>& specs) {
  for (auto& spec : specs) steps_.push_back(normalizers().make(spec));
}

bool NormalizerChain::needs_whole_text() const {
  return std::any_of(steps_.begin(), steps_.end(), [](auto& step) { return step->needs_whole_text(); });
}

void NormalizerChain::normalize(std::string_view text, TextStart start, std::string& out,
                                std::vector<size_t>* origins) const {
  if (steps_.size() == 1) return steps_[0]->normalize(text, start, out, origins);
  std::string from(text), to;
  std::vector<size_t> map, step_map;
  if (origins)
    for (size_t i = 0; i < text.size(); ++i) map.push_back(i);
  for (auto& step : steps_) {
    to.clear();
    step_map.clear();
    step->normalize(from, start, to, origins ? &step_map : nullptr);
    if (origins) {
      // What stands behind the last byte (an appended mark) belongs to the end of the text.
      for (size_t& at : step_map) at = at < map.size() ? map[at] : text.size();
      map.swap(step_map);
    }
    from.swap(to);
  }
  out += from;
  if (origins) origins->insert(origins->end(), map.begin(), map.end());
}

}  // namespace llmkit::tokenizer
