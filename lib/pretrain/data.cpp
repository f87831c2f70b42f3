#include "pretrain/data.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/hash.h"
#include "formats/jsonl.h"
#include "tokenizer/bpe_trainer.h"

namespace llmkit::pretrain {
namespace {

namespace fs = std::filesystem;

bool is_name(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; });
}

DataEntry parse_entry(const std::string& text) {
  DataEntry entry{{}, text, 1};
  size_t equals = text.find('=');
  if (equals == std::string::npos || !is_name(std::string_view(text).substr(0, equals))) return entry;
  entry.name = text.substr(0, equals);
  entry.path = text.substr(equals + 1);
  size_t colon = entry.path.rfind(':');
  if (colon == std::string::npos) return entry;
  const char *begin = entry.path.data() + colon + 1, *end = entry.path.data() + entry.path.size();
  double weight = 0;
  auto parsed = std::from_chars(begin, end, weight);
  if (parsed.ec != std::errc() || parsed.ptr != end) return entry;  // a colon of the path
  if (!(weight > 0) || !std::isfinite(weight))
    throw UsageError(ErrorParts{"the weight of a source must be above 0", "--data", "NAME=PATH:WEIGHT", text, {}});
  entry.weight = weight;
  entry.path.resize(colon);
  return entry;
}

engine::TokenStream part_of(const engine::TokenStream& whole, uint64_t begin, uint64_t end) {
  engine::TokenStream part{
      end - begin, [whole, begin](uint64_t position, std::span<int32_t> out) { whole.read(begin + position, out); }};
  if (whole.document_at)
    part.document_at = [whole, begin](uint64_t position) { return whole.document_at(begin + position); };
  return part;
}

// ---- token shards ----

bool holds_shards(const std::string& path) {
  return fs::is_directory(path) && fs::exists(path + "/manifest.json");
}

std::string tokenizer_beside(const std::string& folder) {
  for (const char* place : {"/tokenizer.json", "/tokenizer/tokenizer.json"})
    if (fs::exists(folder + place)) return fs::path(folder + place).parent_path().string();
  return {};
}

engine::TokenStream open_shards(const std::string& path, Data& data) {
  data.shards.push_back(std::make_unique<formats::TokenShards>(formats::TokenShards::open(path)));
  const formats::TokenShards& shards = *data.shards.back();
  if (data.tokenizer && shards.tokenizer_hash() != 0 && shards.tokenizer_hash() != data.tokenizer->hash())
    throw Error(ErrorParts{"the data was made with another tokenizer",
                           path,
                           hex(data.tokenizer->hash()),
                           hex(shards.tokenizer_hash()),
                           {}});
  if (data.vocab_size != 0 && data.vocab_size != shards.vocab_size())
    throw Error(ErrorParts{"the data has another vocabulary",
                           path,
                           std::to_string(data.vocab_size) + " tokens",
                           std::to_string(shards.vocab_size()),
                           {}});
  data.vocab_size = shards.vocab_size();
  return {static_cast<uint64_t>(shards.total_tokens()),
          [&shards](uint64_t position, std::span<int32_t> out) { shards.read(static_cast<int64_t>(position), out); },
          [&shards](uint64_t position) { return shards.document_at(static_cast<int64_t>(position)); }};
}

// ---- text ----

// Bad records are counted in `data`, where there is one.
std::vector<std::string> read_texts(const std::string& path, Data* data,
                                    const formats::DocumentReaderOptions& options = {}) {
  formats::DocumentReader reader({path}, options);
  std::vector<std::string> texts;
  formats::Document document;
  while (reader.next(document)) texts.push_back(std::move(document.text));
  if (reader.bad().total() > 0 && texts.empty())
    throw Error(ErrorParts{"no usable document", path, {}, reader.bad().first().front(), {}});
  if (data) {
    data->documents += texts.size();
    data->bad.add_all(reader.bad());
  }
  return texts;
}

