#include "formats/http.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>

#include "io/input.h"

namespace llmkit::formats {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view s) {
  size_t begin = std::min(s.find_first_not_of(" \t\r\n"), s.size());
  s.remove_prefix(begin);
  return s.substr(0, s.find_last_not_of(" \t\r\n") + 1);
}

std::string_view take_line(std::string_view text, size_t& at) {
  size_t end = std::min(text.find('\n', at), text.size());
  std::string_view line = text.substr(at, end - at);
  at = std::min(end + 1, text.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Undoes chunked transfer coding (RFC 9112, 7.1). False where the first chunk is none: the body was stored decoded.
bool decode_chunks(std::string_view body, std::string& out, bool& damaged) {
  size_t at = 0;
  for (bool first = true;; first = false) {
    size_t line_start = at;
    std::string_view head = trim(take_line(body, at));
    head = trim(head.substr(0, head.find(';')));
    uint64_t size = 0;
    auto [end, status] = std::from_chars(head.data(), head.data() + head.size(), size, 16);
    if (status != std::errc() || end != head.data() + head.size()) {
      if (first) return false;
      damaged = line_start < body.size() || !head.empty();
      return true;
    }
    if (size == 0) return true;
    if (size > body.size() - at) {
      out.append(body.substr(at));
      damaged = true;
      return true;
    }
    out.append(body.substr(at, static_cast<size_t>(size)));
    at += static_cast<size_t>(size);
    take_line(body, at);
  }
}

enum class Unpacked { done, too_large, not_packed };

Unpacked collect(io::InputStream& input, std::string& out, uint64_t max_bytes, bool& damaged) {
  char buffer[16384];
  try {
    while (size_t got = input.read(buffer)) {
      out.append(buffer, got);
      if (out.size() > max_bytes) return Unpacked::too_large;
    }
  } catch (const io::DamagedInput&) {
    damaged = true;
  }
  return Unpacked::done;
}

// gzip and zstd, known by their first bytes.
Unpacked unpack(std::string_view body, std::string& out, uint64_t max_bytes, bool& damaged) {
  bool gzip = body.starts_with("\x1f\x8b"), zstd = body.starts_with("\x28\xb5\x2f\xfd");
  if (!gzip && !zstd) return Unpacked::not_packed;
  io::InputLimits limits;
  limits.free_bytes = max_bytes + sizeof(char[16384]);  // the cap here is absolute
  return collect(*io::open_memory(body, "body", limits), out, max_bytes, damaged);
}

// "deflate" is zlib's format by the standard and raw deflate in the field.
Unpacked unpack_deflate(std::string_view body, std::string& out, uint64_t max_bytes, bool& damaged) {
  bool zlib_head = body.size() >= 2 && (body[0] & 0x0F) == 8 &&
                   (static_cast<unsigned char>(body[0]) * 256 + static_cast<unsigned char>(body[1])) % 31 == 0;
  z_stream stream{};
  if (inflateInit2(&stream, zlib_head ? 15 : -15) != Z_OK) return Unpacked::not_packed;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(std::min<size_t>(body.size(), UINT32_MAX));
  char buffer[16384];
  int status = Z_OK;
  while (status == Z_OK && out.size() <= max_bytes) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer, sizeof buffer - stream.avail_out);
  }
  inflateEnd(&stream);
  if (out.size() > max_bytes) return Unpacked::too_large;
  if (status != Z_STREAM_END && out.empty()) return Unpacked::not_packed;
  damaged |= status != Z_STREAM_END;
  return Unpacked::done;
}

// Undoes one content coding. `body` stays as it is where it is already decoded.
Unpacked undo(std::string_view coding, std::string& body, uint64_t max_bytes, bool& damaged) {
  std::string out;
  Unpacked result = equal_ignoring_case(coding, "deflate") ? unpack_deflate(body, out, max_bytes, damaged)
                                                           : unpack(body, out, max_bytes, damaged);
  if (result == Unpacked::done) body = std::move(out);
  return result;
}

bool is_known(std::string_view coding) {
  for (std::string_view known : {"gzip", "x-gzip", "deflate", "zstd"})
    if (equal_ignoring_case(coding, known)) return true;
  return false;
}

}  // namespace

std::string_view find_header(const HeaderFields& fields, std::string_view name) {
  for (auto& [key, value] : fields)
    if (equal_ignoring_case(key, name)) return value;
  return {};
}

size_t parse_header_fields(std::string_view text, HeaderFields& fields) {
  size_t at = 0;
  while (at < text.size()) {
    std::string_view line = take_line(text, at);
    if (line.empty()) break;
    if ((line.front() == ' ' || line.front() == '\t') && !fields.empty()) {  // a folded line continues the one before
      fields.back().second.append(" ").append(trim(line));
      continue;
    }
    size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;  // servers send such lines; browsers skip them
    fields.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  return at;
}

Result<HttpResponse> parse_http_response(std::string_view block, uint64_t max_body_bytes) {
  size_t at = 0;
  std::string_view line = take_line(block, at);
  HttpResponse response;
  size_t space = line.find(' ');
  std::string_view code = space == std::string_view::npos ? std::string_view() : trim(line.substr(space)).substr(0, 3);
  auto [end, status] = std::from_chars(code.data(), code.data() + code.size(), response.status);
  if (!line.starts_with("HTTP/") || status != std::errc() || code.size() != 3 || end != code.data() + 3)
    return Refusal{"not-http", "the record does not start with an HTTP status line"};
  at += parse_header_fields(block.substr(at), response.headers);
  std::string_view stored = block.substr(at);
  if (!equal_ignoring_case(trim(response.header("Transfer-Encoding")), "chunked") ||
      !decode_chunks(stored, response.body, response.damaged))
    response.body = stored;

  std::string_view codings = response.header("Content-Encoding");
  for (int count = 0; !codings.empty(); ++count) {  // the coding applied last stands last
    size_t comma = codings.rfind(',');
    std::string_view coding = trim(comma == std::string_view::npos ? codings : codings.substr(comma + 1));
    codings = comma == std::string_view::npos ? std::string_view() : codings.substr(0, comma);
    if (coding.empty() || equal_ignoring_case(coding, "identity") || equal_ignoring_case(coding, "none")) continue;
    if (count == 4) return Refusal{"unsupported-encoding", "more than four content codings"};
    if (is_known(coding)) {
      if (undo(coding, response.body, max_body_bytes, response.damaged) == Unpacked::too_large)
        return Refusal{"body-too-large", "unpacks to more than " + std::to_string(max_body_bytes) + " bytes"};
    } else if (equal_ignoring_case(coding, "br") || equal_ignoring_case(coding, "compress")) {
      return Refusal{"unsupported-encoding", std::string(coding)};
    }  // anything else ("utf-8") is a mistake of the server: the body is what it is
  }
  if (response.body.size() > max_body_bytes)
    return Refusal{"body-too-large", std::to_string(response.body.size()) + " bytes"};
  return response;
}

}  // namespace llmkit::formats
