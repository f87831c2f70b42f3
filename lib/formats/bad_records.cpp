#include "formats/bad_records.h"

#include "base/error.h"

namespace llmkit::formats {

void BadRecords::add(std::string_view input, int64_t line, const Refusal& refusal) {
  add_at(first_.size() < kLocated ? std::string(input) + ":" + std::to_string(line) : std::string(), refusal);
}

void BadRecords::add_at(std::string_view place, const Refusal& refusal) {
  ++total_;
  ++by_reason_[refusal.reason];
  if (first_.size() < kLocated)
    first_.push_back(printable(place, 400) + ": " + refusal.reason + ": " + printable(refusal.detail, 80));
}

}  // namespace llmkit::formats