std::unique_ptr<tokenizer::Tokenizer> tokenizer_for(const std::string& name, const std::vector<std::string>& texts) {
  if (name.empty())
    throw UsageError(ErrorParts{"text needs --tokenizer",
                                "--data",
                                "byte, char or a tokenizer folder",
                                {},
                                "a folder of token shards brings its own"});
  if (name != "char") return std::make_unique<tokenizer::Tokenizer>(tokenizer::Tokenizer::load(name));
  std::vector<tokenizer::CountedWord> words;
  for (auto& text : texts) words.push_back({text, 1});
  // One text has no end to learn; among several, each ends with the end-of-text token.
  std::vector<std::string> special;
  if (texts.size() > 1) special.push_back("<|endoftext|>");
  tokenizer::TokenizerParts parts = tokenizer::train_characters(words, special);
  if (!special.empty()) parts.eos = special[0];
  return std::make_unique<tokenizer::Tokenizer>(std::move(parts));
}

engine::TokenStream tokenize(const std::vector<std::string>& texts, Data& data, Context& context) {
  std::vector<std::string_view> views(texts.begin(), texts.end());
  auto pieces = data.tokenizer->encode_all(context.parallel, views);
  auto ids = std::make_unique<std::vector<int32_t>>();
  for (auto& piece : pieces) {
    ids->insert(ids->end(), piece.begin(), piece.end());
    if (data.tokenizer->eos() && texts.size() > 1) ids->push_back(*data.tokenizer->eos());
  }
  const std::vector<int32_t>& all = *ids;
  data.texts.push_back(std::move(ids));
  return {all.size(), [&all](uint64_t position, std::span<int32_t> out) {
            std::copy_n(all.begin() + static_cast<int64_t>(position), out.size(), out.begin());
          }};
}

// Of all tokens of all streams and the weights: a resumed run must see the same data. Memory speed, a second or two for
// 10 GB.
std::string fingerprint(const Data& data) {
  Xxh3 hash;
  std::vector<int32_t> block(1 << 16);
  for (auto& source : data.sources) {
    for (const engine::TokenStream* stream : {&source.train, &source.validation}) {
      for (uint64_t at = 0; at < stream->tokens; at += block.size()) {
        std::span<int32_t> part(block.data(), std::min<uint64_t>(block.size(), stream->tokens - at));
        stream->read(at, part);
        hash.update(std::as_bytes(part));
      }
      hash.update("|");
    }
    if (data.sources.size() > 1) hash.update(source.name + "=" + std::to_string(source.weight));
  }
  return hex(hash.digest64());
}

// The tokenizer of the run: the one that was named, else what lies beside the first shards, else one made from all
// texts.
void find_tokenizer(const DataOptions& options, const std::vector<DataEntry>& entries,
                    const std::vector<std::vector<std::string>>& texts, Data& data) {
  bool any_text = false;
  std::string beside;
  for (auto& entry : entries) {
    if (!holds_shards(entry.path)) any_text = true;
    if (beside.empty() && holds_shards(entry.path)) beside = tokenizer_beside(entry.path);
  }
  if (any_text && (!options.tokenizer.empty() || beside.empty())) {
    std::vector<std::string> all;
    if (options.tokenizer == "char")
      for (auto& list : texts) all.insert(all.end(), list.begin(), list.end());
    data.tokenizer = tokenizer_for(options.tokenizer, all);
  } else if (std::string place = options.tokenizer.empty() ? beside : options.tokenizer; !place.empty()) {
    data.tokenizer = std::make_unique<tokenizer::Tokenizer>(tokenizer::Tokenizer::load(place));
  }
  if (any_text) data.vocab_size = data.tokenizer->vocab_size();
}

engine::TokenSource open_source(const DataOptions& options, const DataEntry& entry,
                                const std::vector<std::string>& texts, Data& data, Context& context) {
  bool shards = holds_shards(entry.path);
  engine::TokenStream whole = shards ? open_shards(entry.path, data) : tokenize(texts, data, context);
  std::string held_out = options.validation_data;
  if (held_out.empty() && shards && holds_shards(entry.path + "/validation"))
    held_out = entry.path + "/validation";  // what `mix` keeps apart
  engine::TokenSource source{entry.name, whole, {}, entry.weight};
  if (held_out.empty()) {
    uint64_t cut = whole.tokens - static_cast<uint64_t>(static_cast<double>(whole.tokens) * options.validation_share);
    source.train = part_of(whole, 0, cut);
    source.validation = part_of(whole, cut, whole.tokens);
    return source;
  }
  data.inputs.push_back(held_out);
  source.validation =
      holds_shards(held_out) ? open_shards(held_out, data) : tokenize(read_texts(held_out, &data), data, context);
  return source;
}

}  // namespace

