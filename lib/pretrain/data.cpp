#include "pretrain/data.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/hash.h"
#include "formats/jsonl.h"
#include "tokenizer/bpe_trainer.h"

namespace llmkit::pretrain {
namespace {

namespace fs = std::filesystem;

engine::TokenStream part_of(const engine::TokenStream& whole, uint64_t begin, uint64_t end) {
  return {end - begin, [whole, begin](uint64_t position, std::span<int32_t> out) { whole.read(begin + position, out); }};
}

// ---- token shards ----

bool holds_shards(const std::string& path) { return fs::is_directory(path) && fs::exists(path + "/manifest.json"); }

std::string tokenizer_beside(const std::string& folder) {
  for (const char* place : {"/tokenizer.json", "/tokenizer/tokenizer.json"})
    if (fs::exists(folder + place)) return fs::path(folder + place).parent_path().string();
  return {};
}

engine::TokenStream open_shards(const std::string& path, Data& data) {
  data.shards.push_back(std::make_unique<formats::TokenShards>(formats::TokenShards::open(path)));
  const formats::TokenShards& shards = *data.shards.back();
  if (data.tokenizer && shards.tokenizer_hash() != 0 && shards.tokenizer_hash() != data.tokenizer->hash())
    throw Error(ErrorParts{"the data was made with another tokenizer", path, hex(data.tokenizer->hash()),
                           hex(shards.tokenizer_hash()), {}});
  if (data.vocab_size != 0 && data.vocab_size != shards.vocab_size())
    throw Error(ErrorParts{"the data has another vocabulary", path, std::to_string(data.vocab_size) + " tokens",
                           std::to_string(shards.vocab_size()), {}});
  data.vocab_size = shards.vocab_size();
  return {static_cast<uint64_t>(shards.total_tokens()),
          [&shards](uint64_t position, std::span<int32_t> out) { shards.read(static_cast<int64_t>(position), out); }};
}

// ---- text ----

std::vector<std::string> read_texts(const std::string& path) {
  formats::DocumentReader reader({path});
  std::vector<std::string> texts;
  formats::Document document;
  while (reader.next(document)) texts.push_back(std::move(document.text));
  if (reader.bad().total() > 0 && texts.empty())
    throw Error(ErrorParts{"no usable document", path, {}, reader.bad().first().front(), {}});
  return texts;
}

std::unique_ptr<tokenizer::Tokenizer> tokenizer_for(const std::string& name, const std::vector<std::string>& texts) {
  if (name.empty())
    throw UsageError(ErrorParts{"text needs --tokenizer", "--data", "byte, char or a tokenizer folder", {},
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

// Of all tokens of both streams: a resumed run must see the same data. Memory speed, a second or two for 10 GB.
std::string fingerprint(const Data& data) {
  Xxh3 hash;
  std::vector<int32_t> block(1 << 16);
  for (const engine::TokenStream* stream : {&data.train, &data.validation}) {
    for (uint64_t at = 0; at < stream->tokens; at += block.size()) {
      std::span<int32_t> part(block.data(), std::min<uint64_t>(block.size(), stream->tokens - at));
      stream->read(at, part);
      hash.update(std::as_bytes(part));
    }
    hash.update("|");
  }
  return hex(hash.digest64());
}

}  // namespace

Data open_data(const DataOptions& options, Context& context) {
  if (options.data.empty()) throw UsageError(ErrorParts{"no data given", "--data", "a folder of token shards, or text", {}, {}});
  Data data;
  data.inputs = {options.data};
  engine::TokenStream whole;
  if (holds_shards(options.data)) {
    std::string place = options.tokenizer.empty() ? tokenizer_beside(options.data) : options.tokenizer;
    if (!place.empty()) data.tokenizer = std::make_unique<tokenizer::Tokenizer>(tokenizer::Tokenizer::load(place));
    whole = open_shards(options.data, data);
  } else {
    std::vector<std::string> texts = read_texts(options.data);
    data.tokenizer = tokenizer_for(options.tokenizer, texts);
    data.vocab_size = data.tokenizer->vocab_size();
    whole = tokenize(texts, data, context);
  }
  if (data.tokenizer) data.separator = data.tokenizer->eos().value_or(-1);

  std::string held_out_folder = options.validation_data;
  if (held_out_folder.empty() && holds_shards(options.data) && holds_shards(options.data + "/validation"))
    held_out_folder = options.data + "/validation";  // what `mix` keeps apart
  if (held_out_folder.empty()) {
    auto held_out = static_cast<uint64_t>(static_cast<double>(whole.tokens) * options.validation_share);
    uint64_t cut = whole.tokens - held_out;
    data.train = part_of(whole, 0, cut);
    data.validation = part_of(whole, cut, whole.tokens);
  } else {
    data.inputs.push_back(held_out_folder);
    data.train = whole;
    data.validation = holds_shards(held_out_folder) ? open_shards(held_out_folder, data)
                                                    : tokenize(read_texts(held_out_folder), data, context);
  }
  data.fingerprint = fingerprint(data);
  return data;
}

}  // namespace llmkit::pretrain
