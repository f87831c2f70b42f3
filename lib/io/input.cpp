#include "io/input.h"

#include <unistd.h>

#include <algorithm>

#include "io/decoders.h"

namespace llmkit::io {
namespace {

class PlainInput : public InputStream {
 public:
  explicit PlainInput(Feed feed) : feed_(std::move(feed)) {}
  size_t read(std::span<char> buffer) override {
    if (feed_.available().empty() && !feed_.refill()) return 0;
    size_t n = feed_.available().copy(buffer.data(), buffer.size());
    feed_.consume(n);
    return n;
  }
  const std::string& name() const override { return feed_.name(); }
  uint64_t bytes_in() const override { return feed_.offset(); }
  uint64_t total_bytes_in() const override { return feed_.total_bytes(); }

 private:
  Feed feed_;
};

std::unique_ptr<InputStream> open_feed(Feed feed, const InputLimits& limits) {
  feed.ensure(10);
  std::string_view head = feed.available();
  if (head.starts_with("\x1f\x8b")) return make_gzip_input(std::move(feed), limits);
  // A frame, or a skippable frame (184D2A50 to 184D2A5F, little endian) before the first one.
  bool skippable = head.size() >= 4 && (head[0] & 0xF0) == 0x50 && head.substr(1, 3) == "\x2a\x4d\x18";
  if (head.starts_with("\x28\xb5\x2f\xfd") || skippable) return make_zstd_input(std::move(feed), limits);
  std::string_view kind;
  if (head.starts_with("\xfd"
                       "7zXZ"))
    kind = "xz";
  if (head.starts_with("BZh") && head.find("1AY&SY") == 4) kind = "bzip2";
  if (head.starts_with("PK\x03\x04")) kind = "zip";
  if (head.starts_with("\x04\x22\x4d\x18")) kind = "lz4";
  if (!kind.empty())
    throw Error(
        {std::string(kind) + " files are not read", feed.name(), "plain, gzip or zstd data", {}, "unpack it first"});
  return make_plain_input(std::move(feed));
}

}  // namespace

std::unique_ptr<InputStream> make_plain_input(Feed feed) {
  return std::make_unique<PlainInput>(std::move(feed));
}

void ExpansionGuard::add(uint64_t decoded, const Feed& feed) {
  decoded_ += decoded;
  auto where = [&] { return feed.name() + ", byte " + std::to_string(feed.offset()); };
  if (decoded_ > limits_.max_bytes)
    throw Error(
        {"unpacks to more than the cap of " + std::to_string(limits_.max_bytes) + " bytes", where(), {}, {}, {}});
  if (decoded_ > limits_.free_bytes && decoded_ / limits_.max_ratio > feed.offset())
    throw Error({"unpacks to more than " + std::to_string(limits_.max_ratio) + " times its size",
                 where(),
                 {},
                 {},
                 "a decompression bomb? If the file is meant to be so, unpack it with another tool first"});
}

std::unique_ptr<InputStream> open_input(const std::string& path, const InputLimits& limits) {
  System& system = limits.system ? *limits.system : real_system();
  if (path == "-") return open_feed(Feed(system, Descriptor(), STDIN_FILENO, "standard input", 0), limits);
  Descriptor file = open_to_read(system, path);
  struct stat info;
  bool regular = system.fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode);
  int fd = file.get();
  return open_feed(Feed(system, std::move(file), fd, path, regular ? static_cast<uint64_t>(info.st_size) : 0), limits);
}

std::unique_ptr<InputStream> open_memory(std::string_view bytes, std::string name, const InputLimits& limits) {
  return open_feed(Feed(bytes, std::move(name)), limits);
}

std::string read_all(InputStream& input, uint64_t max_bytes) {
  std::string out;
  size_t size = 0;
  while (true) {
    if (size == out.size()) out.resize(std::max<size_t>(size_t{64} << 10, size * 2));
    size_t got = input.read({out.data() + size, out.size() - size});
    if (got == 0) break;
    size += got;
    if (size > max_bytes)
      throw Error({"is larger than the cap of " + std::to_string(max_bytes) + " bytes", input.name(), {}, {}, {}});
  }
  out.resize(size);
  return out;
}

}  // namespace llmkit::io
