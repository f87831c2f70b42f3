// The system calls that lib/io makes, as one replaceable object, so that tests can make the N-th call fail, for every
// N. Code outside tests never names it: every entry point takes `System* system = nullptr`, which means the real calls.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace llmkit::io {

// Same results and errno as the calls of the same names.
class System {
 public:
  virtual ~System() = default;
  virtual int open(const char* path, int flags, mode_t mode);
  virtual int close(int fd);
  virtual ssize_t read(int fd, void* buffer, size_t bytes);
  virtual ssize_t write(int fd, const void* buffer, size_t bytes);
  virtual ssize_t pwrite(int fd, const void* buffer, size_t bytes, off_t offset);
  virtual int fsync(int fd);
  virtual int ftruncate(int fd, off_t bytes);
  virtual int flock(int fd, int operation);
  virtual int fstat(int fd, struct stat* out);
  virtual int stat(const char* path, struct stat* out);
  virtual int rename(const char* from, const char* to);
  virtual int unlink(const char* path);
  virtual int mkdir(const char* path, mode_t mode);
};

System& real_system();  // stateless

// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  Descriptor(System& system, int fd) : system_(&system), fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();
  int close();  // as close(2): 0 or -1; the descriptor is gone either way

 private:
  System* system_ = nullptr;
  int fd_ = -1;
};

// The calls below retry after EINTR and after short counts, and throw an Error that names `name` and the reason.
Descriptor open_to_read(System& system, const std::string& path);
size_t read_some(System& system, int fd, std::span<char> buffer, const std::string& name);  // 0 = end
void write_all(System& system, int fd, std::string_view bytes, const std::string& name);    // EPIPE: throws ReaderGone
void write_at(System& system, int fd, std::string_view bytes, uint64_t offset, const std::string& name);
void sync(System& system, int fd, const std::string& name);
void sync_folder_of(System& system, const std::string& path);  // makes a rename inside it durable

// "NAME: cannot WHAT: No space left on device (hint)" from errno.
[[noreturn]] void throw_errno(const std::string& what, const std::string& name, int error_number);

}  // namespace llmkit::io
