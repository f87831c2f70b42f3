// Text files that CMake puts into the binary: built-in configs ("config": "pretrain/smoke") and help topics ("topic").
#pragma once

#include <string_view>
#include <vector>

namespace llmkit::cli {

struct EmbeddedFile {
  std::string_view kind, name, text;
};
std::vector<EmbeddedFile> embedded_files(std::string_view kind);

}  // namespace llmkit::cli
