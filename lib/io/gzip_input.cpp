// gzip (RFC 1952): any number of members one after another, as WARC files and `cat a.gz b.gz` have them. Small members
// are decoded at once by libdeflate, which is about twice as fast; large and damaged ones stream through zlib.
#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <climits>
#include <optional>

#include "io/decoders.h"

namespace llmkit::io {
namespace {

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};

// Decodes members that fit its buffers. After a member that did not, it sits out twice as many as before, so that a
// file of large members costs little more than without it.
class SmallMembers {
 public:
  // The decoded member, and in `used` its compressed size; nothing where it must be streamed.
  std::optional<std::string_view> decode(Feed& feed, size_t& used) {
    if (sit_out_ > 0) {
      --sit_out_;
      return {};
    }
    if (!decompressor_) {
      decompressor_.reset(libdeflate_alloc_decompressor());
      decoded_.reset(new char[kMaxDecodedBytes]);  // not cleared: a small file touches little of it
    }
    if (feed.total_bytes() > 0) feed.ensure(kMaxPackedBytes);  // of a pipe we take what is there
    std::string_view packed = feed.available().substr(0, kMaxPackedBytes);
    size_t size = 0;
    auto status = libdeflate_gzip_decompress_ex(decompressor_.get(), packed.data(), packed.size(), decoded_.get(),
                                                kMaxDecodedBytes, &used, &size);
    if (status == LIBDEFLATE_SUCCESS) {
      misses_ = 0;
      return std::string_view(decoded_.get(), size);
    }
    misses_ = std::min<size_t>(misses_ * 2 + 1, 1023);
    sit_out_ = misses_;
    return {};
  }

 private:
  static constexpr size_t kMaxPackedBytes = size_t{256} << 10, kMaxDecodedBytes = size_t{2} << 20;
  std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor_;
  std::unique_ptr<char[]> decoded_;
  size_t misses_ = 0, sit_out_ = 0;
};

class GzipInput : public InputStream {
 public:
  GzipInput(Feed feed, const InputLimits& limits) : feed_(std::move(feed)), guard_(limits) {
    if (inflateInit2(&inflate_, 15 + 16) != Z_OK) throw Error({"cannot start zlib", feed_.name(), {}, {}, {}});
  }
  ~GzipInput() override { inflateEnd(&inflate_); }

  size_t read(std::span<char> buffer) override {
    if (buffer.empty()) return 0;
    while (true) {
      if (!decoded_.empty()) {
        size_t got = decoded_.copy(buffer.data(), buffer.size());
        decoded_.remove_prefix(got);
        return got;
      }
      if (damage_) raise_damage();
      if (searching_ && !find_next_member()) return 0;
      if (!in_member_ && !start_member()) {
        if (damage_) continue;
        return 0;
      }
      if (!in_member_) continue;  // the whole member is in decoded_
      size_t got = inflate_some(buffer);
      if (got > 0) return got;
    }
  }
  const std::string& name() const override { return feed_.name(); }
  uint64_t bytes_in() const override { return feed_.offset(); }
  uint64_t total_bytes_in() const override { return feed_.total_bytes(); }

 private:
  struct Damage {
    std::string what;
    uint64_t offset;
  };

  // Starts or wholly decodes the next member. False at the end of the file, or where what follows is no gzip member
  // (then damage_ is set).
  bool start_member() {
    // Zero bytes after a member are padding (tar, tape blocks), as gzip(1) takes them.
    while (feed_.ensure(1) && any_member_ && feed_.available().front() == '\0') feed_.consume(1);
    if (feed_.available().empty()) return false;
    if (!feed_.ensure(2) || !feed_.available().starts_with("\x1f\x8b")) {
      damage_ = {"bytes that are no gzip member follow the last one", feed_.offset()};
      member_offset_ = feed_.offset();
      return false;
    }
    member_offset_ = feed_.offset();
    any_member_ = true;
    size_t used = 0;
    if (auto whole = small_members_.decode(feed_, used)) {
      decoded_ = *whole;
      feed_.consume(used);
      guard_.add(decoded_.size(), feed_);
      return true;
    }
    inflateReset2(&inflate_, 15 + 16);
    in_member_ = true;
    return true;
  }

  size_t inflate_some(std::span<char> buffer) {
    std::string_view input = feed_.available();
    if (input.empty() && !feed_.refill()) {
      damage_ = {"the gzip data is cut off", feed_.offset()};
      return 0;
    }
    input = feed_.available();
    inflate_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    inflate_.avail_in = static_cast<uInt>(std::min<size_t>(input.size(), UINT_MAX));
    inflate_.next_out = reinterpret_cast<Bytef*>(buffer.data());
    inflate_.avail_out = static_cast<uInt>(std::min<size_t>(buffer.size(), UINT_MAX));
    uInt in_before = inflate_.avail_in, out_before = inflate_.avail_out;
    int status = inflate(&inflate_, Z_NO_FLUSH);
    feed_.consume(in_before - inflate_.avail_in);
    size_t got = out_before - inflate_.avail_out;
    guard_.add(got, feed_);
    if (status == Z_STREAM_END) {
      in_member_ = false;
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      damage_ = {std::string("the gzip data is damaged") + (inflate_.msg ? std::string(" (") + inflate_.msg + ")" : ""),
                 feed_.offset()};
    }
    return got;
  }

  [[noreturn]] void raise_damage() {
    Damage damage = *damage_;
    damage_.reset();
    in_member_ = false;
    searching_ = true;
    throw DamagedInput({damage.what,
                        feed_.name() + ", byte " + std::to_string(damage.offset),
                        {},
                        {},
                        "what came before it was read; is the copy complete?"});
  }

  // Goes to the next place, after the start of the damaged member, that looks like the head of a member.
  bool find_next_member() {
    feed_.rewind_to(member_offset_ + 1);
    while (feed_.ensure(10)) {
      std::string_view window = feed_.available();
      size_t at = window.find("\x1f\x8b\x08");
      if (at == std::string_view::npos) {
        feed_.consume(window.size() - 2);
        continue;
      }
      feed_.consume(at);
      if (!feed_.ensure(10)) break;
      // RFC 1952: the upper three flag bits are zero.
      if ((feed_.available()[3] & 0xE0) == 0) {
        searching_ = false;
        return true;
      }
      feed_.consume(1);
    }
    feed_.consume(feed_.available().size());
    return false;
  }

  Feed feed_;
  ExpansionGuard guard_;
  SmallMembers small_members_;
  std::string_view decoded_;  // what is left of a small member
  z_stream inflate_{};
  bool in_member_ = false, any_member_ = false, searching_ = false;
  uint64_t member_offset_ = 0;
  std::optional<Damage> damage_;
};

}  // namespace

std::unique_ptr<InputStream> make_gzip_input(Feed feed, const InputLimits& limits) {
  return std::make_unique<GzipInput>(std::move(feed), limits);
}

}  // namespace llmkit::io
