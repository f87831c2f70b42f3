// Web archives: WARC 1.0 and 1.1 (ISO 28500), WET (their "conversion" records) and ARC 1, plain or compressed. With one
// gzip member a record, as is usual, damage in one member costs that record: reading goes on at the next member. In a
// plain stream it goes on at the next line that starts a record. What was lost is counted in bad().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/bad_records.h"
#include "io/input.h"

namespace llmkit::formats {

using HeaderFields = std::vector<std::pair<std::string, std::string>>;            // in order; folded lines joined
std::string_view find_header(const HeaderFields& fields, std::string_view name);  // any case; "" where absent

struct WarcRecord {
  std::string version;  // "WARC/1.1"; "ARC/1.0", whose head line is given as the fields a WARC record would have
  HeaderFields headers;
  std::string content;     // the block: for a response, the HTTP head and body
  bool truncated = false;  // the content was longer than max_content_bytes and is cut there
  bool repaired = false;   // Content-Length was wrong; the content ends where the next record starts
  int64_t number = 0;      // in the file, from 1, damaged ones counted

  std::string_view header(std::string_view name) const { return find_header(headers, name); }
  std::string_view type() const { return header("WARC-Type"); }  // "response", "conversion", "warcinfo", …
  std::string_view target_uri() const;                           // without the angle brackets some writers add
  std::string_view date() const { return header("WARC-Date"); }  // as written: 2017-03-06T04:03:53Z
};

struct WarcOptions {
  uint64_t max_content_bytes = uint64_t{16} << 20;  // kept of a record
  uint64_t max_record_bytes = uint64_t{8} << 30;    // a larger Content-Length is taken for damage
  size_t max_header_bytes = size_t{1} << 20;
};

// Reasons counted: damaged-compression, not-a-record, bad-length, cut-off, header-too-long; repaired: wrong-length.
class WarcReader {
 public:
  explicit WarcReader(std::unique_ptr<io::InputStream> input, WarcOptions options = {});
  ~WarcReader();
  bool next(WarcRecord& record);  // the next good record; false at the end
  const BadRecords& bad() const { return bad_; }
  const BadRecords& repaired() const { return repaired_; }
  uint64_t bytes_in() const { return input_->bytes_in(); }
  const std::string& name() const { return input_->name(); }

 private:
  enum class Outcome { record, refused, end };
  Outcome read_record(WarcRecord& record);
  Outcome read_warc(WarcRecord& record);
  Outcome read_arc(WarcRecord& record, std::string_view head);
  Outcome read_content(WarcRecord& record, uint64_t length);
  Outcome repair(WarcRecord& record, uint64_t left, uint64_t length);
  Outcome refuse(const char* reason, std::string detail);
  bool read_header_fields(HeaderFields& fields);
  bool at_record_start(std::string_view line) const;
  bool content_ends_well();
  void find_next_record(WarcRecord* collect = nullptr);

  class Window;
  std::unique_ptr<io::InputStream> input_;
  WarcOptions options_;
  std::unique_ptr<Window> window_;
  BadRecords bad_, repaired_;
  int64_t records_ = 0;
  bool arc_ = false, started_ = false;
};

}  // namespace llmkit::formats
