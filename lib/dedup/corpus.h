// Internal to lib/dedup: the inputs, streamed several times, and what the first pass keeps of each document.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dedup/dedup.h"
#include "dedup/lsh.h"
#include "dedup/shingles.h"
#include "io/scratch.h"

namespace llmkit::dedup {

// Inputs that can be read more than once: what is no regular file is copied to a temporary one.
class Inputs {
 public:
  explicit Inputs(const DedupOptions& options);
  formats::DocumentReader open() const { return formats::DocumentReader(paths_, reading_); }
  std::string place(const formats::DocumentReader& reader, const formats::LineBatch& batch, size_t line) const;
  // Whether the input's lines are JSON and may be passed on as they are (those of .txt files are bare text).
  static bool is_json(const formats::DocumentReader& reader, const formats::LineBatch& batch, size_t line);

 private:
  formats::DocumentReaderOptions reading_;
  std::vector<std::string> paths_;
  std::vector<io::TemporaryFile> copies_;
  std::vector<std::string> copied_names_;
};

struct Corpus {
  Corpus(const DedupOptions& options, uint64_t memory_bytes)
      : signatures{options.minhash, io::ScratchArray<uint32_t>(memory_bytes / 2, options.temporary_folder)} {}

  SignatureTable signatures;  // none where near duplicates are not looked for
  std::vector<ExactKey> exact;
  std::vector<uint32_t> text_bytes;  // at most 2^32 - 1
  std::vector<bool> has_words;
  std::vector<uint64_t> line_hashes;  // tell whether an input changed between the passes
  std::vector<bool> good_lines;       // of every line, in order; the documents are the good ones
  size_t documents() const { return exact.size(); }
};

// A batch of lines on its way through a pass, with where it starts.
template <class Result>
struct Batch {
  formats::LineBatch lines;
  size_t first_line = 0, first_document = 0;
  Result result;
};

// Streams all lines: `work` on the pool, `sink` in order. Throws when a stop is requested. `good_lines` numbers the
// documents where it is known already (later passes).
template <class Result>
void for_each_batch(formats::DocumentReader& reader, const std::vector<bool>* good_lines, Context& context,
                    std::string_view note, std::function<void(Batch<Result>&)> work,
                    std::function<void(Batch<Result>&)> sink) {
  size_t line = 0, document = 0;
  auto source = [&](Batch<Result>& batch) {
    if (context.stop.requested()) throw Error("interrupted", ExitCode::interrupted);
    context.progress.update(static_cast<double>(reader.bytes_in()), static_cast<double>(reader.total_bytes_in()),
                            "bytes", note);
    if (!reader.next_batch(batch.lines)) return false;
    batch.first_line = line;
    batch.first_document = document;
    line += batch.lines.lines.size();
    if (good_lines) {
      if (line > good_lines->size())
        throw Error({"the input grew while it was read", reader.inputs()[batch.lines.lines[0].input], {}, {}, {}});
      for (size_t i = batch.first_line; i < line; ++i) document += (*good_lines)[i];
    }
    return true;
  };
  context.parallel.pipeline<Batch<Result>>(4 * context.parallel.threads(), source, std::move(work), std::move(sink));
  if (good_lines && line != good_lines->size())
    throw Error({"the input shrank while it was read", reader.inputs()[0], {}, {}, {}});
}

// Pass 1; counts bad lines in `bad`.
void scan(const Inputs& inputs, const DedupOptions& options, Context& context, Corpus& corpus,
          formats::BadRecords& bad);

// Who is kept instead of whom.
struct Clusters {
  std::vector<uint32_t> root;      // the first document of each one's cluster
  std::vector<uint32_t> survivor;  // the document that is kept for it; itself where it is kept
  std::vector<uint32_t> size;      // of the cluster, at its root
  std::vector<double> similarity;  // to the survivor, of the documents in `dropped`
  std::vector<uint32_t> dropped;   // ascending
};
Clusters find_clusters(const Inputs& inputs, const DedupOptions& options, Context& context, const Corpus& corpus,
                       DedupResult& result);

// The last pass.
void write_outputs(const Inputs& inputs, const DedupOptions& options, Context& context, const Corpus& corpus,
                   const Clusters& clusters, DedupResult& result);

uint64_t memory_budget(const Context& context);  // --memory, or 4 GiB

}  // namespace llmkit::dedup
