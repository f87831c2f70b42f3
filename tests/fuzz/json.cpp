// A JSON tree: what is accepted is written as text that reads back to the same text.
#include "formats/json.h"

#include <cstdlib>

#include "fuzz_util.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit::formats;
  return llmkit::fuzz::refuse_or_accept(data, size, [](std::string_view text) {
    std::string written = write_json(parse_json(text, "fuzz"));
    if (write_json(parse_json(written, "written")) != written) std::abort();
  });
}
