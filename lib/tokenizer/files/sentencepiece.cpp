// SentencePiece's ModelProto (google/sentencepiece, src/sentencepiece_model.proto): pieces, what the trainer was told,
// and the normalizer's rules.
#include <cmath>

#include "base/error.h"
#include "formats/json.h"
#include "formats/wire.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/tokenizer_formats.h"

namespace llmkit::tokenizer {
namespace {

using formats::WireReader;
using formats::WireWriter;

[[noreturn]] void fail(std::string_view where, std::string expected, std::string found) {
  throw Error(ErrorParts{
      "this SentencePiece model cannot be read", std::string(where), std::move(expected), std::move(found), {}});
}

enum Trainer : uint32_t { kModelType = 3, kSuffix = 24, kByteFallback = 35, kUnkId = 40, kBosId, kEosId, kPadId };

struct TrainerSpec {
  uint64_t model = 1;
  bool byte_fallback = false, suffix = false;
  int32_t unk = 0, bos = 1, eos = 2, pad = -1;
};

TrainerSpec read_trainer(std::string_view bytes, std::string_view where) {
  TrainerSpec spec;
  WireReader in(bytes, where);
  while (auto f = in.next()) {
    auto id = static_cast<int32_t>(f->integer);
    if (f->number == kModelType) spec.model = f->integer;
    if (f->number == kSuffix) spec.suffix = f->integer != 0;
    if (f->number == kByteFallback) spec.byte_fallback = f->integer != 0;
    if (f->number == kUnkId) spec.unk = id;
    if (f->number == kBosId) spec.bos = id;
    if (f->number == kEosId) spec.eos = id;
    if (f->number == kPadId) spec.pad = id;
  }
  return spec;
}

struct NormalizerSpec {
  std::string_view map;
  bool dummy_prefix = true, remove_extra = true, escape = true;
};

NormalizerSpec read_normalizer(std::string_view bytes, std::string_view where) {
  NormalizerSpec spec;
  WireReader in(bytes, where);
  while (auto f = in.next()) {
    if (f->number == 2 && f->is_bytes) spec.map = f->bytes;
    if (f->number == 3) spec.dummy_prefix = f->integer != 0;
    if (f->number == 4) spec.remove_extra = f->integer != 0;
    if (f->number == 5) spec.escape = f->integer != 0;
  }
  return spec;
}

void read_piece(std::string_view bytes, std::string_view where, TokenizerParts& parts) {
  std::string_view spelling;
  float score = 0;
  uint64_t type = 1;
  WireReader in(bytes, where);
  while (auto f = in.next()) {
    if (f->number == 1 && f->is_bytes) spelling = f->bytes;
    if (f->number == 2) score = f->real();
    if (f->number == 3) type = f->integer;
  }
  std::string place = std::string(where) + ", piece " + std::to_string(parts.tokens.size());
  if (spelling.empty() || !formats::is_valid_utf8(spelling))
    fail(place, "a text in UTF-8", "'" + printable(spelling) + "'");
  if (!std::isfinite(score)) fail(place, "a finite score", std::to_string(score));
  if (type < 1 || type > 6) fail(place, "a type from 1 to 6", std::to_string(type));
  parts.tokens.emplace_back(spelling);
  parts.scores.push_back(score);
  parts.types.push_back(static_cast<TokenType>(type));
}

std::string normalizer_spec(const NormalizerSpec& n, bool suffix) {
  auto flag = [](bool b) { return b ? "true" : "false"; };
  std::string spec = "sentencepiece:dummy-prefix=";
  spec += flag(n.dummy_prefix);
  spec +=
      std::string(",remove-extra=") + flag(n.remove_extra) + ",escape=" + flag(n.escape) + ",suffix=" + flag(suffix);
  if (!n.map.empty()) spec += ",map=\"" + encode_base64(n.map) + "\"";
  return spec;
}

}  // namespace

TokenizerParts parse_sentencepiece(std::string_view bytes, std::string_view where) {
  TokenizerParts parts;
  TrainerSpec trainer;
  NormalizerSpec normalizer;
  WireReader in(bytes, where);
  while (auto f = in.next()) {
    if (!f->is_bytes) continue;
    if (f->number == 1) read_piece(f->bytes, where, parts);
    if (f->number == 2) trainer = read_trainer(f->bytes, where);
    if (f->number == 3) normalizer = read_normalizer(f->bytes, where);
  }
  if (parts.tokens.empty()) fail(where, "pieces", "none");
  check_distinct(parts.tokens, where);
  if (trainer.model == 1)
    parts.model = ModelKind::unigram;
  else if (trainer.model == 2 || trainer.model == 4)
    parts.model = ModelKind::bpe;
  else
    fail(where, "a unigram, bpe or char model", "model type " + std::to_string(trainer.model));
  Charsmap{normalizer.map};  // is it whole?
  parts.symbols = TokenizerParts::Symbols::characters;
  parts.pretokenizer = "none";
  parts.normalizers = {normalizer_spec(normalizer, trainer.suffix)};
  parts.byte_fallback = trainer.byte_fallback;
  parts.fuse_unk = true;
  parts.joining = Joining::metaspace;
  parts.drop_first_space = normalizer.dummy_prefix && !trainer.suffix;
  if (trainer.model == 2) parts.merges = merges_of_scores(parts, where);
  int unknowns = 0;
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    if (parts.types[id] == TokenType::unknown) {
      parts.unk = parts.tokens[id];
      ++unknowns;
    }
    if (parts.types[id] != TokenType::control && parts.types[id] != TokenType::unknown) continue;
    AddedToken token;
    token.content = parts.tokens[id];
    token.id = static_cast<int32_t>(id);
    parts.added.push_back(token);
  }
  if (unknowns != 1) fail(where, "one piece of type unknown", std::to_string(unknowns));
  auto role = [&](int32_t id, std::string& content) {
    if (id >= 0 && id < static_cast<int32_t>(parts.tokens.size()) &&
        parts.types[static_cast<size_t>(id)] == TokenType::control)
      content = parts.tokens[static_cast<size_t>(id)];
  };
  role(trainer.bos, parts.bos);
  role(trainer.eos, parts.eos);
  role(trainer.pad, parts.pad);
  return parts;
}

}  // namespace llmkit::tokenizer
