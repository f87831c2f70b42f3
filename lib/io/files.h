// Whole files: read, map, write atomically; folders that appear whole; lists of inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/system.h"

namespace llmkit::io {

// The bytes as they are on disk (not decompressed; open_input does that).
std::string read_file(const std::string& path, uint64_t max_bytes = uint64_t{1} << 30, System* system = nullptr);

void write_file_atomically(const std::string& path, std::string_view content, bool replace = true,
                           System* system = nullptr);

// A read-only view of a whole file. If another process cuts the file off while it is mapped, reading beyond the cut
// ends the program (SIGBUS); llmkit's own outputs are never changed in place.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  void will_read_in_order() const;  // a hint for the kernel's read-ahead
  void will_read_at_random() const;
  // These bytes, from the beginning of a page on, no longer count as memory of this process.
  void done_with(size_t begin, size_t size) const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};
MappedFile map_file(const std::string& path);

// A folder that appears whole: files are written below work_path() ("NAME.tmp" beside it), finish() syncs each of
// them, renames the folder and syncs the parent. Without finish() the work folder is removed.
class AtomicFolder {
 public:
  // Refuses an existing folder unless `replace`; a work folder left behind by a killed run is cleared.
  explicit AtomicFolder(std::string path, bool replace = false, System* system = nullptr);
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;
  ~AtomicFolder();
  const std::string& work_path() const { return work_path_; }
  std::string file(std::string_view name) const { return work_path_ + "/" + std::string(name); }
  void finish();

 private:
  System* system_;
  std::string path_, work_path_;
  bool finished_ = false;
};

// Files as given; folders are expanded to the files below them whose names end in one of `extensions` (also followed by
// .gz or .zst), in sorted order, hidden files left out. "-" stays. Throws where a path does not exist or a folder has
// none.
std::vector<std::string> list_inputs(const std::vector<std::string>& paths, const std::vector<std::string>& extensions);

// The bytes on disk of all of `paths`, for progress; 0 where one is "-".
uint64_t total_file_bytes(const std::vector<std::string>& paths);

// "corpus.jsonl" for "corpus.jsonl.zst".
std::string_view without_compression_suffix(std::string_view path);

void make_folders(const std::string& path);  // like mkdir -p

}  // namespace llmkit::io
