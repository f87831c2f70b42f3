#include "tokenizer/inspect.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <unordered_map>

#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

constexpr std::string_view kNewline = "\u23CE";
// Backgrounds of the 256-colour palette on which black is readable, so that neighbours differ.
constexpr std::array<int, 4> kBackgrounds{153, 222, 157, 218};
constexpr size_t kMostSteps = 10000;  // of one history: a damaged vocabulary must not fill the memory

constexpr ClassSet kUnseen{CharClass::other, CharClass::control, CharClass::format, CharClass::private_use};

}  // namespace

std::string visible_text(std::string_view bytes) {
  std::string out;
  for (size_t at = 0; at < bytes.size();) {
    Utf8Char c = decode_utf8(bytes.data() + at, bytes.data() + bytes.size());
    bool unseen = c.code_point > 0x10FFFF || c.code_point < 0x20 || kUnseen(class_of(c.code_point)) ||
                  c.code_point == 0x85 || c.code_point == 0x2028 || c.code_point == 0x2029;
    for (size_t i = at; i < at + c.length; ++i) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "<%02X>", static_cast<unsigned>(static_cast<unsigned char>(bytes[i])));
      if (unseen)
        out += hex;
      else
        out += bytes[i];
    }
    at += c.length;
  }
  return out;
}

std::string paint_tokens(const Tokenizer& tokenizer, std::span<const int32_t> ids, Paint paint) {
  std::string out;
  for (size_t i = 0; i < ids.size(); ++i) {
    std::string_view bytes = tokenizer.bytes(ids[i]);
    std::string open = paint == Paint::colours
                           ? "\x1B[30;48;5;" + std::to_string(kBackgrounds[i % kBackgrounds.size()]) + "m"
                           : std::string();
    std::string_view close = paint == Paint::colours ? "\x1B[0m" : "";
    if (paint == Paint::bars && i > 0) out += '|';
    out += open;
    for (size_t from = 0; from <= bytes.size();) {
      size_t newline = std::min(bytes.find('\n', from), bytes.size());
      out += visible_text(bytes.substr(from, newline - from));
      if (newline < bytes.size()) {
        out += kNewline;
        out += close;
        out += '\n';
        out += open;
      }
      from = newline + 1;
    }
    out += close;
  }
  return out;
}

std::vector<MergeStep> merge_history(const TokenizerParts& parts, int32_t id) {
  std::unordered_map<int32_t, int64_t> made_by;  // the first merge that gives a token
  for (size_t rank = 0; rank < parts.merges.size(); ++rank)
    made_by.emplace(parts.merges[rank].result, static_cast<int64_t>(rank));
  std::vector<MergeStep> steps;
  std::vector<int32_t> open{id};
  while (!open.empty() && steps.size() < kMostSteps) {
    auto found = made_by.find(open.back());
    open.pop_back();
    if (found == made_by.end()) continue;
    const Merge& merge = parts.merges[static_cast<size_t>(found->second)];
    made_by.erase(found);  // a part that occurs twice is shown once
    steps.push_back({static_cast<int64_t>(&merge - parts.merges.data()), merge.left, merge.right, merge.result});
    open.push_back(merge.left);
    open.push_back(merge.right);
  }
  std::sort(steps.begin(), steps.end(), [](auto& a, auto& b) { return a.rank < b.rank; });
  return steps;
}

}  // namespace llmkit::tokenizer
