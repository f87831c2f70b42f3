#include "io/system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "io/output.h"

namespace llmkit::io {

int System::open(const char* path, int flags, mode_t mode) {
  return ::open(path, flags, mode);
}
int System::close(int fd) {
  return ::close(fd);
}
ssize_t System::read(int fd, void* buffer, size_t bytes) {
  return ::read(fd, buffer, bytes);
}
ssize_t System::write(int fd, const void* buffer, size_t bytes) {
  return ::write(fd, buffer, bytes);
}
ssize_t System::pwrite(int fd, const void* buffer, size_t bytes, off_t offset) {
  return ::pwrite(fd, buffer, bytes, offset);
}
int System::fsync(int fd) {
  return ::fsync(fd);
}
int System::ftruncate(int fd, off_t bytes) {
  return ::ftruncate(fd, bytes);
}
int System::flock(int fd, int operation) {
  return ::flock(fd, operation);
}
int System::fstat(int fd, struct stat* out) {
  return ::fstat(fd, out);
}
int System::stat(const char* path, struct stat* out) {
  return ::stat(path, out);
}
int System::rename(const char* from, const char* to) {
  return ::rename(from, to);
}
int System::unlink(const char* path) {
  return ::unlink(path);
}
int System::mkdir(const char* path, mode_t mode) {
  return ::mkdir(path, mode);
}

System& real_system() {
  static System system;
  return system;
}

Descriptor::Descriptor(Descriptor&& other) noexcept : system_(other.system_), fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    system_ = other.system_;
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Descriptor::reset() {
  if (fd_ >= 0) close();
}

int Descriptor::close() {
  return system_->close(std::exchange(fd_, -1));
}

void throw_errno(const std::string& what, const std::string& name, int error_number) {
  std::string hint;
  if (error_number == ENOENT) hint = "is the path right?";
  if (error_number == EACCES || error_number == EPERM) hint = "check the permissions";
  if (error_number == ENOSPC || error_number == EDQUOT)
    hint = "free some space or write elsewhere; the old file is untouched";
  if (error_number == EMFILE) hint = "raise the limit of open files: ulimit -n";
  throw Error({what + ": " + std::strerror(error_number), name, {}, {}, hint});
}

Descriptor open_to_read(System& system, const std::string& path) {
  int fd;
  do fd = system.open(path.c_str(), O_RDONLY | O_CLOEXEC, 0);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) throw_errno("cannot open", path, errno);
  Descriptor file(system, fd);
  struct stat info;
  if (system.fstat(fd, &info) < 0) throw_errno("cannot look at", path, errno);
  if (S_ISDIR(info.st_mode)) throw Error({"is a folder", path, "a file", {}, {}});
  return file;
}

size_t read_some(System& system, int fd, std::span<char> buffer, const std::string& name) {
  ssize_t got;
  do got = system.read(fd, buffer.data(), buffer.size());
  while (got < 0 && errno == EINTR);
  if (got < 0) throw_errno("cannot read", name, errno);
  return static_cast<size_t>(got);
}

void write_all(System& system, int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    ssize_t put = system.write(fd, bytes.data(), bytes.size());
    if (put > 0) bytes.remove_prefix(static_cast<size_t>(put));
    if (put < 0 && errno == EPIPE) throw ReaderGone(name);
    if (put < 0 && errno != EINTR) throw_errno("cannot write", name, errno);
    if (put == 0) throw_errno("cannot write", name, ENOSPC);
  }
}

void write_at(System& system, int fd, std::string_view bytes, uint64_t offset, const std::string& name) {
  while (!bytes.empty()) {
    ssize_t put = system.pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) throw_errno("cannot write", name, put < 0 ? errno : ENOSPC);
    bytes.remove_prefix(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
}

void sync(System& system, int fd, const std::string& name) {
  int status;
  do status = system.fsync(fd);
  while (status < 0 && errno == EINTR);
  // Pipes, terminals and some network file systems cannot be synced; that is no error.
  if (status < 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
    throw_errno("cannot write to disk", name, errno);
}

void sync_folder_of(System& system, const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder.assign(1, '.');
  int fd;
  do fd = system.open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) throw_errno("is written, but its folder cannot be opened to make it durable", path, errno);
  Descriptor descriptor(system, fd);
  sync(system, fd, path);
}

}  // namespace llmkit::io
