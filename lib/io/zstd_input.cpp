// zstd (RFC 8878): any number of frames, skippable frames between them.
#include <zstd.h>

#include <algorithm>
#include <optional>

#include "io/decoders.h"

namespace llmkit::io {
namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdInput : public InputStream {
 public:
  ZstdInput(Feed feed, const InputLimits& limits)
      : feed_(std::move(feed)), guard_(limits), context_(ZSTD_createDCtx()) {
    if (!context_) throw Error({"cannot start zstd", feed_.name(), {}, {}, {}});
  }

  size_t read(std::span<char> buffer) override {
    if (buffer.empty()) return 0;
    while (!ended_) {
      if (!damage_.empty()) {
        ended_ = true;
        throw DamagedInput({damage_,
                            feed_.name() + ", byte " + std::to_string(feed_.offset()),
                            {},
                            {},
                            "what came before it was read; is the copy complete?"});
      }
      // A full output buffer may have left decoded bytes inside the context: call it also when no input is left.
      if (feed_.available().empty() && !feed_.refill() && !output_was_full_) {
        if (in_frame_) {
          damage_ = "the zstd data is cut off";
          continue;
        }
        ended_ = true;
        break;
      }
      size_t got = decode_some(buffer);
      if (got > 0) return got;
    }
    return 0;
  }
  const std::string& name() const override { return feed_.name(); }
  uint64_t bytes_in() const override { return feed_.offset(); }
  uint64_t total_bytes_in() const override { return feed_.total_bytes(); }

 private:
  size_t decode_some(std::span<char> buffer) {
    std::string_view window = feed_.available();
    ZSTD_inBuffer input{window.data(), window.size(), 0};
    ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
    size_t status = ZSTD_decompressStream(context_.get(), &output, &input);
    feed_.consume(input.pos);
    guard_.add(output.pos, feed_);
    if (ZSTD_isError(status)) {
      damage_ = std::string("the zstd data is damaged (") + ZSTD_getErrorName(status) + ")";
      in_frame_ = output_was_full_ = false;
    } else {
      in_frame_ = status != 0;
      output_was_full_ = in_frame_ && output.pos == output.size;
    }
    return output.pos;
  }

  Feed feed_;
  ExpansionGuard guard_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  bool in_frame_ = false, output_was_full_ = false, ended_ = false;
  std::string damage_;
};

}  // namespace

std::unique_ptr<InputStream> make_zstd_input(Feed feed, const InputLimits& limits) {
  return std::make_unique<ZstdInput>(std::move(feed), limits);
}

}  // namespace llmkit::io
