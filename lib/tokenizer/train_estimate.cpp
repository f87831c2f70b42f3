#include "tokenizer/train_estimate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "tokenizer/sentence_words.h"
#include "tokenizer/train_text.h"

namespace llmkit::tokenizer {
namespace {

constexpr uint64_t kSampleBytes = uint64_t{8} << 20, kPartOf = 4;
constexpr uint64_t kProgram = uint64_t{110} << 20;  // the program and the batches read ahead, measured
constexpr double kUsualExponent = 0.5;

// Of one distinct piece: seconds on one thread, and bytes beside the counter's. Measured on the mixed corpus of
// tests/bench/tokenizer.
struct Learning {
  double seconds = 0, bytes = 0, bytes_of_byte = 0;
};

Learning learning_of(const TrainOptions& options) {
  if (options.algorithm == "char") return {2e-7, 0, 0};
  if (options.algorithm == "unigram") return {6e-5, 400, 20};
  if (options.algorithm == "wordpiece" && options.wordpiece_score == MergeScore::likelihood) return {1e-3, 300, 80};
  return {3e-6, 40, 8};
}

}  // namespace

uint64_t extrapolate_distinct(uint64_t part_bytes, uint64_t part_distinct, uint64_t sample_bytes,
                              uint64_t sample_distinct, uint64_t text_bytes) {
  if (text_bytes <= sample_bytes || sample_bytes <= part_bytes || part_distinct == 0 || part_bytes == 0)
    return sample_distinct;
  double exponent = std::log(static_cast<double>(sample_distinct) / static_cast<double>(part_distinct)) /
                    std::log(static_cast<double>(sample_bytes) / static_cast<double>(part_bytes));
  // A start is more diverse than what follows: half way to the exponent of large corpora.
  exponent = (std::clamp(exponent, 0.0, 1.0) + kUsualExponent) / 2;
  return static_cast<uint64_t>(static_cast<double>(sample_distinct) *
                               std::pow(static_cast<double>(text_bytes) / static_cast<double>(sample_bytes), exponent));
}

std::optional<TrainingEstimate> estimate_training(Context& context, const std::vector<std::string>& inputs,
                                                  const TrainOptions& options) {
  if (std::find(inputs.begin(), inputs.end(), "-") != inputs.end()) return {};
  formats::DocumentReader reader(inputs, options.reader);
  if (reader.total_bytes_in() == 0) return {};
  bool sentences = has_sentences(options.algorithm);
  SentenceWords sentence_words;
  std::unique_ptr<PreTokenizer> named;
  if (!sentences) named = pretokenizers().make(options.bpe.pretokenizer);
  WordCounter counter(sentences ? sentence_words : *named);
  TextSteps steps(options.normalizers, sentences);
  auto distinct = [&] {
    uint64_t n = 0;
    counter.for_words([&](const CountedWord&) { ++n; });
    return n;
  };

  TrainingEstimate e;
  uint64_t part_bytes = 0, part_distinct = 0;
  double seconds = 0;
  std::vector<std::string> texts;
  uint64_t waiting = 0;
  auto count = [&] {
    auto start = std::chrono::steady_clock::now();
    std::vector<std::string_view> views;
    for (auto& text : texts) {
      steps.apply(text);
      views.push_back(text);
    }
    counter.add(views);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    texts.clear();
    waiting = 0;
  };
  formats::Document document;
  while (e.sample_bytes < kSampleBytes && reader.next(document)) {
    // Of a document larger than the sample its start is enough.
    if (document.text.size() > kSampleBytes) document.text.resize(kSampleBytes);
    e.sample_bytes += document.text.size();
    waiting += document.text.size();
    texts.push_back(std::move(document.text));
    if (waiting < kSampleBytes / kPartOf) continue;
    count();
    if (part_bytes > 0) continue;
    part_bytes = e.sample_bytes;
    part_distinct = distinct();
  }
  count();
  if (e.sample_bytes == 0) return {};
  bool all = e.sample_bytes < kSampleBytes;
  // The reader is ahead of the documents by a buffer, which matters little beside the sample.
  double ratio = static_cast<double>(e.sample_bytes) / static_cast<double>(std::max<uint64_t>(1, reader.bytes_in()));
  e.text_bytes =
      all ? e.sample_bytes
          : std::max(e.sample_bytes, static_cast<uint64_t>(ratio * static_cast<double>(reader.total_bytes_in())));
  uint64_t sample_distinct = std::max<uint64_t>(1, distinct());
  e.distinct_pieces = extrapolate_distinct(part_bytes, part_distinct, e.sample_bytes, sample_distinct, e.text_bytes);

  double n = static_cast<double>(e.distinct_pieces),
         scale = static_cast<double>(e.text_bytes) / static_cast<double>(e.sample_bytes);
  uint64_t spelled = 0;
  counter.for_words([&](const CountedWord& word) { spelled += word.bytes.size(); });
  double letters = static_cast<double>(spelled) / static_cast<double>(sample_distinct);
  Learning learning = learning_of(options);
  double counted = n * (WordCounter::kBytesOfWord + letters);
  e.memory_bytes = kProgram + static_cast<uint64_t>(counted + n * (learning.bytes + learning.bytes_of_byte * letters));
  e.seconds = (seconds * scale + n * learning.seconds) / std::max(1, context.parallel.threads());
  if (context.memory_bytes > 0 && e.memory_bytes > context.memory_bytes) {
    e.memory_bytes = std::max(context.memory_bytes, kProgram);
    e.seconds += 10 * n * learning.seconds / std::max(1, context.parallel.threads());  // bands over words on disk
  }
  return e;
}

}  // namespace llmkit::tokenizer
