#include "tokenizer/train.h"

#include <algorithm>

#include "base/error.h"

namespace llmkit::tokenizer {
namespace {

constexpr size_t kBatchBytes = size_t{1} << 20;
constexpr int64_t kBatches = 16;                    // read ahead, parsed and counted together
constexpr size_t kLargeDocument = size_t{4} << 20;  // beyond this a document is counted on all threads
constexpr size_t kSampleBytes = size_t{2} << 20, kSamplePiece = 4096;
constexpr int64_t kSampleEvery = 16;  // documents

struct Batch {
  formats::LineBatch lines;
  std::vector<Result<formats::Document>> documents;
};

// The starts of every so many documents, to measure on when no file was set aside for it.
class Sample {
 public:
  void offer(int64_t number, std::string_view text) {
    if (number % kSampleEvery != 0 || bytes_ >= kSampleBytes) return;
    size_t end = safe_cut(text, 0, kSamplePiece);
    texts_.emplace_back(text.substr(0, std::min(end, 2 * kSamplePiece)));
    bytes_ += texts_.back().size();
  }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
  size_t bytes_ = 0;
};

Coverage measure(Context& context, const Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  std::vector<std::string_view> views(texts.begin(), texts.end());
  return measure_coverage(context.parallel, tokenizer, views);
}

std::vector<std::string> read_texts(const std::vector<std::string>& inputs,
                                    const formats::DocumentReaderOptions& options) {
  std::vector<std::string> texts;
  formats::DocumentReader reader(inputs, options);
  formats::Document document;
  while (reader.next(document)) texts.push_back(std::move(document.text));
  return texts;
}

void count_corpus(Context& context, formats::DocumentReader& reader, WordCounter& counter, Sample& sample,
                  Training& training) {
  context.parallel.pipeline<Batch>(
      kBatches,
      [&](Batch& batch) {
        if (context.stop.requested()) throw Error("interrupted while the corpus was read", ExitCode::interrupted);
        context.progress.update(static_cast<double>(reader.bytes_in()), static_cast<double>(reader.total_bytes_in()),
                                "bytes", "counting pieces");
        return reader.next_batch(batch.lines, kBatchBytes);
      },
      [&](Batch& batch) {
        std::vector<std::string_view> texts;
        for (size_t i = 0; i < batch.lines.lines.size(); ++i) batch.documents.push_back(reader.parse(batch.lines, i));
        for (auto& document : batch.documents)
          if (document && document->text.size() <= kLargeDocument) texts.push_back(document->text);
        counter.add(texts);
      },
      [&](Batch& batch) {
        for (size_t i = 0; i < batch.documents.size(); ++i) {
          auto& document = batch.documents[i];
          if (!document) {
            reader.refuse(batch.lines, i, document.refusal());
            continue;
          }
          std::string_view text = document->text;
          if (text.size() > kLargeDocument) counter.add(context.parallel, text);
          sample.offer(training.documents, text);
          ++training.documents;
          training.text_bytes += text.size();
        }
        training.memory_bytes = std::max(training.memory_bytes, counter.memory_bytes());
        counter.make_room();
      });
}

}  // namespace

Training train_tokenizer(Context& context, const std::vector<std::string>& inputs, const TrainOptions& options) {
  Training training;
  bool characters = options.algorithm == "char";
  // Characters are counted in words, so that memory follows the number of distinct words there too.
  auto pretokenizer = pretokenizers().make(options.bpe.pretokenizer);
  // Half of the memory is the table's: the batches read ahead and the sorting of a run need some too.
  WordCounter counter(*pretokenizer, context.memory_bytes / 2);
  Sample sample;
  formats::DocumentReader reader(inputs, options.reader);
  count_corpus(context, reader, counter, sample, training);
  training.bytes_in = reader.bytes_in();
  training.bad = reader.bad();
  if (training.documents == 0)
    throw Error(ErrorParts{
        "no text to train on", {}, "at least one document", "none", "is the text under another key? see --text-key"});

  training.pieces = counter.pieces();
  training.runs_bytes = counter.runs_bytes();
  if (characters) {
    counter.for_words([&](const CountedWord&) { ++training.distinct_pieces; });
    training.parts = train_characters(counter, options.bpe.special_tokens);
  } else {
    BpeTraining bpe = train_bbpe(context, counter, options.bpe);
    training.parts = std::move(bpe.parts);
    training.merge_counts = std::move(bpe.merge_counts);
    training.distinct_pieces = bpe.distinct_words;
    training.external = bpe.external;
  }
  training.coverage_is_held_out = !options.held_out.empty();
  Tokenizer tokenizer(training.parts);
  training.coverage =
      measure(context, tokenizer,
              training.coverage_is_held_out ? read_texts(options.held_out, options.reader) : sample.texts());
  return training;
}

}  // namespace llmkit::tokenizer
