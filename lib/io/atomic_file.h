// One file that appears whole under its name, or not at all. What create_output and write_file_atomically stand on.
#pragma once

#include <string>
#include <string_view>

#include "io/system.h"

namespace llmkit::io {

class AtomicFile {
 public:
  // Opens ".NAME.llmkit-tmp" in the folder of `path` (symbolic links followed) and locks it, so that a second writer of
  // the same file is refused and what a killed run left behind is reused. Throws where `path` exists and not `replace`.
  AtomicFile(System& system, const std::string& path, bool replace);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();  // removes the temporary file unless commit() has succeeded

  void write(std::string_view bytes);
  void commit();  // fsync, rename, fsync of the folder
  int fd() const { return file_.get(); }

 private:
  System& system_;
  std::string path_, temporary_;
  Descriptor file_;
  bool committed_ = false;
};

}  // namespace llmkit::io
