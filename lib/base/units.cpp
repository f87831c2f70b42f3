#include "base/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace llmkit {
namespace {

// "number[suffix]" with the power of `base` that the suffix letter stands for.
std::optional<uint64_t> parse_scaled(std::string_view text, std::string_view letters, double base) {
  double number = 0;
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !(number >= 0)) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(stop - text.data()));
  double factor = 1;
  if (!text.empty()) {
    size_t power = letters.find(static_cast<char>(text[0] | 0x20));
    if (power == std::string_view::npos) return std::nullopt;
    factor = std::pow(base, static_cast<double>(power + 1));
    text.remove_prefix(1);
    if (base == 1024 && (text == "iB" || text == "B" || text == "b" || text == "i")) text = {};
    if (!text.empty()) return std::nullopt;
  }
  double value = number * factor;
  if (!(value < 9.2e18)) return std::nullopt;
  // "1.5G" is whole, "1.0001k" of bytes is rounded down; a count has to be whole.
  if (base == 1000 && value != std::floor(value)) return std::nullopt;
  return static_cast<uint64_t>(value);
}

std::string print(const char* format, double a) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, a);
  return buffer;
}

}  // namespace

std::optional<uint64_t> parse_size(std::string_view text) {
  uint64_t exact = 0;  // all 64 bits, which a double would round
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), exact);
  if (error == std::errc() && stop == text.data() + text.size()) return exact;
  return parse_scaled(text, "kmgtp", 1024);
}

std::optional<uint64_t> parse_count(std::string_view text) {
  uint64_t exact = 0;
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), exact);
  if (error == std::errc() && stop == text.data() + text.size()) return exact;
  return parse_scaled(text, "kmgt", 1000);
}

std::optional<double> parse_percent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  double number = 0;
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size() || !(number >= 0 && number <= 100)) return std::nullopt;
  return number / 100;
}

std::string format_bytes(double bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  size_t unit = 0;
  while (bytes >= 999.5 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return print(unit == 0 || bytes >= 99.95 ? "%.0f " : bytes >= 9.995 ? "%.1f " : "%.2f ", bytes) + kUnits[unit];
}

std::string exact_size(uint64_t bytes) {
  size_t power = 0;
  while (bytes != 0 && bytes % 1024 == 0 && power < 5) {
    bytes /= 1024;
    ++power;
  }
  std::string out = std::to_string(bytes);
  if (power > 0) out += "KMGTP"[power - 1];
  return out;
}

std::string format_count(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t i = digits.size(); i > 3;) digits.insert(i -= 3, 1, ',');
  return digits;
}

std::string format_seconds(double seconds) {
  if (!(seconds >= 0)) return "?";
  if (seconds < 9.995) return print("%.2f s", seconds);
  if (seconds < 59.95) return print("%.1f s", seconds);
  auto whole = static_cast<int64_t>(seconds + 0.5);
  char buffer[48];
  if (whole < 3600)
    std::snprintf(buffer, sizeof buffer, "%d min %02d s", static_cast<int>(whole / 60), static_cast<int>(whole % 60));
  else
    std::snprintf(buffer, sizeof buffer, "%lld h %02d min", static_cast<long long>(whole / 3600),
                  static_cast<int>(whole % 3600 / 60));
  return buffer;
}

}  // namespace llmkit
