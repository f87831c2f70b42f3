#include "clean/sentences.h"

#include <algorithm>
#include <array>

#include "text/segment.h"
#include "text/utf8.h"

namespace llmkit::clean {
namespace {

constexpr std::array<std::string_view, 22> kAbbreviations = {"mr",  "mrs", "ms",  "dr",  "prof", "st",    "vs", "etc",
                                                             "no",  "fig", "inc", "ltd", "co",   "jr",    "sr", "e.g",
                                                             "i.e", "cf",  "al",  "vol", "pp",   "approx"};

bool abbreviation_before(std::string_view line, size_t dot) {
  size_t start = dot;
  while (start > 0 && line[start - 1] != ' ' && line[start - 1] != '(') --start;
  std::string_view word = line.substr(start, dot - start);
  if (word.size() == 1 && ((word[0] | 32) >= 'a' && (word[0] | 32) <= 'z')) return true;  // an initial
  if (word.size() > 6) return false;
  if (word.find('.') != std::string_view::npos) return true;  // "p.m.", "U.S."
  std::string lower(word);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return std::find(kAbbreviations.begin(), kAbbreviations.end(), lower) != kAbbreviations.end();
}

// Terminal punctuation by code point: sentence ends of living scripts (Unicode Sentence_Terminal), and what may close
// behind them.
constexpr std::array<char32_t, 62> kTerminal = {
    '!',    '"',    '\'',   '.',    '?',    0x00A1, 0x0589, 0x061D, 0x061E, 0x061F, 0x06D4, 0x0700, 0x0701,
    0x0702, 0x07F9, 0x0837, 0x0839, 0x083D, 0x083E, 0x0964, 0x0965, 0x104A, 0x104B, 0x1362, 0x1367, 0x1368,
    0x166E, 0x1735, 0x1736, 0x17D4, 0x17D5, 0x1803, 0x1809, 0x1944, 0x1945, 0x2019, 0x201D, 0x2026, 0x203C,
    0x203D, 0x2047, 0x2048, 0x2049, 0x2E2E, 0x2E3C, 0x3002, 0x300D, 0x300F, 0xA4FF, 0xA60E, 0xA60F, 0xA6F3,
    0xA6F7, 0xA876, 0xA877, 0xFE52, 0xFE56, 0xFE57, 0xFF01, 0xFF0E, 0xFF1F, 0xFF61};

}  // namespace

size_t count_sentences(std::string_view line) {
  line = text::trim(line);
  if (line.empty()) return 0;
  size_t count = 0;
  bool open = false;
  for (size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    bool ascii_end = (c == '.' || c == '!' || c == '?') &&
                     (i + 1 == line.size() || line[i + 1] == ' ' || line[i + 1] == '"' || line[i + 1] == ')');
    if (ascii_end && c == '.' && i + 1 < line.size() && abbreviation_before(line, i)) ascii_end = false;
    std::string_view three = line.substr(i, 3);
    bool wide_end = three == "\xE3\x80\x82" || three == "\xEF\xBC\x81" || three == "\xEF\xBC\x9F";
    if (ascii_end || wide_end) {
      count += open;
      open = false;
      if (wide_end) i += 2;
    } else if (c != ' ' && c != '"' && c != ')') {
      open = true;
    }
  }
  return std::max<size_t>(count + open, 1);
}

bool ends_in_terminal_punctuation(std::string_view line) {
  line = text::trim(line);
  if (line.empty()) return false;
  size_t at = line.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(line[at]) & 0xC0) == 0x80) --at;
  return std::binary_search(kTerminal.begin(), kTerminal.end(), text::decode_utf8(line, at));
}

}  // namespace llmkit::clean
