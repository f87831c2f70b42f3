#include "tokenizer/word_runs.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <queue>

#include "base/error.h"
#include "base/hash.h"

namespace llmkit::tokenizer {

void RecordFile::flush() {
  file_.write(buffer_);
  written_ += buffer_.size();
  buffer_.clear();
}

void RecordReader::fill() {
  size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer_.size(), end_ - at_));
  ssize_t n = 0;
  do n = ::pread(fd_, buffer_.data(), wanted, static_cast<off_t>(at_));
  while (n < 0 && errno == EINTR);
  if (n <= 0)
    throw Error(
        ErrorParts{"cannot read a temporary file", {}, {}, n < 0 ? std::strerror(errno) : "it is too short", {}});
  at_ += static_cast<uint64_t>(n);
  next_ = 0;
  filled_ = static_cast<size_t>(n);
}

void RecordReader::bytes(size_t count, std::string& out) {
  out.clear();
  while (count > 0) {
    if (next_ == filled_) fill();
    size_t n = std::min(count, filled_ - next_);
    out.append(buffer_, next_, n);
    next_ += n;
    count -= n;
  }
}

void WordRuns::write_segment(std::span<const CountedWord> sorted) {
  uint64_t begin = file_.size();
  for (auto& word : sorted) {
    file_.put_number(word.bytes.size());
    file_.put_number(word.count);
    file_.put_bytes(word.bytes);
  }
  runs_.back().push_back({begin, file_.size()});
}

void WordRuns::for_words(size_t buffer_bytes, const std::function<void(const CountedWord&)>& f) {
  file_.flush();
  struct Head {
    std::string bytes;
    uint64_t count = 0;
    uint32_t hash = 0;
    RecordReader reader;
    bool next() {
      if (reader.done()) return false;
      size_t size = reader.number();
      count = reader.number();
      reader.bytes(size, bytes);
      hash = static_cast<uint32_t>(xxh3_64(bytes));
      return true;
    }
  };
  size_t buffer = std::clamp(buffer_bytes / std::max<size_t>(1, runs_.size()), size_t{4} << 10, size_t{1} << 20);
  for (size_t s = 0; s < segments_; ++s) {
    std::vector<Head> heads;
    heads.reserve(runs_.size());
    for (auto& run : runs_) heads.push_back({{}, 0, 0, RecordReader(file_.fd(), run[s].begin, run[s].end, buffer)});
    auto later = [&](size_t a, size_t b) {
      return heads[a].hash != heads[b].hash ? heads[a].hash > heads[b].hash : heads[a].bytes > heads[b].bytes;
    };
    std::priority_queue<size_t, std::vector<size_t>, decltype(later)> queue(later);
    for (size_t i = 0; i < heads.size(); ++i)
      if (heads[i].next()) queue.push(i);
    std::string word;
    while (!queue.empty()) {
      word = heads[queue.top()].bytes;
      uint32_t hash = heads[queue.top()].hash;
      uint64_t count = 0;
      while (!queue.empty() && heads[queue.top()].hash == hash && heads[queue.top()].bytes == word) {
        size_t i = queue.top();
        queue.pop();
        count += heads[i].count;
        if (heads[i].next()) queue.push(i);
      }
      f({word, count});
    }
  }
}

}  // namespace llmkit::tokenizer
