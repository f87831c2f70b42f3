// An HTTP response: head, chunks, content encodings.
#include "formats/http.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  llmkit::formats::parse_http_response({reinterpret_cast<const char*>(data), size}, 1 << 20);
  return 0;
}
