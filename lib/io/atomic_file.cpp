#include "io/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>

#include "base/error.h"

namespace llmkit::io {
namespace {

// The file a name stands for, so that a symbolic link is kept and its target replaced.
std::string resolve_link(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  std::filesystem::path target = std::filesystem::weakly_canonical(path, error);
  return error ? path : target.string();
}

std::string temporary_name(const std::string& path) {
  std::filesystem::path full(path);
  std::string name(1, '.');
  name.append(full.filename().string()).append(".llmkit-tmp");
  return (full.parent_path() / name).string();
}

// Opens and locks the temporary file. Between open and lock its owner may have renamed or removed it: then the name is
// gone or another file, and we start again.
Descriptor open_temporary(System& system, const std::string& temporary, const std::string& path) {
  while (true) {
    int fd;
    do fd = system.open(temporary.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) throw_errno("cannot create", path, errno);
    Descriptor file(system, fd);
    int locked;
    do locked = system.flock(fd, LOCK_EX | LOCK_NB);
    while (locked < 0 && errno == EINTR);
    if (locked < 0 && errno == EWOULDBLOCK)
      throw Error({"is being written by another process", path, {}, {}, "wait for it, or choose another output"});
    struct stat mine, named;  // a file system without locks is used unlocked
    if (system.fstat(fd, &mine) < 0) {
      int error_number = errno;
      if (locked == 0) system.unlink(temporary.c_str());  // ours: the lock is held
      throw_errno("cannot create", path, error_number);
    }
    if (system.stat(temporary.c_str(), &named) == 0 && mine.st_ino == named.st_ino && mine.st_dev == named.st_dev)
      return file;
  }
}

}  // namespace

AtomicFile::AtomicFile(System& system, const std::string& path, bool replace)
    : system_(system), path_(resolve_link(path)) {
  struct stat info;
  if (!replace && system_.stat(path_.c_str(), &info) == 0)
    throw Error({"already exists", path, {}, {}, "--force replaces it"});
  temporary_ = temporary_name(path_);
  file_ = open_temporary(system_, temporary_, path_);
  if (system_.ftruncate(file_.get(), 0) < 0) {
    int error_number = errno;
    system_.unlink(temporary_.c_str());
    throw_errno("cannot create", path_, error_number);
  }
}

AtomicFile::~AtomicFile() {
  if (!committed_) system_.unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  write_all(system_, file_.get(), bytes, path_);
}

void AtomicFile::commit() {
  sync(system_, file_.get(), path_);
  // Renamed while the lock is held, so that no second writer can take the temporary name in between.
  if (system_.rename(temporary_.c_str(), path_.c_str()) < 0)
    throw_errno("cannot rename the finished file to", path_, errno);
  committed_ = true;
  if (file_.close() < 0 && errno != EINTR) throw_errno("cannot close", path_, errno);
  sync_folder_of(system_, path_);
}

}  // namespace llmkit::io
