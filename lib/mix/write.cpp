// The output folder of a mixture.
#include <algorithm>
#include <filesystem>

#include "base/hash.h"
#include "base/json_writer.h"
#include "formats/token_shards.h"
#include "io/files.h"
#include "io/output.h"
#include "mix/store.h"

namespace llmkit::mix {
namespace {

namespace fs = std::filesystem;

size_t source_of(const Store& store, size_t document) {
  return static_cast<size_t>(std::upper_bound(store.first_document.begin(), store.first_document.end(), document) -
                             store.first_document.begin()) -
         1;
}

void write_tokens(const MixOptions& options, const Store& store, const std::vector<Draw>& draws,
                  const std::string& folder, Context& context) {
  formats::TokenShardOptions shard_options;
  shard_options.vocab_size = options.tokenizer->vocab_size();
  shard_options.tokenizer_hash = options.tokenizer->hash();
  if (options.shard_units) shard_options.max_tokens_per_shard = static_cast<int64_t>(options.shard_units);
  for (auto& source : options.sources) shard_options.sources.push_back(source.name);
  formats::TokenShardWriter writer(folder, shard_options);
  std::vector<int32_t> ids;
  for (size_t i = 0; i < draws.size(); ++i) {
    auto [document, units] = draws[i];
    if (i % 4096 == 0) {
      if (context.stop.requested()) throw Error("interrupted", ExitCode::interrupted);
      context.progress.update(static_cast<double>(i), static_cast<double>(draws.size()), "documents", "writing");
    }
    auto tokens = store.tokens_of(document);
    ids.assign(tokens.begin(), tokens.begin() + std::min<ptrdiff_t>(std::ssize(tokens), units));
    if (units > tokens.size()) ids.push_back(*options.tokenizer->eos());  // a document that is cut does not end
    writer.add_document(ids, source_of(store, document));
  }
  writer.finish();
}

// The beginning of a text, at most `bytes` long, without half a character at its end.
std::string_view cut(std::string_view text, size_t bytes) {
  while (bytes > 0 && bytes < text.size() && (text[bytes] & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

void write_lines(const MixOptions& options, const Store& store, const std::vector<Draw>& draws,
                 const std::string& folder, Context& context) {
  uint64_t limit = options.shard_units ? options.shard_units : uint64_t{1} << 28, in_part = 0;
  std::unique_ptr<io::OutputStream> part;
  int parts = 0;
  io::make_folders(folder);
  auto open_next = [&] {
    if (part) part->finish();
    std::string number = std::to_string(parts++);
    part = io::create_output(
        folder + "/part-" + std::string(5 - std::min<size_t>(5, number.size()), '0') + number + ".jsonl.zst",
        {.threads = context.parallel.threads()});
    in_part = 0;
  };
  open_next();
  std::string line;
  for (size_t i = 0; i < draws.size(); ++i) {
    auto [document, units] = draws[i];
    if (i % 256 == 0) {
      if (context.stop.requested()) throw Error("interrupted", ExitCode::interrupted);
      context.progress.update(static_cast<double>(i), static_cast<double>(draws.size()), "documents", "writing");
    }
    if (in_part > 0 && in_part + units > limit) open_next();
    in_part += units;
    if (units == store.documents[document].units) {
      part->write(store.line_of(document));
      continue;
    }
    auto parsed = formats::parse_document(store.line_of(document).substr(0, store.line_of(document).size() - 1));
    parsed->text = std::string(cut(parsed->text, units));
    line.clear();
    formats::write_document(line, *parsed);
    part->write(line);
  }
  part->finish();
}

std::string manifest(const MixOptions& options, const Context& context, const MixResult& result) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("format", "llmkit mix").member("seed", context.seed).member("unit", result.unit);
  json.member("budget", result.budget).member("total", result.total).member("temperature", options.plan.temperature);
  json.member("max_epochs", options.plan.max_epochs);
  if (options.tokenizer) json.member("tokenizer_hash", hex(options.tokenizer->hash()));
  json.key("sources").begin_array();
  for (size_t i = 0; i < result.sources.size(); ++i) {
    auto& source = result.sources[i];
    json.begin_object().member("name", source.name).key("paths").begin_array();
    for (auto& path : options.sources[i].paths) json.value(path);
    json.end_array()
        .member("weight", source.weight)
        .member("share", source.share)
        .member("documents", source.documents);
    json.member(result.unit, source.units)
        .member("planned", source.planned)
        .member("epochs", source.epochs())
        .member("capped", source.capped);
    json.member("drawn_documents", source.draws)
        .member("different_documents", source.used_documents)
        .member("written", source.written);
    json.member("validation_documents", source.validation_documents)
        .member("validation_" + result.unit, source.validation_units)
        .end_object();
  }
  json.end_array().end_object();
  return out + "\n";
}

}  // namespace

void write_folder(const MixOptions& options, const Store& store, const std::vector<Draw>& train,
                  const std::vector<Draw>& validation, Context& context, const MixResult& result) {
  io::AtomicFolder folder(options.output, options.replace);
  // Each set is written into a folder of its own; the training set's files then move up, so that the whole appears at
  // once.
  auto write = options.tokenizer ? write_tokens : write_lines;
  write(options, store, train, folder.file("train"), context);
  if (options.validation_share > 0 || options.validation_documents > 0)
    write(options, store, validation, folder.file("validation"), context);
  std::vector<fs::path> files;
  for (auto& entry : fs::directory_iterator(folder.file("train"))) files.push_back(entry.path());
  for (auto& file : files) fs::rename(file, fs::path(folder.work_path()) / file.filename());
  fs::remove(folder.file("train"));
  if (options.tokenizer) options.tokenizer->save(folder.file("tokenizer"));
  io::write_file_atomically(folder.file("mix.json"), manifest(options, context, result));
  folder.finish();
}

}  // namespace llmkit::mix
