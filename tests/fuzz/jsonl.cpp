// A document line: what is accepted is written as a line that reads back equal.
#include "formats/jsonl.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit::formats;
  std::string_view line(reinterpret_cast<const char*>(data), size);
  auto parsed = parse_document(line);
  if (!parsed) return 0;
  std::string written, again;
  write_document(written, *parsed);
  auto reread = parse_document(written);
  if (!reread || reread->text != parsed->text || reread->id != parsed->id || reread->extra != parsed->extra)
    std::abort();
  write_document(again, *reread);
  if (again != written) std::abort();
  return 0;
}