std::vector<DataEntry> parse_entries(const std::vector<std::string>& data) {
  std::vector<DataEntry> entries;
  for (auto& text : data) {
    DataEntry entry = parse_entry(text);
    if (data.size() > 1 && entry.name.empty())
      throw UsageError(ErrorParts{"each of several sources needs a name", "--data", "NAME=PATH:WEIGHT", text, {}});
    for (auto& other : entries)
      if (other.name == entry.name)
        throw UsageError(ErrorParts{"two sources of one name", "--data", {}, entry.name, {}});
    entries.push_back(std::move(entry));
  }
  if (entries.empty())
    throw UsageError(ErrorParts{"no data given", "--data", "a folder of token shards, or text", {}, {}});
  if (entries.size() > engine::SourceMix::kPeriod)
    throw UsageError(ErrorParts{"too many sources",
                                "--data",
                                "at most " + std::to_string(engine::SourceMix::kPeriod),
                                std::to_string(entries.size()),
                                {}});
  return entries;
}

uint64_t Data::train_tokens() const {
  uint64_t n = 0;
  for (auto& source : sources) n += source.train.tokens;
  return n;
}

uint64_t Data::validation_tokens() const {
  uint64_t n = 0;
  for (auto& source : sources) n += source.validation.tokens;
  return n;
}

Data open_data(const DataOptions& options, Context& context) {
  std::vector<DataEntry> entries = parse_entries(options.data);
  if (entries.size() > 1 && !options.validation_data.empty())
    throw UsageError(ErrorParts{"one --validation-data cannot serve several sources",
                                {},
                                {},
                                {},
                                "each source keeps its own end, or its folder validation, for validation"});
  Data data;
  std::vector<std::vector<std::string>> texts;
  for (auto& entry : entries) {
    data.inputs.push_back(entry.path);
    texts.push_back(holds_shards(entry.path) ? std::vector<std::string>{} : read_texts(entry.path, &data));
  }
  find_tokenizer(options, entries, texts, data);
  for (size_t i = 0; i < entries.size(); ++i)
    data.sources.push_back(open_source(options, entries[i], texts[i], data, context));
  if (data.tokenizer) data.separator = data.tokenizer->eos().value_or(-1);
  data.fingerprint = fingerprint(data);
  return data;
}

std::vector<std::vector<int32_t>> read_probes(const std::string& path, const tokenizer::Tokenizer* tokenizer,
                                              int64_t context) {
  std::vector<std::vector<int32_t>> probes;
  if (path.empty()) return probes;
  if (!tokenizer) throw UsageError(ErrorParts{"--probe needs a tokenizer", path, {}, {}, "--tokenizer names one"});
  formats::DocumentReaderOptions options;
  options.text_files = formats::TextFiles::lines;
  for (auto& text : read_texts(path, nullptr, options)) {
    std::vector<int32_t> ids;
    if (tokenizer->eos()) ids.push_back(*tokenizer->eos());
    tokenizer->encode(text, ids);
    ids.resize(std::min(ids.size(), static_cast<size_t>(context) + 1));
    if (ids.size() >= 2) probes.push_back(std::move(ids));
  }
  if (probes.empty()) throw Error(ErrorParts{"no text of two tokens or more", path, {}, {}, {}});
  return probes;
}

engine::WindowOptions window_options(const PretrainOptions& options, const Data& data, uint64_t seed) {
  engine::WindowOptions windows;
  windows.order = engine::parse_order(options.data.order);
  windows.seed = seed;
  windows.length = options.model.context;
  windows.sequences = options.train.batch;
  windows.micro_batches = options.train.accumulation;
  windows.first_micro_batches = options.train.batch_warmup > 0 ? options.train.grad_groups : 0;
  windows.ramp_steps = options.train.batch_warmup;
  windows.validation_sequences = options.train.batch;
  windows.max_validation_tokens = static_cast<int64_t>(options.run.eval_tokens);
  if (options.data.document_mask) {
    if (data.separator < 0)
      throw UsageError(ErrorParts{
          "--document-mask needs a token between documents", {}, {}, {}, "the tokenizer has no end-of-text token"});
    windows.separator = data.separator;
  }
  return windows;
}

}  // namespace llmkit::pretrain
