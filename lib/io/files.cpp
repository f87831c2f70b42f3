#include "io/files.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "io/atomic_file.h"

namespace llmkit::io {

namespace fs = std::filesystem;

namespace {

System& or_real(System* system) {
  return system ? *system : real_system();
}

bool ends_with_one_of(std::string_view name, const std::vector<std::string>& extensions) {
  name = without_compression_suffix(name);
  return std::any_of(extensions.begin(), extensions.end(), [&](const std::string& e) { return name.ends_with(e); });
}

void add_folder(const fs::path& folder, const std::vector<std::string>& extensions, std::vector<std::string>& out) {
  size_t before = out.size();
  std::error_code error;
  auto options = fs::directory_options::follow_directory_symlink;
  for (fs::recursive_directory_iterator it(folder, options, error), end; !error && it != end; it.increment(error)) {
    bool hidden = it->path().filename().string().starts_with('.');
    if (it->is_directory()) {
      // A link to a folder above would be walked for ever; 64 levels are no real corpus.
      if (hidden || it.depth() >= 64) it.disable_recursion_pending();
    } else if (!hidden && ends_with_one_of(it->path().string(), extensions)) {
      out.push_back(it->path().string());
    }
  }
  if (error) throw Error({"cannot list: " + error.message(), folder.string(), {}, {}, {}});
  std::sort(out.begin() + static_cast<std::ptrdiff_t>(before), out.end());
  if (out.size() == before) {
    std::string wanted;
    for (auto& e : extensions) wanted += (wanted.empty() ? "" : ", ") + e;
    throw Error(
        {"no input in this folder", folder.string(), "files ending in " + wanted + " (also .gz, .zst)", {}, {}});
  }
}

}  // namespace

std::string read_file(const std::string& path, uint64_t max_bytes, System* system) {
  Descriptor file = open_to_read(or_real(system), path);
  std::string out;
  size_t size = 0;
  struct stat info;
  if (or_real(system).fstat(file.get(), &info) < 0) throw_errno("cannot look at", path, errno);
  uint64_t expected = S_ISREG(info.st_mode) ? static_cast<uint64_t>(info.st_size) : 0;
  auto refuse = [&] {
    throw Error({"is larger than the cap of " + std::to_string(max_bytes) + " bytes", path, {}, {}, {}});
  };
  if (expected > max_bytes) refuse();
  out.resize(static_cast<size_t>(expected) + 1);  // one more, so that the end is seen without growing
  while (true) {
    if (size == out.size()) out.resize(size * 2 + 4096);
    size_t got = read_some(or_real(system), file.get(), {out.data() + size, out.size() - size}, path);
    if (got == 0) break;
    size += got;
    if (size > max_bytes) refuse();
  }
  out.resize(size);
  return out;
}

void write_file_atomically(const std::string& path, std::string_view content, bool replace, System* system) {
  AtomicFile file(or_real(system), path, replace);
  file.write(content);
  file.commit();
}

MappedFile::MappedFile(const std::string& path) {
  Descriptor file = open_to_read(real_system(), path);
  struct stat info;
  if (real_system().fstat(file.get(), &info) < 0) throw_errno("cannot look at", path, errno);
  if (!S_ISREG(info.st_mode))
    throw Error({"cannot be mapped", path, "a regular file", {}, "pipes cannot be used here"});
  size_ = static_cast<size_t>(info.st_size);
  if (size_ == 0) return;  // mmap refuses length 0
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) throw_errno("cannot map", path, errno);
  data_ = static_cast<const std::byte*>(mapped);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::will_read_in_order() const {
  if (data_) ::madvise(const_cast<std::byte*>(data_), size_, MADV_SEQUENTIAL);
}

void MappedFile::will_read_at_random() const {
  if (data_) ::madvise(const_cast<std::byte*>(data_), size_, MADV_RANDOM);
}

void MappedFile::done_with(size_t begin, size_t size) const {
  if (data_) ::madvise(const_cast<std::byte*>(data_) + begin, size, MADV_DONTNEED);
}

MappedFile map_file(const std::string& path) {
  return MappedFile(path);
}

std::vector<std::string> list_inputs(const std::vector<std::string>& paths,
                                     const std::vector<std::string>& extensions) {
  std::vector<std::string> out;
  for (auto& path : paths) {
    std::error_code error;
    if (path == "-") {
      out.push_back(path);
    } else if (fs::is_directory(path, error)) {
      add_folder(path, extensions, out);
    } else if (fs::exists(path, error)) {
      out.push_back(path);
    } else {
      throw_errno("cannot open", path, error ? error.value() : ENOENT);
    }
  }
  return out;
}

uint64_t total_file_bytes(const std::vector<std::string>& paths) {
  uint64_t total = 0;
  for (auto& path : paths) {
    std::error_code error;
    if (path == "-") return 0;
    uintmax_t size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
    if (!error) total += size;
  }
  return total;
}

std::string_view without_compression_suffix(std::string_view path) {
  if (path.ends_with(".gz")) return path.substr(0, path.size() - 3);
  if (path.ends_with(".zst")) return path.substr(0, path.size() - 4);
  return path;
}

void make_folders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw_errno("cannot create the folder", path, error.value());
}

}  // namespace llmkit::io
