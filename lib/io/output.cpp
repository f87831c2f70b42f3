#include "io/output.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <optional>

#include "io/atomic_file.h"
#include "io/system.h"

namespace llmkit::io {
namespace {

constexpr size_t kBufferBytes = size_t{256} << 10;

// Where bytes end up: an atomic file, or a descriptor written as it comes.
class RawOutput : public OutputStream {
 public:
  RawOutput(System& system, const std::string& path, bool replace) : system_(system), name_(path) {
    if (path == "-") {
      name_ = "standard output";
      fd_ = STDOUT_FILENO;
      return;
    }
    struct stat info;
    if (system.stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
      if (S_ISDIR(info.st_mode)) throw Error({"is a folder", path, "a file to write", {}, {}});
      direct_ = Descriptor(system, system.open(path.c_str(), O_WRONLY | O_CLOEXEC, 0));
      if (!direct_) throw_errno("cannot open for writing", path, errno);
      fd_ = direct_.get();
    } else {
      atomic_.emplace(system, path, replace);
      fd_ = atomic_->fd();
    }
  }

  void write(std::string_view bytes) override {
    if (buffer_.size() + bytes.size() < kBufferBytes) {
      buffer_.append(bytes);
      return;
    }
    flush();
    if (bytes.size() >= kBufferBytes) {
      put(bytes);
    } else {
      buffer_.append(bytes);
    }
  }

  void flush() override {
    put(buffer_);
    buffer_.clear();
  }

  void finish() override {
    flush();
    if (atomic_) return atomic_->commit();
    sync(system_, fd_, name_);
    if (direct_ && direct_.close() < 0) throw_errno("cannot close", name_, errno);
  }

  const std::string& name() const override { return name_; }
  uint64_t bytes_out() const override { return bytes_out_; }

 private:
  void put(std::string_view bytes) {
    write_all(system_, fd_, bytes, name_);
    bytes_out_ += bytes.size();
  }

  System& system_;
  std::string name_;
  std::optional<AtomicFile> atomic_;
  Descriptor direct_;
  int fd_ = -1;
  std::string buffer_;
  uint64_t bytes_out_ = 0;
};

class GzipOutput : public OutputStream {
 public:
  GzipOutput(std::unique_ptr<RawOutput> raw, int level) : raw_(std::move(raw)), buffer_(kBufferBytes, '\0') {
    // The head is zlib's default: no name and no time, so that equal data gives equal bytes.
    if (deflateInit2(&deflate_, level < 0 ? 6 : std::min(level, 9), Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw Error({"cannot start zlib", raw_->name(), {}, {}, {}});
  }
  ~GzipOutput() override { deflateEnd(&deflate_); }

  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      size_t piece = std::min<size_t>(bytes.size(), UINT_MAX);
      run(bytes.substr(0, piece), Z_NO_FLUSH);
      bytes.remove_prefix(piece);
    }
  }
  void finish() override {
    run({}, Z_FINISH);
    raw_->finish();
  }
  const std::string& name() const override { return raw_->name(); }
  uint64_t bytes_out() const override { return raw_->bytes_out(); }

 private:
  void run(std::string_view bytes, int flush) {
    deflate_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    deflate_.avail_in = static_cast<uInt>(bytes.size());
    do {
      deflate_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      deflate_.avail_out = static_cast<uInt>(buffer_.size());
      deflate(&deflate_, flush);
      raw_->write({buffer_.data(), buffer_.size() - deflate_.avail_out});
    } while (deflate_.avail_out == 0);
  }

  std::unique_ptr<RawOutput> raw_;
  std::string buffer_;
  z_stream deflate_{};
};

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

class ZstdOutput : public OutputStream {
 public:
  ZstdOutput(std::unique_ptr<RawOutput> raw, int level, int threads)
      : raw_(std::move(raw)), context_(ZSTD_createCCtx()), buffer_(kBufferBytes, '\0') {
    if (!context_) throw Error({"cannot start zstd", raw_->name(), {}, {}, {}});
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level < 0 ? 3 : level));
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
    // Never 0: one worker and many cut the data alike, no worker does not. A zstd built without threads refuses, and
    // then always works without.
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_nbWorkers, std::max(1, threads));
  }

  void write(std::string_view bytes) override { run(bytes, ZSTD_e_continue); }
  void finish() override {
    run({}, ZSTD_e_end);
    raw_->finish();
  }
  const std::string& name() const override { return raw_->name(); }
  uint64_t bytes_out() const override { return raw_->bytes_out(); }

 private:
  size_t check(size_t status) const {
    if (ZSTD_isError(status))
      throw Error({std::string("cannot compress: ") + ZSTD_getErrorName(status), raw_->name(), {}, {}, {}});
    return status;
  }
  void run(std::string_view bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    size_t left;
    do {
      ZSTD_outBuffer output{buffer_.data(), buffer_.size(), 0};
      left = check(ZSTD_compressStream2(context_.get(), &output, &input, directive));
      raw_->write({buffer_.data(), output.pos});
    } while (directive == ZSTD_e_end ? left != 0 : input.pos < input.size);
  }

  std::unique_ptr<RawOutput> raw_;
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
  std::string buffer_;
};

}  // namespace

std::unique_ptr<OutputStream> create_output(const std::string& path, const OutputOptions& options) {
  System& system = options.system ? *options.system : real_system();
  Compression compression = options.compression;
  if (compression == Compression::by_name) {
    compression = path.ends_with(".gz")    ? Compression::gzip
                  : path.ends_with(".zst") ? Compression::zstd
                                           : Compression::none;
  }
  auto raw = std::make_unique<RawOutput>(system, path, options.replace);
  if (compression == Compression::gzip) return std::make_unique<GzipOutput>(std::move(raw), options.level);
  if (compression == Compression::zstd)
    return std::make_unique<ZstdOutput>(std::move(raw), options.level, options.threads);
  return raw;
}

}  // namespace llmkit::io
