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

void BadRecords::add_all(const BadRecords& others) {
  total_ += others.total_;
  for (auto& [reason, count] : others.by_reason_) by_reason_[reason] += count;
  for (auto& place : others.first_)
    if (first_.size() < kLocated) first_.push_back(place);
}

}  // namespace llmkit::formats
