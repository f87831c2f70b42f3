// Sizes, counts, shares and times as people write and read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llmkit {

std::optional<uint64_t> parse_size(std::string_view text);   // "4096", "512M", "1.5G", "4GiB": 1024-based bytes
std::optional<uint64_t> parse_count(std::string_view text);  // "1000", "10k", "2.5M", "1e6": must be a whole number
std::optional<double> parse_percent(std::string_view text);  // "1%", "0.5%": a share from 0 to 1

std::string format_bytes(double bytes);      // "3.4 GB": 1000-based, for people
std::string exact_size(uint64_t bytes);      // "4G", "1000": what parse_size reads back as the same number
std::string format_count(uint64_t count);    // "12,345,678"
std::string format_seconds(double seconds);  // "0.42 s", "3 min 05 s", "2 h 14 min"

}  // namespace llmkit
