#include "io/scratch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

namespace llmkit::io {
namespace {

[[noreturn]] void fail(const char* what, const std::string& folder) {
  throw Error({what, folder, {}, std::strerror(errno), "choose a folder with room by --temp or TMPDIR"});
}

std::string temporary_folder(const std::string& given) {
  if (!given.empty()) return given;
  const char* from_environment = std::getenv("TMPDIR");
  return from_environment && *from_environment ? from_environment : "/tmp";
}

int open_unnamed(const std::string& folder) {
  int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {  // file systems without O_TMPFILE
    std::string name = folder + "/llmkit-XXXXXX";
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd >= 0) ::unlink(name.c_str());
  }
  if (fd < 0) fail("cannot create a temporary file", folder);
  return fd;
}

void* map(int fd, size_t bytes, const std::string& folder) {
  void* data = fd >= 0 ? ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                       : ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) fail("cannot map memory", folder);
  return data;
}

}  // namespace

TemporaryFile::TemporaryFile(const std::string& folder) : folder_(temporary_folder(folder)) {
  fd_ = open_unnamed(folder_);
}

TemporaryFile::~TemporaryFile() {
  if (fd_ >= 0) ::close(fd_);
}

void TemporaryFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot write a temporary file", folder_);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

ScratchBytes::~ScratchBytes() {
  if (data_) ::munmap(data_, capacity_);
  if (fd_ >= 0) ::close(fd_);
}

void ScratchBytes::append(const void* bytes, size_t count) {
  if (count == 0) return;
  if (size_ + count > capacity_) grow(std::max(size_ + count, capacity_ + capacity_ / 2));
  std::memcpy(data_ + size_, bytes, count);
  size_ += count;
}

void ScratchBytes::grow(size_t capacity) {
  constexpr size_t kStep = size_t{1} << 20;
  capacity = (capacity + kStep - 1) / kStep * kStep;
  if (fd_ < 0 && capacity > budget_) return move_to_disk(capacity);
  // Growing the file first: writing to a mapping beyond the end of the disk would end the program with SIGBUS.
  if (fd_ >= 0 && (errno = ::posix_fallocate(fd_, 0, static_cast<off_t>(capacity))) != 0)
    fail("no room for temporary data", folder_);
  void* data = data_ ? ::mremap(data_, capacity_, capacity, MREMAP_MAYMOVE) : map(-1, capacity, folder_);
  if (data == MAP_FAILED) fail("cannot map memory", folder_);
  data_ = static_cast<std::byte*>(data);
  capacity_ = capacity;
}

void ScratchBytes::move_to_disk(size_t capacity) {
  folder_ = temporary_folder(folder_);
  fd_ = open_unnamed(folder_);
  errno = ::posix_fallocate(fd_, 0, static_cast<off_t>(capacity));
  if (errno != 0) fail("no room for temporary data", folder_);
  auto* data = static_cast<std::byte*>(map(fd_, capacity, folder_));
  if (size_) std::memcpy(data, data_, size_);
  if (data_) ::munmap(data_, capacity_);
  data_ = data;
  capacity_ = capacity;
}

}  // namespace llmkit::io
