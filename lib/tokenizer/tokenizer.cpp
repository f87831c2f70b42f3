#include "tokenizer/tokenizer.h"

#include <algorithm>

#include "base/hash.h"
#include "tokenizer/unicode_class.h"
#include "tokenizer/word_cache.h"

namespace llmkit::tokenizer {

struct Tokenizer::Workspace {
  WordCache cache;
  BpeMerger::Scratch scratch;
  std::vector<size_t> ends = std::vector<size_t>(1024);
};

// Workspaces that no call uses at the moment: encode() is const and may run on any thread.
struct Tokenizer::Pool {
  std::mutex mutex;
  std::vector<std::unique_ptr<Workspace>> idle;
};

class Tokenizer::Lease {
 public:
  explicit Lease(Pool& pool) : pool_(pool) {
    std::lock_guard lock(pool_.mutex);
    if (pool_.idle.empty()) return;
    space_ = std::move(pool_.idle.back());
    pool_.idle.pop_back();
  }
  ~Lease() {
    if (!space_) return;
    std::lock_guard lock(pool_.mutex);
    pool_.idle.push_back(std::move(space_));
  }
  Workspace& get() {
    if (!space_) space_ = std::make_unique<Workspace>();
    return *space_;
  }

 private:
  Pool& pool_;
  std::unique_ptr<Workspace> space_;
};

namespace {

// Of what decides which ids a text gets, in one canonical byte string.
uint64_t hash_of(const TokenizerParts& parts) {
  std::string all = parts.pretokenizer;
  auto number = [&](int64_t n) { all.append(reinterpret_cast<const char*>(&n), sizeof n); };
  auto text = [&](std::string_view s) {
    number(static_cast<int64_t>(s.size()));
    all += s;
  };
  number(static_cast<int64_t>(parts.symbols));
  number(parts.ignore_merges);
  text(parts.unk);
  for (auto& token : parts.tokens) text(token);
  for (auto& m : parts.merges)
    for (int32_t id : {m.left, m.right, m.result}) number(id);
  for (auto& a : parts.added) {
    number(a.id);
    number(a.special | a.single_word << 1 | a.lstrip << 2 | a.rstrip << 3 | a.normalized << 4);
  }
  return xxh3_64(all);
}

}  // namespace

int32_t TokenizerParts::add(const AddedToken& token) {
  auto content = std::find(tokens.begin(), tokens.end(), token.content);
  AddedToken entry = token;
  entry.id = static_cast<int32_t>(content - tokens.begin());
  if (content == tokens.end()) tokens.push_back(token.content);
  std::erase_if(added, [&](const AddedToken& a) { return a.id == entry.id; });
  auto after = std::find_if(added.begin(), added.end(), [&](const AddedToken& a) { return a.id > entry.id; });
  added.insert(after, entry);
  return entry.id;
}

Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer::Tokenizer(TokenizerParts parts)
    : parts_(std::make_unique<const TokenizerParts>(std::move(parts))),
      pretokenizer_(pretokenizers().make(parts_->pretokenizer)),
      merger_(parts_->merges),
      first_(parts_->added, false),
      second_(parts_->added, true),
      pool_(std::make_unique<Pool>()) {
  const auto& tokens = parts_->tokens;
  special_.resize(tokens.size());
  for (auto& token : parts_->added)
    if (token.id >= 0) special_[static_cast<size_t>(token.id)] = token.special;
  for (size_t id = 0; id < tokens.size(); ++id)
    if (!tokens[id].empty()) ids_.try_emplace(tokens[id], static_cast<int32_t>(id));
  for (auto& token : parts_->added) ids_[token.content] = token.id;

  bool bytes = parts_->symbols == TokenizerParts::Symbols::bytes;
  if (bytes) symbol_ids_.assign(256, -1);
  std::vector<bool> added(tokens.size());
  for (auto& token : parts_->added) added[static_cast<size_t>(token.id)] = true;
  for (size_t id = 0; id < tokens.size(); ++id) {
    const std::string& token = tokens[id];
    if (token.empty()) continue;
    if (bytes && token.size() == 1) {
      int32_t& symbol = symbol_ids_[static_cast<unsigned char>(token[0])];
      if (symbol < 0 || !added[id]) symbol = static_cast<int32_t>(id);
    } else if (!bytes) {
      Utf8Char c = decode_utf8(token.data(), token.data() + token.size());
      if (c.length != token.size() || c.code_point == 0xFFFFFFFF) continue;
      if (symbol_ids_.size() <= c.code_point) symbol_ids_.resize(c.code_point + 1, -1);
      symbol_ids_[c.code_point] = static_cast<int32_t>(id);
    }
  }
  unk_id_ = unk().value_or(-1);
  hash_ = hash_of(*parts_);
}

std::optional<int32_t> Tokenizer::role(std::string_view content) const {
  return content.empty() ? std::nullopt : token_id(content);
}

std::optional<int32_t> Tokenizer::token_id(std::string_view bytes) const {
  auto found = ids_.find(bytes);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

std::string_view Tokenizer::bytes(int32_t id) const {
  return id < 0 || id >= vocab_size() ? std::string_view() : parts_->tokens[static_cast<size_t>(id)];
}

bool Tokenizer::is_special(int32_t id) const {
  return id >= 0 && id < vocab_size() && special_[static_cast<size_t>(id)];
}

template <class Between>
void Tokenizer::cut_out(std::string_view text, const AddedTokenMatcher& matcher, bool with_special,
                        std::vector<int32_t>& out, Between&& between) const {
  if (matcher.empty()) return between(text);
  for (size_t at = 0; at < text.size();) {
    auto match = matcher.next(text, at, with_special);
    if (match.begin > at) between(text.substr(at, match.begin - at));
    if (match.token) out.push_back(match.token->id);
    at = match.end;
  }
}

void Tokenizer::encode(std::string_view text, std::vector<int32_t>& out, const EncodeOptions& options) const {
  Lease lease(*pool_);
  Workspace& space = lease.get();
  bool with_special = options.special == SpecialText::parse;
  if (options.add_special_tokens) out.insert(out.end(), parts_->prefix.begin(), parts_->prefix.end());
  cut_out(text, first_, with_special, out, [&](std::string_view outer) {
    cut_out(outer, second_, with_special, out, [&](std::string_view inner) { encode_text(inner, out, space); });
  });
  if (options.add_special_tokens) out.insert(out.end(), parts_->suffix.begin(), parts_->suffix.end());
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::vector<int32_t> out;
  encode(text, out, options);
  return out;
}

void Tokenizer::encode_text(std::string_view text, std::vector<int32_t>& out, Workspace& space) const {
  size_t begin = 0;
  while (size_t count = pretokenizer_->split(text, begin, space.ends)) {
    for (size_t i = 0; i < count; ++i) {
      encode_piece(text.substr(begin, space.ends[i] - begin), text.size() - begin, out, space);
      begin = space.ends[i];
    }
  }
}

void Tokenizer::encode_piece(std::string_view piece, size_t readable, std::vector<int32_t>& out,
                             Workspace& space) const {
  if (piece.size() > WordCache::kMaxBytes) return merge_piece(piece, out, space);
  WordCache::Key key = WordCache::key_of(piece.data(), piece.size(), readable);
  WordCache::Entry& entry = space.cache.slot(key);
  if (entry.key == key) {
    for (int32_t id : entry.ids) {
      if (id < 0) break;
      out.push_back(id);
    }
    return;
  }
  size_t from = out.size();
  merge_piece(piece, out, space);
  WordCache::store(entry, key, std::span(out).subspan(from));
}

void Tokenizer::merge_piece(std::string_view piece, std::vector<int32_t>& out, Workspace& space) const {
  if (parts_->ignore_merges) {
    if (auto found = ids_.find(piece); found != ids_.end()) return out.push_back(found->second);
  }
  size_t from = out.size();
  auto push = [&](int32_t id) {
    if (id < 0) id = unk_id_;
    if (id >= 0) out.push_back(id);  // without an unknown token, Hugging Face drops what the vocabulary lacks
  };
  if (parts_->symbols == TokenizerParts::Symbols::bytes) {
    for (char byte : piece) push(symbol_ids_[static_cast<unsigned char>(byte)]);
  } else {
    for (const char *p = piece.data(), *end = p + piece.size(); p < end;) {
      Utf8Char c = decode_utf8(p, end);
      push(c.code_point < symbol_ids_.size() ? symbol_ids_[c.code_point] : -1);
      p += c.length;
    }
  }
  if (!parts_->merges.empty()) merger_.merge(out, from, space.scratch);
}

std::vector<std::vector<int32_t>> Tokenizer::encode_all(Parallel& parallel, std::span<const std::string_view> texts,
                                                        const EncodeOptions& options) const {
  std::vector<std::vector<int32_t>> out(texts.size());
  parallel.for_tiles(static_cast<int64_t>(texts.size()),
                     [&](int64_t i) { encode(texts[static_cast<size_t>(i)], out[static_cast<size_t>(i)], options); });
  return out;
}

void Tokenizer::decode(int32_t id, std::string& out, bool skip_special) const {
  if (skip_special && is_special(id)) return;
  out += bytes(id);
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::string out;
  for (int32_t id : ids) decode(id, out, skip_special);
  return out;
}

}  // namespace llmkit::tokenizer
