#include "text/charset.h"

#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "text/utf8.h"

namespace llmkit::text {
namespace {

struct Label {
  std::string_view label, name, converter;
};

constexpr Label kLabels[] = {
#define LLMKIT_CHARSET(label, name, converter) {label, name, converter},
#include "text/charset_labels.def"
#undef LLMKIT_CHARSET
};

constexpr size_t kDetectBytes = 64 << 10;

bool space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string lower_trimmed(std::string_view text) {
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  std::string out(text.substr(0, 64));
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

const Label* find_label(std::string_view label) {
  std::string wanted = lower_trimmed(label);
  auto* it = std::lower_bound(std::begin(kLabels), std::end(kLabels), wanted,
                              [](const Label& l, const std::string& w) { return l.label < w; });
  return it != std::end(kLabels) && it->label == wanted ? it : nullptr;
}

std::string_view bom_charset(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) return "UTF-8";
  if (bytes.starts_with("\xFE\xFF")) return "UTF-16BE";
  if (bytes.starts_with("\xFF\xFE")) return "UTF-16LE";
  return {};
}

// What the bytes look like as UTF-8, in their first kDetectBytes.
struct Utf8Evidence {
  size_t multibyte = 0;  // well-formed sequences of two or more bytes
  size_t broken = 0;
};

Utf8Evidence utf8_evidence(std::string_view bytes) {
  Utf8Evidence e;
  bytes = bytes.substr(0, kDetectBytes);
  for (size_t at = 0; at < bytes.size();) {
    if (static_cast<unsigned char>(bytes[at]) < 0x80) {
      ++at;
      continue;
    }
    size_t start = at;
    char32_t code = decode_utf8(bytes, at);
    if (code != kReplacement)
      ++e.multibyte;
    else if (at < bytes.size() && bytes.substr(start, 3) != "\xEF\xBF\xBD")
      ++e.broken;
  }
  return e;
}

std::string_view guess_by_statistics(std::string_view bytes) {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<UCharsetDetector, void (*)(UCharsetDetector*)> detector(ucsdet_open(&status), ucsdet_close);
  if (U_FAILURE(status)) return {};
  bytes = bytes.substr(0, kDetectBytes);
  ucsdet_enableInputFilter(detector.get(), true);  // leaves out what stands inside tags
  ucsdet_setText(detector.get(), bytes.data(), static_cast<int32_t>(bytes.size()), &status);
  const UCharsetMatch* match = ucsdet_detect(detector.get(), &status);
  if (U_FAILURE(status) || match == nullptr || ucsdet_getConfidence(match, &status) < 20) return {};
  const char* name = ucsdet_getName(match, &status);
  return U_FAILURE(status) || name == nullptr ? std::string_view{} : find_charset(name);
}

bool one_byte(std::string_view charset) {
  return charset.starts_with("windows-") || charset.starts_with("ISO-8859") || charset.starts_with("KOI8") ||
         charset == "macintosh" || charset == "IBM866";
}

}  // namespace

std::string_view charset_source_name(CharsetSource source) {
  constexpr std::array<std::string_view, 6> kNames = {"bom", "http", "meta", "valid-utf8", "statistics", "fallback"};
  return kNames[static_cast<size_t>(source)];
}

std::string_view find_charset(std::string_view label) {
  const Label* found = find_label(label);
  return found != nullptr ? found->name : std::string_view{};
}

std::string_view content_type_charset(std::string_view value) {
  constexpr std::string_view kKey = "charset";
  for (size_t at = 0; at + kKey.size() < value.size(); ++at) {
    if (!std::equal(kKey.begin(), kKey.end(), value.begin() + static_cast<ptrdiff_t>(at),
                    [](char a, char b) { return a == lower(b); }))
      continue;
    size_t i = at + kKey.size();
    while (i < value.size() && space(value[i])) ++i;
    if (i >= value.size() || value[i] != '=') continue;
    ++i;
    while (i < value.size() && space(value[i])) ++i;
    if (i < value.size() && (value[i] == '"' || value[i] == '\'')) {
      size_t end = value.find(value[i], i + 1);
      return end == std::string_view::npos ? std::string_view{} : value.substr(i + 1, end - i - 1);
    }
    size_t end = i;
    while (end < value.size() && !space(value[end]) && value[end] != ';') ++end;
    return value.substr(i, end - i);
  }
  return {};
}

Charset detect_charset(std::string_view bytes, std::string_view content_type) {
  if (auto name = bom_charset(bytes); !name.empty()) return {name, CharsetSource::bom};
  Charset said{find_charset(content_type_charset(content_type)), CharsetSource::http};
  if (said.name.empty()) said = {prescan_meta(bytes), CharsetSource::meta};
  Utf8Evidence evidence = utf8_evidence(bytes);
  bool utf8 = evidence.broken == 0 || evidence.broken * 20 < evidence.multibyte;
  if (said.name == "UTF-8" && !utf8 && evidence.broken > 8) said.name = {};
  if (said.name == "UTF-8" && evidence.multibyte == 0 && evidence.broken > 0) said.name = {};
  if (evidence.broken == 0 && evidence.multibyte >= 4 && one_byte(said.name)) said.name = {};
  if (!said.name.empty()) return said;
  if (utf8 && evidence.multibyte > 0) return {"UTF-8", CharsetSource::valid_utf8};
  if (evidence.multibyte + evidence.broken == 0 && bytes.find('\x1B') == std::string_view::npos &&
      bytes.find('\0') == std::string_view::npos)
    return {"UTF-8", CharsetSource::valid_utf8};  // ASCII
  if (auto name = guess_by_statistics(bytes); !name.empty()) return {name, CharsetSource::statistics};
  return {"windows-1252", CharsetSource::fallback};
}

std::string to_utf8(std::string_view bytes, std::string_view charset) {
  const Label* label = find_label(charset);
  if (label == nullptr || label->name == "UTF-8") {
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    return is_valid_utf8(bytes) ? std::string(bytes) : repair_utf8(bytes);
  }
  if (label->name.starts_with("UTF-16") && !bom_charset(bytes).empty()) bytes.remove_prefix(2);
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<UConverter, void (*)(UConverter*)> from(ucnv_open(std::string(label->converter).c_str(), &status),
                                                          ucnv_close);
  if (U_FAILURE(status)) {  // ISO-8859-16 and the like, which ICU does not have
    status = U_ZERO_ERROR;
    from.reset(ucnv_open("windows-1252", &status));
  }
  std::unique_ptr<UConverter, void (*)(UConverter*)> to(ucnv_open("UTF-8", &status), ucnv_close);
  if (U_FAILURE(status)) throw Error("ICU has no converter for " + std::string(charset));
  std::string out(bytes.size() + bytes.size() / 2 + 64, '\0');
  const char* source = bytes.data();
  const char* source_end = source + bytes.size();
  size_t written = 0;
  std::array<UChar, 4096> pivot;
  UChar *pivot_from = pivot.data(), *pivot_to = pivot.data();
  for (bool first = true;; first = false) {
    char* target = out.data() + written;
    status = U_ZERO_ERROR;
    ucnv_convertEx(to.get(), from.get(), &target, out.data() + out.size(), &source, source_end, pivot.data(),
                   &pivot_from, &pivot_to, pivot.data() + pivot.size(), first, true, &status);
    written = static_cast<size_t>(target - out.data());
    if (status != U_BUFFER_OVERFLOW_ERROR) break;
    out.resize(out.size() * 2);
  }
  out.resize(written);
  return is_valid_utf8(out) ? out : repair_utf8(out);
}

}  // namespace llmkit::text
