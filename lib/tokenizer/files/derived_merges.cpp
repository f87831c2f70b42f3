// Merge lists for formats that do not have one.
#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/tokenizer_formats.h"

namespace llmkit::tokenizer {
namespace {

constexpr size_t kMaxTokenBytes = 4096;  // work grows with its square

void check_size(std::string_view token, size_t id, std::string_view where) {
  if (token.size() <= kMaxTokenBytes) return;
  throw Error(ErrorParts{"a token is too long",
                         std::string(where) + ", token " + std::to_string(id),
                         "at most " + std::to_string(kMaxTokenBytes) + " bytes",
                         std::to_string(token.size()),
                         {}});
}

bool is_continuation(char c) {
  return (c & 0xC0) == 0x80;
}

}  // namespace

void check_distinct(const std::vector<std::string>& tokens, std::string_view where) {
  std::unordered_map<std::string_view, size_t> ids;
  ids.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].empty()) continue;
    auto [first, fresh] = ids.try_emplace(tokens[id], id);
    if (!fresh)
      throw Error(ErrorParts{
          "a token is there twice",
          std::string(where),
          "one id for each",
          "'" + printable(tokens[id]) + "' with " + std::to_string(first->second) + " and " + std::to_string(id),
          {}});
  }
}

std::vector<Merge> merges_of_scores(const TokenizerParts& parts, std::string_view where) {
  auto mergeable = [&](size_t id) {
    return !parts.tokens[id].empty() && (id >= parts.types.size() || parts.types[id] == TokenType::normal);
  };
  std::unordered_map<std::string_view, int32_t> ids;
  for (size_t id = 0; id < parts.tokens.size(); ++id)
    if (mergeable(id)) ids.try_emplace(parts.tokens[id], static_cast<int32_t>(id));
  std::vector<Merge> merges;
  for (size_t id = 0; id < parts.tokens.size(); ++id) {
    std::string_view token = parts.tokens[id];
    if (!mergeable(id) || ids.at(token) != static_cast<int32_t>(id)) continue;
    check_size(token, id, where);
    for (size_t cut = 1; cut < token.size(); ++cut) {
      if (is_continuation(token[cut])) continue;
      auto left = ids.find(token.substr(0, cut)), right = ids.find(token.substr(cut));
      if (left != ids.end() && right != ids.end())
        merges.push_back({left->second, right->second, static_cast<int32_t>(id)});
    }
  }
  std::stable_sort(merges.begin(), merges.end(), [&](const Merge& a, const Merge& b) {
    return parts.scores[static_cast<size_t>(a.result)] > parts.scores[static_cast<size_t>(b.result)];
  });
  return merges;
}

std::vector<Merge> merges_of_ranks(const std::vector<std::string>& tokens, std::string_view where, bool& complete) {
  std::unordered_map<std::string_view, int32_t> ids;
  ids.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id)
    if (!tokens[id].empty()) ids.try_emplace(tokens[id], static_cast<int32_t>(id));
  complete = true;
  std::vector<Merge> merges;
  struct Part {
    size_t begin;
    int32_t rank;  // of the token that this part and the next make; INT32_MAX: none
  };
  std::vector<Part> cut;
  for (size_t id = 0; id < tokens.size(); ++id) {
    std::string_view token = tokens[id];
    if (token.size() < 2) continue;
    check_size(token, id, where);
    auto rank_of = [&](size_t begin, size_t end) {
      auto found = ids.find(token.substr(begin, end - begin));
      return found == ids.end() || found->second >= static_cast<int32_t>(id) ? INT32_MAX : found->second;
    };
    cut.clear();
    for (size_t i = 0; i < token.size(); ++i) cut.push_back({i, i + 2 <= token.size() ? rank_of(i, i + 2) : INT32_MAX});
    while (cut.size() > 2) {
      auto best = std::min_element(cut.begin(), cut.end(), [](auto& a, auto& b) { return a.rank < b.rank; });
      if (best->rank == INT32_MAX) break;
      auto at = static_cast<size_t>(best - cut.begin());
      cut.erase(best + 1);
      auto end_of = [&](size_t i) { return i + 1 < cut.size() ? cut[i + 1].begin : token.size(); };
      auto update = [&](size_t i) {
        cut[i].rank = i + 1 < cut.size() ? rank_of(cut[i].begin, end_of(i + 1)) : INT32_MAX;
      };
      update(at);
      if (at > 0) update(at - 1);
    }
    auto left = ids.find(token.substr(0, cut[1].begin)), right = ids.find(token.substr(cut[1].begin));
    if (cut.size() != 2 || left == ids.end() || right == ids.end() || left->second >= static_cast<int32_t>(id) ||
        right->second >= static_cast<int32_t>(id)) {
      complete = false;
      continue;
    }
    merges.push_back({left->second, right->second, static_cast<int32_t>(id)});
  }
  return merges;
}

std::vector<Merge> merges_of_spellings(const TokenizerParts& parts,
                                       const std::vector<std::pair<std::string, std::string>>& spelled,
                                       const std::vector<std::string>& spellings, std::string_view where) {
  std::unordered_map<std::string_view, int32_t> ids;
  ids.reserve(spellings.size());
  for (size_t id = 0; id < spellings.size(); ++id)
    if (!spellings[id].empty()) ids.try_emplace(spellings[id], static_cast<int32_t>(id));
  std::vector<Merge> merges;
  for (auto& [left, right] : spelled) {
    std::string_view rest = right;
    if (!parts.word_prefix.empty() && rest.starts_with(parts.word_prefix)) rest.remove_prefix(parts.word_prefix.size());
    std::string whole = left;
    whole += rest;
    if (rest.empty())  // the result would be made of itself
      throw Error(ErrorParts{"a merge joins nothing",
                             std::string(where),
                             "two tokens",
                             "'" + printable(left) + "' + '" + printable(right) + "'",
                             {}});
    auto l = ids.find(left), r = ids.find(right), result = ids.find(whole);
    if (l == ids.end() || r == ids.end() || result == ids.end()) {
      throw Error(ErrorParts{"a merge names a token that is not in the vocabulary",
                             std::string(where),
                             {},
                             "'" + left + "' + '" + right + "'",
                             {}});
    }
    merges.push_back({l->second, r->second, result->second});
  }
  return merges;
}

void put_token(std::vector<std::string>& tokens, int64_t id, std::string bytes, int64_t limit, std::string_view where) {
  if (id < 0 || id >= limit) {
    throw Error(ErrorParts{"a token id is out of range",
                           std::string(where),
                           "0 to " + std::to_string(limit - 1),
                           std::to_string(id) + " for '" + bytes + "'",
                           {}});
  }
  if (tokens.size() <= static_cast<size_t>(id)) tokens.resize(static_cast<size_t>(id) + 1);
  std::string& slot = tokens[static_cast<size_t>(id)];
  if (!slot.empty() && slot != bytes) {
    throw Error(ErrorParts{"two tokens have one id",
                           std::string(where),
                           {},
                           std::to_string(id) + " for '" + slot + "' and '" + bytes + "'",
                           {}});
  }
  slot = std::move(bytes);
}

}  // namespace llmkit::tokenizer
