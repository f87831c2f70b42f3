// Counts what had to be skipped: by reason, with the place of the first ones.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llmkit::formats {

class BadRecords {
 public:
  static constexpr size_t kLocated = 10;
  void add(std::string_view input, int64_t line, const Refusal& refusal);  // "INPUT:LINE: …"
  void add_at(std::string_view place, const Refusal& refusal);             // "PLACE: …"
  void add_all(const BadRecords& others);                                  // behind these
  int64_t total() const { return total_; }
  const std::map<std::string, int64_t>& by_reason() const { return by_reason_; }
  // "docs.jsonl:17: invalid-json: unclosed string", at most kLocated of them.
  const std::vector<std::string>& first() const { return first_; }

 private:
  int64_t total_ = 0;
  std::map<std::string, int64_t> by_reason_;
  std::vector<std::string> first_;
};

}  // namespace llmkit::formats
