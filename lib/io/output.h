// Writing: a file appears whole, under its name, when finish() has returned, or not at all. The bytes go to a hidden
// temporary file in the same folder, which is synced, renamed over the target, and the folder synced
// (Pillai et al., "All file systems are not created equal", OSDI 2014). "-" is standard output.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace llmkit::io {

class System;

// The other end of a pipe was closed: the command stops quietly with exit code 0.
class ReaderGone : public Error {
 public:
  explicit ReaderGone(const std::string& name) : Error({"the reader has gone", name, {}, {}, {}}, ExitCode::done) {}
};

class OutputStream {
 public:
  virtual ~OutputStream() = default;  // without finish(): the temporary file is removed, the old file stays
  virtual void write(std::string_view bytes) = 0;
  virtual void flush() {}     // hands over what is buffered, for a reader who waits (plain outputs only)
  virtual void finish() = 0;  // flushes and makes the file durable and visible; nothing may be written after
  virtual const std::string& name() const = 0;
  virtual uint64_t bytes_out() const = 0;  // bytes handed to the system so far (compressed)
};

enum class Compression { by_name, none, gzip, zstd };

struct OutputOptions {
  bool replace = false;  // whether an existing file may be replaced (--force); else an Error that says so
  int level = -1;        // -1: gzip 6, zstd 3
  int threads = 1;       // zstd workers; the bytes written do not depend on it
  Compression compression = Compression::by_name;  // .gz and .zst by the file's name; none for standard output
  System* system = nullptr;                        // nullptr: the real calls
};

// `path`, or standard output for "-". A device, pipe or socket is written directly.
std::unique_ptr<OutputStream> create_output(const std::string& path, const OutputOptions& options = {});

}  // namespace llmkit::io
