#include "tokenizer/sorted_runs.h"

#include <algorithm>

#include "base/error.h"

namespace llmkit::tokenizer {

SortedRuns::SortedRuns(uint64_t memory_bytes)
    : most_entries_(std::max<uint64_t>(64, memory_bytes * 5 / 8 / sizeof(Entry))),
      most_bytes_(std::max<uint64_t>(1024, memory_bytes * 3 / 8)),
      memory_bytes_(memory_bytes),
      file_("") {}

void SortedRuns::add(std::string_view bytes, uint64_t count) {
  if (bytes.size() > UINT32_MAX) throw Error("a word of more than 4 GB can not be sorted");
  if (entries_.size() >= most_entries_ || (!entries_.empty() && bytes_.size() + bytes.size() > most_bytes_))
    write_run();
  if (entries_.empty()) {
    entries_.reserve(most_entries_);
    bytes_.reserve(most_bytes_);
  }
  uint64_t key = 0;
  for (size_t i = 0; i < 8; ++i) key = key << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
  entries_.push_back({key, bytes_.size(), count, static_cast<uint32_t>(bytes.size())});
  bytes_ += bytes;
}

void SortedRuns::write_run() {
  std::sort(entries_.begin(), entries_.end(),
            [&](const Entry& a, const Entry& b) { return a.key != b.key ? a.key < b.key : of(a) < of(b); });
  uint64_t begin = file_.size();
  for (size_t i = 0; i < entries_.size();) {
    std::string_view bytes = of(entries_[i]);
    uint64_t count = 0;
    for (; i < entries_.size() && of(entries_[i]) == bytes; ++i) count += entries_[i].count;
    file_.put_number(bytes.size());
    file_.put_number(count);
    file_.put_bytes(bytes);
  }
  runs_.push_back({begin, file_.size()});
  entries_.clear();
  bytes_.clear();
}

void SortedRuns::finish() {
  if (!entries_.empty()) write_run();
  entries_ = {};
  bytes_ = {};
  file_.flush();
}

SortedRuns::Reader::Reader(const SortedRuns& runs) {
  size_t buffer = std::clamp<uint64_t>(runs.memory_bytes_ / std::max<size_t>(1, runs.runs_.size()), uint64_t{4} << 10,
                                       uint64_t{1} << 20);
  for (auto& run : runs.runs_) heads_.push_back({RecordReader(runs.file_.fd(), run.begin, run.end, buffer), {}});
  for (size_t i = 0; i < heads_.size(); ++i)
    if (heads_[i].next()) heap_.push_back(i);
  std::make_heap(heap_.begin(), heap_.end(), [&](size_t a, size_t b) { return later(a, b); });
}

bool SortedRuns::Reader::Head::next() {
  if (records.done()) return false;
  size_t size = records.number();
  count = records.number();
  records.bytes(size, bytes);
  return true;
}

bool SortedRuns::Reader::next() {
  if (heap_.empty()) return false;
  auto after = [&](size_t a, size_t b) { return later(a, b); };
  bytes_ = heads_[heap_.front()].bytes;
  count_ = 0;
  while (!heap_.empty() && heads_[heap_.front()].bytes == bytes_) {
    std::pop_heap(heap_.begin(), heap_.end(), after);
    Head& head = heads_[heap_.back()];
    count_ += head.count;
    if (head.next())
      std::push_heap(heap_.begin(), heap_.end(), after);
    else
      heap_.pop_back();
  }
  return true;
}

}  // namespace llmkit::tokenizer
