// The decoders behind open_input. Internal to lib/io.
#pragma once

#include <memory>

#include "io/feed.h"
#include "io/input.h"

namespace llmkit::io {

std::unique_ptr<InputStream> make_plain_input(Feed feed);
std::unique_ptr<InputStream> make_gzip_input(Feed feed, const InputLimits& limits);
std::unique_ptr<InputStream> make_zstd_input(Feed feed, const InputLimits& limits);

// Counts decoded bytes and refuses a decompression bomb.
class ExpansionGuard {
 public:
  explicit ExpansionGuard(const InputLimits& limits) : limits_(limits) {}
  void add(uint64_t decoded, const Feed& feed);

 private:
  InputLimits limits_;
  uint64_t decoded_ = 0;
};

}  // namespace llmkit::io
