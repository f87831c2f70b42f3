// Reading: plain files, gzip (any number of members), zstd (any number of frames) and standard input behind one
// interface. What a file is, its first bytes say; its name does not matter.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "io/system.h"

namespace llmkit::io {

// What a compressed input may expand to. A stream that grows beyond `free_bytes` and beyond `max_ratio` times the
// compressed bytes read so far is refused: it is a decompression bomb.
struct InputLimits {
  uint64_t max_bytes = UINT64_MAX;  // decoded bytes in all
  uint64_t max_ratio = 200;
  uint64_t free_bytes = uint64_t{16} << 20;
  System* system = nullptr;  // nullptr: the real calls
};

// A gzip member or zstd frame is damaged or cut off. All bytes before the damage have been delivered. The stream may
// be read on: it continues at the next gzip member that can be found (zstd: it is at its end).
class DamagedInput : public Error {
 public:
  using Error::Error;
};

class InputStream {
 public:
  virtual ~InputStream() = default;
  // Fills at most buffer.size() bytes; 0 = end. Throws Error (cannot read) or DamagedInput.
  virtual size_t read(std::span<char> buffer) = 0;
  virtual const std::string& name() const = 0;           // for messages: the path, or "standard input"
  virtual uint64_t bytes_in() const = 0;                 // bytes taken from the file so far (compressed), for progress
  virtual uint64_t total_bytes_in() const { return 0; }  // the file's size, 0 where unknown
};

// `path`, or standard input for "-".
std::unique_ptr<InputStream> open_input(const std::string& path, const InputLimits& limits = {});

// The same over bytes in memory (which must outlive it): for tests, fuzzing and embedded compressed data.
std::unique_ptr<InputStream> open_memory(std::string_view bytes, std::string name, const InputLimits& limits = {});

// Everything up to the end; throws where it is more than `max_bytes`.
std::string read_all(InputStream& input, uint64_t max_bytes = uint64_t{1} << 30);

}  // namespace llmkit::io
