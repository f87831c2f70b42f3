// Access to the folder of real data that LLMKIT_REAL_DATA names. Tests that need it skip, and say so, without it.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace llmkit::real {

// The file's path, or "" (with a message) where the folder or the file is absent.
inline std::string data_file(const std::string& relative) {
  const char* folder = std::getenv("LLMKIT_REAL_DATA");
  if (folder == nullptr || *folder == '\0') {
    std::fprintf(stderr, "skipped: LLMKIT_REAL_DATA is not set (wanted %s)\n", relative.c_str());
    return {};
  }
  std::string path = std::string(folder) + "/" + relative;
  if (std::filesystem::exists(path)) return path;
  std::fprintf(stderr, "skipped: %s is not there\n", path.c_str());
  return {};
}

// The output of a command; "" where it fails.
inline std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  char buffer[65536];
  for (size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, got);
  return pclose(pipe) == 0 ? out : std::string();
}

inline std::string unpack_zstd(const std::string& path) {
  return output_of("zstd -dcq '" + path + "'");
}

// Calls f(name, content) for each regular file of a .tar.zst, in archive order.
inline void for_each_in_tar(const std::string& path,
                            const std::function<void(const std::string&, std::string_view)>& f) {
  std::string tar = unpack_zstd(path);
  for (size_t at = 0; at + 512 <= tar.size() && tar[at] != '\0';) {
    std::string name(tar.c_str() + at, strnlen(tar.c_str() + at, 100));
    std::string prefix(tar.c_str() + at + 345, strnlen(tar.c_str() + at + 345, 155));
    size_t size = std::strtoull(std::string(tar, at + 124, 12).c_str(), nullptr, 8);
    char type = tar[at + 156];
    at += 512;
    if (size > tar.size() - at) throw Error("damaged tar: " + path);
    if (type == '0' || type == '\0')
      f(prefix.empty() ? name : prefix + "/" + name, std::string_view(tar).substr(at, size));
    at += (size + 511) / 512 * 512;
  }
}

}  // namespace llmkit::real
