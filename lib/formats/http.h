// The HTTP response inside a web archive record: status, header fields, and the body with its transfer and content
// encodings undone. Archives in the field lie about both, so a body that is already decoded is taken as it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "formats/warc.h"

namespace llmkit::formats {

struct HttpResponse {
  int status = 0;
  HeaderFields headers;
  std::string body;
  bool damaged = false;  // chunks or compressed data broke off; `body` is what came before

  std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

// Reasons: not-http, unsupported-encoding, body-too-large.
Result<HttpResponse> parse_http_response(std::string_view block, uint64_t max_body_bytes = uint64_t{64} << 20);

// "Name: value" lines up to a blank line; returns the bytes used, the blank line included. Shared with WARC.
size_t parse_header_fields(std::string_view text, HeaderFields& fields);

}  // namespace llmkit::formats
