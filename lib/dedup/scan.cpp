// Pass 1: every document once, into an exact key and a signature.
#include <sys/stat.h>

#include <algorithm>

#include "base/hash.h"
#include "dedup/corpus.h"
#include "io/files.h"

namespace llmkit::dedup {
namespace {

bool can_be_read_twice(const std::string& path) {
  struct stat info;
  return path != "-" && (::stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode) || S_ISDIR(info.st_mode));
}

struct Scanned {
  std::vector<uint32_t> signatures;
  std::vector<ExactKey> exact;
  std::vector<uint32_t> text_bytes;
  std::vector<bool> has_words, good;
  std::vector<uint64_t> line_hashes;
  std::vector<std::pair<size_t, Refusal>> refusals;
};

}  // namespace

Inputs::Inputs(const DedupOptions& options) : reading_(options.reading), paths_(options.inputs) {
  for (auto& path : paths_) {
    if (can_be_read_twice(path)) continue;
    auto input = io::open_input(path, reading_.limits);
    io::TemporaryFile copy(options.temporary_folder);
    std::string buffer(size_t{1} << 20, '\0');
    while (size_t n = input->read(buffer)) copy.write(std::string_view(buffer).substr(0, n));
    copied_names_.push_back(input->name());
    path = copy.path();
    copies_.push_back(std::move(copy));
  }
}

std::string Inputs::place(const formats::DocumentReader& reader, const formats::LineBatch& batch, size_t line) const {
  std::string name = reader.inputs()[batch.lines[line].input];
  for (size_t i = 0; i < copies_.size(); ++i)
    if (name == copies_[i].path()) name = copied_names_[i];
  return name + ":" + std::to_string(batch.lines[line].number);
}

bool Inputs::is_json(const formats::DocumentReader& reader, const formats::LineBatch& batch, size_t line) {
  return !io::without_compression_suffix(reader.inputs()[batch.lines[line].input]).ends_with(".txt");
}

uint64_t memory_budget(const Context& context) {
  return context.memory_bytes ? context.memory_bytes : uint64_t{4} << 30;
}

void scan(const Inputs& inputs, const DedupOptions& options, Context& context, Corpus& corpus,
          formats::BadRecords& bad) {
  const Shingler shingler(options.ngram);
  const MinHasher hasher(options.minhash);
  auto hashes = static_cast<size_t>(options.minhash.hashes());
  auto reader = inputs.open();
  auto work = [&](Batch<Scanned>& batch) {
    Shingles shingles;
    Scanned& out = batch.result;
    for (size_t i = 0; i < batch.lines.lines.size(); ++i) {
      auto document = reader.parse(batch.lines, i);
      out.good.push_back(static_cast<bool>(document));
      if (!document) {
        out.refusals.emplace_back(i, document.refusal());
        continue;
      }
      shingler.run(document->text, shingles);
      out.exact.push_back(shingles.exact);
      out.text_bytes.push_back(static_cast<uint32_t>(std::min<size_t>(document->text.size(), UINT32_MAX)));
      out.has_words.push_back(!shingles.hashes.empty());
      out.line_hashes.push_back(xxh3_64(batch.lines.line(i)));
      if (!options.near) continue;
      out.signatures.resize(out.signatures.size() + hashes);
      hasher.run(shingles.hashes, {out.signatures.data() + out.signatures.size() - hashes, hashes});
    }
  };
  auto sink = [&](Batch<Scanned>& batch) {
    const Scanned& in = batch.result;
    for (auto& [line, refusal] : in.refusals) {
      std::string place = inputs.place(reader, batch.lines, line);
      bad.add(std::string_view(place).substr(0, place.rfind(':')), batch.lines.lines[line].number, refusal);
    }
    if (corpus.documents() + in.exact.size() >= UINT32_MAX)
      throw Error({"too many documents for one run", "dedup", "fewer than 4,294,967,295", {}, "split the input"});
    corpus.signatures.values.append(in.signatures);
    corpus.exact.insert(corpus.exact.end(), in.exact.begin(), in.exact.end());
    corpus.text_bytes.insert(corpus.text_bytes.end(), in.text_bytes.begin(), in.text_bytes.end());
    corpus.has_words.insert(corpus.has_words.end(), in.has_words.begin(), in.has_words.end());
    corpus.line_hashes.insert(corpus.line_hashes.end(), in.line_hashes.begin(), in.line_hashes.end());
    corpus.good_lines.insert(corpus.good_lines.end(), in.good.begin(), in.good.end());
  };
  for_each_batch<Scanned>(reader, nullptr, context, "reading", work, sink);
}

}  // namespace llmkit::dedup
