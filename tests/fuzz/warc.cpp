// Web archives and the HTTP responses in them.
#include "formats/warc.h"

#include "formats/http.h"
#include "fuzz_util.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit;
  using namespace llmkit::formats;
  return fuzz::refuse_or_accept(data, size, [](std::string_view bytes) {
    WarcReader reader(io::open_memory(bytes, "fuzz"), {.max_content_bytes = 1 << 16});
    WarcRecord record;
    while (reader.next(record)) parse_http_response(record.content, 1 << 20);
  });
}
