#include <fcntl.h>

#include <cerrno>
#include <filesystem>

#include "base/error.h"
#include "io/files.h"

namespace llmkit::io {

namespace fs = std::filesystem;

namespace {

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

void remove_tree(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace

AtomicFolder::AtomicFolder(std::string path, bool replace, System* system)
    : system_(system ? system : &real_system()), path_(without_slash(std::move(path))), work_path_(path_ + ".tmp") {
  std::error_code error;
  bool taken = fs::exists(path_, error) && !(fs::is_directory(path_, error) && fs::is_empty(path_, error));
  if (taken && !replace) throw Error({"already exists", path_, {}, {}, "--force replaces it"});
  if (taken && !fs::is_directory(path_, error)) throw Error({"is a file", path_, "a folder to write", {}, {}});
  remove_tree(work_path_);
  if (fs::path parent = fs::path(path_).parent_path(); !parent.empty()) make_folders(parent.string());
  if (system_->mkdir(work_path_.c_str(), 0777) < 0) throw_errno("cannot create the folder", work_path_, errno);
}

AtomicFolder::~AtomicFolder() {
  if (!finished_) remove_tree(work_path_);
}

void AtomicFolder::finish() {
  for (auto& entry : fs::recursive_directory_iterator(work_path_)) {
    bool folder = entry.is_directory();
    if (!folder && !entry.is_regular_file()) continue;
    std::string name = entry.path().string();
    Descriptor file(*system_, system_->open(name.c_str(), O_RDONLY | O_CLOEXEC | (folder ? O_DIRECTORY : 0), 0));
    if (!file) throw_errno("cannot open", name, errno);
    sync(*system_, file.get(), name);
  }
  sync_folder_of(*system_, work_path_ + "/.");
  // rename(2) replaces only an empty folder: an old one is put aside, and put back where the second rename fails.
  std::string aside = path_ + ".old";
  std::error_code error;
  bool old = fs::exists(path_, error) && !fs::is_empty(path_, error);
  if (old) {
    remove_tree(aside);
    if (system_->rename(path_.c_str(), aside.c_str()) < 0) throw_errno("cannot put the old folder aside", path_, errno);
  }
  if (system_->rename(work_path_.c_str(), path_.c_str()) < 0) {
    int error_number = errno;
    if (old) system_->rename(aside.c_str(), path_.c_str());
    throw_errno("cannot rename the finished folder to", path_, error_number);
  }
  finished_ = true;
  // The old folder goes only when the new name is on disk; where that fails, the new folder is there all the same.
  try {
    sync_folder_of(*system_, path_);
  } catch (const Error&) {
    if (old) remove_tree(aside);
    throw;
  }
  if (old) remove_tree(aside);
}

}  // namespace llmkit::io
