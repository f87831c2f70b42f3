#include "tokenizer/train.h"

#include <malloc.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/registry.h"
#include "tokenizer/sentence_words.h"
#include "tokenizer/tokenizer_formats.h"
#include "tokenizer/train_estimate.h"
#include "tokenizer/train_text.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

constexpr int kMapped = 1 << 19;  // from this size on memory goes back to the system when it is freed
constexpr size_t kBatchBytes = size_t{1} << 20;
constexpr int64_t kBatches = 16;                    // read ahead, parsed and counted together
constexpr size_t kLargeDocument = size_t{4} << 20;  // beyond this a document is counted on all threads
constexpr size_t kSampleBytes = size_t{2} << 20, kSamplePiece = 4096;
constexpr int64_t kSampleEvery = 16;  // documents

struct Batch {
  formats::LineBatch lines;
  std::vector<Result<formats::Document>> documents;  // their texts after the normalizers
  std::vector<std::string> starts;                   // of the texts as they were, if a normalizer changes them
  std::vector<size_t> sizes;
  uint64_t bytes_in = 0;  // of the input, when it was read
};

// The starts of every so many documents, to measure on when no file was set aside for it.
class Sample {
 public:
  static std::string start_of(std::string_view text) {
    return std::string(text.substr(0, std::min(safe_cut(text, 0, kSamplePiece), 2 * kSamplePiece)));
  }
  void offer(int64_t number, std::string_view text) {
    if (number % kSampleEvery != 0 || bytes_ >= kSampleBytes) return;
    texts_.push_back(start_of(text));
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

void count_corpus(Context& context, formats::DocumentReader& reader, const TextSteps& steps, WordCounter& counter,
                  Sample& sample, TrainingEstimator& estimator, Training& training) {
  context.parallel.pipeline<Batch>(
      kBatches,
      [&](Batch& batch) {
        if (context.stop.requested()) throw Error("interrupted while the corpus was read", ExitCode::interrupted);
        context.progress.update(static_cast<double>(reader.bytes_in()), static_cast<double>(reader.total_bytes_in()),
                                "bytes", "counting pieces");
        bool more = reader.next_batch(batch.lines, kBatchBytes);
        batch.bytes_in = reader.bytes_in();
        return more;
      },
      [&](Batch& batch) {
        std::vector<std::string_view> texts;
        uint64_t bytes = 0;
        for (size_t i = 0; i < batch.lines.lines.size(); ++i) {
          batch.documents.push_back(reader.parse(batch.lines, i));
          auto& document = batch.documents.back();
          batch.starts.emplace_back();
          batch.sizes.push_back(0);
          if (!document) continue;
          batch.sizes.back() = document->text.size();
          if (steps.change_text()) batch.starts.back() = Sample::start_of(document->text);
          steps.apply(document->text);
        }
        for (auto& document : batch.documents)
          if (document && document->text.size() <= kLargeDocument) {
            texts.push_back(document->text);
            bytes += document->text.size();
          }
        counter.add(texts);
        estimator.counted(bytes);
      },
      [&](Batch& batch) {
        for (size_t i = 0; i < batch.documents.size(); ++i) {
          auto& document = batch.documents[i];
          if (!document) {
            reader.refuse(batch.lines, i, document.refusal());
            continue;
          }
          std::string_view text = document->text;
          if (text.size() > kLargeDocument) {
            counter.add(context.parallel, text);
            estimator.counted(text.size());
          }
          sample.offer(training.documents, steps.change_text() ? batch.starts[i] : text);
          ++training.documents;
          training.text_bytes += batch.sizes[i];
        }
        training.memory_bytes = std::max(training.memory_bytes, counter.memory_bytes());
        estimator.look(counter, training.text_bytes, batch.bytes_in, reader.total_bytes_in());
        counter.make_room();
      });
  if (reader.total_bytes_in() > 0) estimator.finish(counter, training.text_bytes);
}

}  // namespace

namespace {

// The piece of a counter of SentenceWords as a word of SentencePiece: "▁" for the space before it.
std::string marked_word(std::string_view piece) {
  if (!piece.empty() && piece.back() == '\n') piece.remove_suffix(1);
  while (!piece.empty() && piece.back() == ' ') piece.remove_suffix(1);
  while (!piece.empty() && piece.front() == ' ') piece.remove_prefix(1);
  return piece.empty() ? std::string() : std::string(kSpaceMark) + std::string(piece);
}

// A piece of a pre-tokenizer; white space between words is none.
std::string plain_word(std::string_view piece) {
  Utf8Char first = decode_utf8(piece.data(), piece.data() + piece.size());
  return is_space(class_of(first.code_point)) ? std::string() : std::string(piece);
}

void finish_sentencepiece(TokenizerParts& parts) {
  // Spaces stay, unlike in SentencePiece's own default: what is decoded is the text that was encoded.
  bool marks = std::any_of(parts.normalizers.begin(), parts.normalizers.end(),
                           [](auto& text) { return parse_spec(text).name == "sentencepiece"; });
  if (!marks) parts.normalizers.push_back("sentencepiece:remove-extra=false");
  parts.pretokenizer = "metaspace";
  parts.joining = Joining::metaspace;
  parts.drop_first_space = true;
  parts.unk = "<unk>";
  parts.types.assign(parts.tokens.size(), TokenType::normal);
  for (auto& token : parts.added) parts.types[static_cast<size_t>(token.id)] = TokenType::control;
  for (size_t id = 0; id < parts.tokens.size(); ++id)
    if (parts.tokens[id] == parts.unk) parts.types[id] = TokenType::unknown;
  if (!parts.byte_fallback) return;
  auto first = std::find(parts.tokens.begin(), parts.tokens.end(), "<0x00>") - parts.tokens.begin();
  std::fill_n(parts.types.begin() + first, 256, TokenType::byte);
}

// SentencePiece merges any two neighbours that spell a token, by the token's rank, whichever two it was learned from:
// with all of them listed, tokenizer.json, .model and GGUF give the same ids.
void merge_as_sentencepiece(TokenizerParts& parts) {
  parts.scores.assign(parts.tokens.size(), 0);
  for (size_t rank = parts.merges.size(); rank-- > 0;)
    parts.scores[static_cast<size_t>(parts.merges[rank].result)] = -static_cast<float>(rank);
  parts.merges = merges_of_scores(parts, "the vocabulary learned");
}

void train_sentencepiece_bpe(Context& context, WordCounter& counter, const TrainOptions& options, Training& training) {
  CharacterTrainerOptions o;
  o.merges.vocab_size = options.bpe.vocab_size;
  o.merges.min_frequency = options.bpe.min_frequency;
  o.merges.max_token_bytes = options.bpe.max_token_bytes;
  if (options.bpe.limits.scripts || options.bpe.limits.digits)
    o.merges.allowed = [limits = options.bpe.limits](std::string_view token) { return allowed_by(limits, token); };
  o.character_coverage = options.character_coverage;
  o.special_tokens = options.bpe.special_tokens;
  bool wordpiece = options.algorithm == "wordpiece";
  if (wordpiece) {
    o.word_prefix = "##";
    o.score = options.wordpiece_score;
  } else {
    o.byte_fallback = options.byte_fallback;
  }
  BpeTraining bpe = train_characters_bpe(
      context, counter, [&](std::string_view piece) { return wordpiece ? plain_word(piece) : marked_word(piece); }, o);
  training.parts = std::move(bpe.parts);
  training.merge_counts = std::move(bpe.merge_counts);
  training.distinct_pieces = bpe.distinct_words;
  training.external = bpe.external;
  training.parts.normalizers = options.normalizers;
  if (!wordpiece) {
    training.parts.fuse_unk = true;
    finish_sentencepiece(training.parts);
    return merge_as_sentencepiece(training.parts);
  }
  training.parts.model = ModelKind::wordpiece;
  training.parts.merges.clear();  // a word is cut at its longest pieces, whatever made them
  training.parts.pretokenizer = options.bpe.pretokenizer;
  training.parts.joining = Joining::wordpiece;
  training.parts.unk = "[UNK]";
}

void train_unigram_parts(Context& context, WordCounter& counter, const TrainOptions& options, Training& training) {
  TokenizerParts& parts = training.parts;
  parts.model = ModelKind::unigram;
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.byte_fallback = options.byte_fallback;
  add_special_tokens(parts, options.bpe.special_tokens);
  if (options.byte_fallback) add_byte_tokens(parts);
  UnigramOptions o;
  o.vocab_size = options.bpe.vocab_size;
  o.pieces = o.vocab_size - static_cast<int64_t>(parts.tokens.size());
  o.character_coverage = options.character_coverage;
  o.loss = options.unigram_loss;
  o.seeds.most = static_cast<size_t>(options.unigram_seeds);
  o.seeds.max_characters = static_cast<uint32_t>(options.max_piece_characters);
  o.tabs = o.seeds.of_bytes = options.unigram_loss == UnigramLoss::of_parts;
  o.seeds.split_digits = options.bpe.limits.digits;
  UnigramTraining unigram = train_unigram(context, counter, o);
  parts.scores.assign(parts.tokens.size(), 0);
  for (size_t i = 0; i < unigram.pieces.size(); ++i) {
    if (std::find_if(parts.added.begin(), parts.added.end(), [&](auto& a) { return a.content == unigram.pieces[i]; }) !=
        parts.added.end())
      continue;  // text must never become a control token
    parts.tokens.push_back(unigram.pieces[i]);
    parts.scores.push_back(unigram.scores[i]);
  }
  training.log_likelihood = unigram.log_likelihood;
  training.distinct_pieces = unigram.distinct_pieces;
  training.words_file_bytes = unigram.file_bytes;
  parts.normalizers = options.normalizers;
  finish_sentencepiece(parts);
}

}  // namespace

namespace {

// Whether replace or prepend puts SentencePiece's mark, as they do by default.
bool puts_mark(const Spec& spec) {
  if (spec.name != "replace" && spec.name != "prepend") return false;
  Values v = resolve(spec, normalizers().find(spec.name), "normalizer");
  return v.text(spec.name == "replace" ? "to" : "text") == kSpaceMark;
}

}  // namespace

void check_steps(const TrainOptions& options) {
  const std::string& algorithm = options.algorithm;
  if (has_sentences(algorithm) || options.bpe.extend) return;
  for (auto& text : options.normalizers) {
    Spec spec = parse_spec(text);
    const std::string& name = spec.name;
    if (name == "sentencepiece" || name == "metaspace" || puts_mark(spec))
      throw UsageError(ErrorParts{
          "--normalizer " + name + " marks spaces, which --algorithm " + algorithm + " never turns back into spaces",
          {},
          "--algorithm bpe or unigram, or another normalizer",
          {},
          {}});
  }
  if (algorithm == "char") return;
  const std::string& name = options.bpe.pretokenizer;
  bool drops_spaces = pretokenizers().make(name)->drops_spaces();
  if (algorithm == "wordpiece" && !drops_spaces)
    throw UsageError(ErrorParts{"--pretokenizer " + name + " leaves the spaces in the words, and WordPiece has none",
                                {},
                                "bert, words or whitespace",
                                {},
                                {}});
  if (algorithm == "bbpe" && drops_spaces)
    throw UsageError(ErrorParts{"--pretokenizer " + name + " drops the spaces of the text, which bbpe has to keep",
                                {},
                                "llama3, gpt2 or another that keeps them, or --algorithm wordpiece",
                                {},
                                {}});
  if (name == "metaspace")
    throw UsageError(ErrorParts{
        "--pretokenizer metaspace cuts at marks of spaces, which --algorithm " + algorithm + " does not make",
        {},
        "another pre-tokenizer, or --algorithm bpe or unigram",
        {},
        {}});
}

bool has_sentences(const std::string& algorithm) {
  return algorithm == "bpe" || algorithm == "unigram";
}

Training train_tokenizer(Context& context, const std::vector<std::string>& inputs, const TrainOptions& options,
                         const std::function<void(const TrainingEstimate&)>& on_estimate) {
#ifdef __GLIBC__
  // What the tables of the counter took must be there for the words when they are gone.
  if (context.memory_bytes > 0) mallopt(M_MMAP_THRESHOLD, kMapped);
#endif
  check_steps(options);
  Training training;
  bool sentences = has_sentences(options.algorithm);
  SentenceWords sentence_words;
  std::unique_ptr<PreTokenizer> named;
  if (!sentences) named = pretokenizers().make(options.bpe.pretokenizer);
  const PreTokenizer& pretokenizer = sentences ? sentence_words : *named;
  // A third of the memory is the table's: its growth, the batches read ahead and the sorting of a run need some too.
  // Merging by likelihood keeps its words in memory.
  bool may_spill = options.algorithm != "wordpiece" || options.wordpiece_score == MergeScore::frequency;
  WordCounter counter(pretokenizer, may_spill ? context.memory_bytes / 3 : 0);
  Sample sample;
  formats::DocumentReader reader(inputs, options.reader);
  TrainingEstimator estimator(context, options, on_estimate);
  count_corpus(context, reader, TextSteps(options.normalizers, sentences), counter, sample, estimator, training);
  training.bytes_in = reader.bytes_in();
  training.bad = reader.bad();
  if (training.text_bytes == 0)
    throw Error(ErrorParts{"no text to train on",
                           {},
                           "at least one document that is not empty",
                           "none",
                           "is the text under another key? see --text-key"});
  training.pieces = counter.pieces();
  training.runs_bytes = counter.runs_bytes();
  if (!may_spill && context.memory_bytes > 0 && counter.memory_bytes() > context.memory_bytes / 3)
    throw Error(
        ErrorParts{"the distinct words do not fit the memory allowed",
                   {},
                   std::to_string(context.memory_bytes >> 20) + " MiB for all",
                   std::to_string(counter.memory_bytes() >> 20) + " MiB for the words",
                   "raise --memory, train on a sample, or use --wordpiece-score frequency, which can use the disk"});
  if (options.algorithm == "char") {
    counter.for_words([&](const CountedWord&) { ++training.distinct_pieces; });
    training.parts = train_characters(counter, options.bpe.special_tokens);
    training.parts.normalizers = options.normalizers;
  } else if (options.algorithm == "unigram") {
    train_unigram_parts(context, counter, options, training);
  } else if (options.algorithm == "bbpe") {
    BpeTraining bpe = train_bbpe(context, counter, options.bpe);
    training.parts = std::move(bpe.parts);
    training.merge_counts = std::move(bpe.merge_counts);
    training.distinct_pieces = bpe.distinct_words;
    training.external = bpe.external;
    if (!options.bpe.extend) training.parts.normalizers = options.normalizers;
  } else {
    train_sentencepiece_bpe(context, counter, options, training);
  }
  training.coverage_is_held_out = !options.held_out.empty();
  Tokenizer tokenizer(training.parts);
  training.coverage =
      measure(context, tokenizer,
              training.coverage_is_held_out ? read_texts(options.held_out, options.reader) : sample.texts());
  return training;
}

}  // namespace llmkit::tokenizer
