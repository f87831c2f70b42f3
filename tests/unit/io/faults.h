// A System whose N-th call of the kinds that a test chooses fails, and the loop over every N.
#pragma once

#include <cerrno>

#include "io/system.h"

namespace llmkit {

enum class Fault { enospc, eio, eintr, short_count };

// Does not wait for the disk.
class FastSystem : public io::System {
 public:
  int fsync(int) override { return 0; }
};

class FaultySystem : public FastSystem {
 public:
  FaultySystem(Fault fault, int64_t fail_at) : fault_(fault), fail_at_(fail_at) {}
  int64_t calls() const { return calls_; }
  bool failed() const { return calls_ > fail_at_; }

  int open(const char* path, int flags, mode_t mode) override { return fails() ? -1 : System::open(path, flags, mode); }
  ssize_t read(int fd, void* buffer, size_t bytes) override {
    return counted(bytes, [&](size_t n) { return System::read(fd, buffer, n); });
  }
  ssize_t write(int fd, const void* buffer, size_t bytes) override {
    return counted(bytes, [&](size_t n) { return System::write(fd, buffer, n); });
  }
  ssize_t pwrite(int fd, const void* buffer, size_t bytes, off_t offset) override {
    return counted(bytes, [&](size_t n) { return System::pwrite(fd, buffer, n, offset); });
  }
  int fsync(int fd) override { return fails() ? -1 : FastSystem::fsync(fd); }
  int ftruncate(int fd, off_t bytes) override { return fails() ? -1 : System::ftruncate(fd, bytes); }
  int flock(int fd, int operation) override { return fails() ? -1 : System::flock(fd, operation); }
  int fstat(int fd, struct stat* out) override { return fails() ? -1 : System::fstat(fd, out); }
  int rename(const char* from, const char* to) override { return fails() ? -1 : System::rename(from, to); }
  int mkdir(const char* path, mode_t mode) override { return fails() ? -1 : System::mkdir(path, mode); }
  int close(int fd) override {  // as Linux does it, the descriptor is gone whatever close answers
    bool fail = fails();
    int status = System::close(fd);
    return fail ? -1 : status;
  }

 private:
  bool fails() {
    bool fail = calls_++ == fail_at_ && fault_ != Fault::short_count;
    if (fail) errno = fault_ == Fault::enospc ? ENOSPC : fault_ == Fault::eio ? EIO : EINTR;
    return fail;
  }
  template <class Call>
  ssize_t counted(size_t bytes, Call call) {
    if (calls_ == fail_at_ && fault_ == Fault::short_count) {
      ++calls_;
      return call(bytes > 1 ? bytes / 2 : bytes);
    }
    return fails() ? -1 : call(bytes);
  }

  Fault fault_;
  int64_t fail_at_, calls_ = 0;
};

}  // namespace llmkit
