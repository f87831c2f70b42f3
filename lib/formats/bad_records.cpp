#include "formats/bad_records.h"

#include "base/error.h"

namespace llmkit::formats {

void BadRecords::add(std::string_view input, int64_t line, const Refusal& refusal) {
  ++total_;
  ++by_reason_[refusal.reason];
  if (first_.size() < kLocated)
    first_.push_back(printable(input, 400) + ":" + std::to_string(line) + ": " + refusal.reason + ": " + printable(refusal.detail, 80));
}

}  // namespace llmkit::formats
