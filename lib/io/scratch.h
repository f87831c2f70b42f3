// Arrays that may outgrow memory: they live in memory up to a budget, and beyond it in a temporary file that is mapped
// and that the system pages in and out. The file has no name, so that it vanishes with the process, however that ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace llmkit::io {

// An unnamed file in `folder` (empty: $TMPDIR or /tmp). path() opens it again through /proc while this object lives.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& folder);
  TemporaryFile(TemporaryFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), folder_(std::move(other.folder_)) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();
  int fd() const { return fd_; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  const std::string& folder() const { return folder_; }
  void write(std::string_view bytes);

 private:
  int fd_ = -1;
  std::string folder_;
};

// Raw bytes behind ScratchArray.
class ScratchBytes {
 public:
  ScratchBytes(size_t memory_budget, std::string folder) : budget_(memory_budget), folder_(std::move(folder)) {}
  ScratchBytes(ScratchBytes&& other) noexcept
      : budget_(other.budget_),
        folder_(std::move(other.folder_)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)),
        fd_(std::exchange(other.fd_, -1)) {}
  ScratchBytes& operator=(ScratchBytes&&) = delete;
  ~ScratchBytes();
  void append(const void* bytes, size_t count);
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  bool on_disk() const { return fd_ >= 0; }

 private:
  void grow(size_t capacity);
  void move_to_disk(size_t capacity);

  size_t budget_;
  std::string folder_;
  std::byte* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
  int fd_ = -1;
};

template <class T>
class ScratchArray {
 public:
  // Without arguments: all in memory.
  explicit ScratchArray(size_t memory_budget = SIZE_MAX, std::string folder = {})
      : bytes_(memory_budget, std::move(folder)) {}
  void append(std::span<const T> values) { bytes_.append(values.data(), values.size_bytes()); }
  const T* data() const { return reinterpret_cast<const T*>(bytes_.data()); }
  size_t size() const { return bytes_.size() / sizeof(T); }
  const T& operator[](size_t i) const { return data()[i]; }
  bool on_disk() const { return bytes_.on_disk(); }

 private:
  ScratchBytes bytes_;
};

}  // namespace llmkit::io
