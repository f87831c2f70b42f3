#include "tokenizer/word_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace llmkit::tokenizer {

void WordBlock::put(std::span<const int32_t> symbols, uint64_t count) {
  auto put_number = [&](uint64_t value) {
    for (; value >= 128; value >>= 7) bytes_ += static_cast<char>(value | 128);
    bytes_ += static_cast<char>(value);
  };
  put_number(symbols.size());
  put_number(count);
  for (int32_t s : symbols) put_number(static_cast<uint64_t>(s));
  ++words_;
}

void WordFile::put(std::span<const int32_t> symbols, uint64_t count) {
  filling_.put(symbols, count);
  if (filling_.size() >= block_bytes_) write();
}

void WordFile::put(const WordBlock& block) {
  filling_.append(block);
  if (filling_.size() >= block_bytes_) write();
}

void WordFile::finish() {
  if (filling_.words() > 0) write();
  filling_ = {};
}

void WordFile::write() {
  file_.write(filling_.bytes_);
  blocks_.push_back({bytes_, filling_.words(), filling_.size()});
  bytes_ += filling_.size();
  words_ += filling_.words();
  filling_.clear();
}

bool WordFile::read(Context& context, size_t& next, WordBlock& block) const {
  if (context.stop.requested()) throw Error("interrupted before the vocabulary was complete", ExitCode::interrupted);
  if (next == blocks_.size()) return false;
  const Place& place = blocks_[next++];
  block.bytes_.resize(place.size);
  block.words_ = place.words;
  for (size_t done = 0; done < place.size;) {
    ssize_t n =
        ::pread(file_.fd(), block.bytes_.data() + done, place.size - done, static_cast<off_t>(place.begin + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      throw Error(
          ErrorParts{"cannot read a temporary file", {}, {}, n < 0 ? std::strerror(errno) : "it is too short", {}});
    done += static_cast<size_t>(n);
  }
  return true;
}

}  // namespace llmkit::tokenizer
