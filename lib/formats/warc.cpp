#include "formats/warc.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "formats/http.h"

namespace llmkit::formats {
namespace {

constexpr size_t kReadBytes = size_t{256} << 10;
constexpr size_t kMaxLineBytes = size_t{64} << 10;

bool all_digits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "URL IP DATE TYPE LENGTH"; the URL may hold spaces, so the fields are taken from the right.
struct ArcHead {
  std::string_view url, ip, date, type, length;
};
bool split_arc_head(std::string_view line, ArcHead& head) {
  std::string_view* fields[] = {&head.length, &head.type, &head.date, &head.ip};
  for (auto* field : fields) {
    size_t space = line.rfind(' ');
    if (space == std::string_view::npos) return false;
    *field = line.substr(space + 1);
    line = line.substr(0, space);
  }
  head.url = line;
  return head.url.find(':') != std::string_view::npos && head.date.size() >= 8 && head.date.size() <= 18 &&
         all_digits(head.date) && head.ip.find_first_of(".:-0123456789") != std::string_view::npos;
}

// 20140216050221 -> 2014-02-16T05:02:21Z
std::string warc_date(std::string_view digits) {
  std::string padded(digits.substr(0, 14));
  padded.resize(14, '0');
  std::string out;
  for (size_t i = 0; i < 14; ++i) {
    if (i == 4 || i == 6) out += '-';
    if (i == 8) out += 'T';
    if (i == 10 || i == 12) out += ':';
    out += padded[i];
  }
  return out + 'Z';
}

bool parse_length(std::string_view text, uint64_t& length) {
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), length);
  return all_digits(text) && status == std::errc() && end == text.data() + text.size();
}

}  // namespace

// The decoded stream as a window that grows at its end. Damage in the compressed stream looks like the end of the
// input until pass_damage(), which drops the window and goes on behind it.
class WarcReader::Window {
 public:
  explicit Window(io::InputStream& input) : input_(input) {}

  std::string_view bytes() const { return std::string_view(buffer_).substr(position_); }
  void consume(size_t count) { position_ += count; }
  const std::string& damage() const { return damage_; }

  bool more() {
    if (!damage_.empty() || at_end_) return false;
    if (position_ > buffer_.size() / 2) {
      buffer_.erase(0, position_);
      position_ = 0;
    }
    size_t before = buffer_.size();
    buffer_.resize(before + kReadBytes);
    size_t got = 0;
    try {
      got = input_.read({buffer_.data() + before, kReadBytes});
      at_end_ = got == 0;
    } catch (const io::DamagedInput& error) {
      damage_ = error.parts().what;
    }
    buffer_.resize(before + got);
    return got > 0;
  }
  bool ensure(size_t count) {
    while (bytes().size() < count)
      if (!more()) return false;
    return true;
  }
  void pass_damage() {
    damage_.clear();
    buffer_.clear();
    position_ = 0;
  }
  void put_back(std::string_view taken) {
    buffer_.replace(0, position_, taken);
    position_ = 0;
  }
  // The next line with its end, or what there is of it up to kMaxLineBytes.
  std::string_view line() {
    size_t searched = 0;
    while (true) {
      std::string_view have = bytes().substr(0, kMaxLineBytes);
      size_t newline = have.find('\n', searched);
      if (newline != std::string_view::npos) return have.substr(0, newline + 1);
      searched = have.size();
      if (have.size() == kMaxLineBytes || !more()) return bytes().substr(0, kMaxLineBytes);
    }
  }

 private:
  io::InputStream& input_;
  std::string buffer_;
  size_t position_ = 0;
  std::string damage_;
  bool at_end_ = false;
};

WarcReader::WarcReader(std::unique_ptr<io::InputStream> input, WarcOptions options)
    : input_(std::move(input)), options_(options), window_(std::make_unique<Window>(*input_)) {}

WarcReader::~WarcReader() = default;

std::string_view WarcRecord::target_uri() const {
  std::string_view uri = header("WARC-Target-URI");
  if (uri.starts_with('<') && uri.ends_with('>')) uri = uri.substr(1, uri.size() - 2);
  return uri;
}

bool WarcReader::next(WarcRecord& record) {
  while (true) {
    Outcome outcome = read_record(record);
    if (outcome == Outcome::record) return true;
    if (outcome == Outcome::end) return false;
  }
}

WarcReader::Outcome WarcReader::refuse(const char* reason, std::string detail) {
  // What ends early because the compressed data is damaged has that as its reason.
  if (!window_->damage().empty()) {
    reason = "damaged-compression";
    detail = window_->damage();
    window_->pass_damage();
  }
  bad_.add_at(input_->name() + ", record " + std::to_string(records_), {reason, std::move(detail)});
  return Outcome::refused;
}

bool WarcReader::at_record_start(std::string_view line) const {
  if (line.starts_with("WARC/") && line.size() > 5 && line[5] >= '0' && line[5] <= '9') return true;
  ArcHead head;
  uint64_t length;
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  return arc_ && split_arc_head(line, head) && parse_length(head.length, length);
}

// Skips to the next line that starts a record, or adds what lies before it to `collect`.
void WarcReader::find_next_record(WarcRecord* collect) {
  while (true) {
    std::string_view line = window_->line();
    if (line.empty() || at_record_start(line)) return;
    if (collect) {
      size_t room = static_cast<size_t>(options_.max_content_bytes) - collect->content.size();
      collect->content.append(line.substr(0, room));
      collect->truncated |= room < line.size();
    }
    window_->consume(line.size());
  }
}

WarcReader::Outcome WarcReader::read_record(WarcRecord& record) {
  while (window_->ensure(1) && (window_->bytes()[0] == '\r' || window_->bytes()[0] == '\n')) window_->consume(1);
  if (window_->bytes().empty()) {
    if (window_->damage().empty()) return Outcome::end;
    ++records_;
    return refuse("damaged-compression", {});
  }
  ++records_;
  record = {};
  record.number = records_;
  std::string_view line = window_->line();
  if (!started_) arc_ = line.starts_with("filedesc://");
  started_ = true;
  if (line.starts_with("WARC/") && at_record_start(line)) return read_warc(record);
  if (arc_) return read_arc(record, line);
  find_next_record();
  return refuse("not-a-record", "bytes that start no record");
}

bool WarcReader::read_header_fields(HeaderFields& fields) {
  size_t searched = 0;
  while (true) {
    // The head ends at the first blank line.
    std::string_view have = window_->bytes();
    for (size_t at = have.find('\n', searched); at != std::string_view::npos; at = have.find('\n', at + 1)) {
      std::string_view rest = have.substr(at + 1, 2);
      if (!rest.starts_with('\n') && !rest.starts_with("\r\n")) continue;
      size_t used = parse_header_fields(have, fields);
      window_->consume(used);
      return true;
    }
    searched = have.size() > 3 ? have.size() - 3 : 0;
    if (have.size() > options_.max_header_bytes || !window_->more()) return false;
  }
}

WarcReader::Outcome WarcReader::read_warc(WarcRecord& record) {
  std::string_view line = window_->line();
  record.version = line.substr(0, line.find_last_not_of("\r\n ") + 1);
  window_->consume(line.size());
  if (!read_header_fields(record.headers)) {
    bool too_long = window_->bytes().size() > options_.max_header_bytes;
    find_next_record();
    return refuse(too_long ? "header-too-long" : "cut-off", "the head has no end");
  }
  uint64_t length = 0;
  std::string_view written = record.header("Content-Length");
  if (!parse_length(written, length) || length > options_.max_record_bytes) {
    find_next_record();
    return refuse("bad-length", "Content-Length: " + std::string(written.substr(0, 40)));
  }
  return read_content(record, length);
}

WarcReader::Outcome WarcReader::read_arc(WarcRecord& record, std::string_view line) {
  std::string text(line.substr(0, line.find_last_not_of("\r\n ") + 1));
  window_->consume(line.size());
  ArcHead head;
  uint64_t length = 0;
  if (!split_arc_head(text, head) || !parse_length(head.length, length) || length > options_.max_record_bytes) {
    find_next_record();
    return refuse("bad-length", text.substr(0, 60));
  }
  record.version = "ARC/1.0";
  bool description = head.url.starts_with("filedesc:");
  record.headers = {{"WARC-Type", description                    ? "warcinfo"
                                  : head.url.starts_with("http") ? "response"
                                                                 : "resource"},
                    {"WARC-Target-URI", std::string(head.url)},
                    {"WARC-IP-Address", std::string(head.ip)},
                    {"WARC-Date", warc_date(head.date)},
                    {"Content-Type", std::string(head.type)},
                    {"Content-Length", std::string(head.length)}};
  return read_content(record, length);
}

// After the content come line ends, the next record or the end.
bool WarcReader::content_ends_well() {
  if (!window_->ensure(1)) return true;
  char c = window_->bytes()[0];
  return c == '\r' || c == '\n' || at_record_start(window_->line());
}

WarcReader::Outcome WarcReader::read_content(WarcRecord& record, uint64_t length) {
  uint64_t left = length;
  while (left > 0) {
    if (window_->bytes().empty() && !window_->more()) break;
    std::string_view have = window_->bytes().substr(0, static_cast<size_t>(std::min<uint64_t>(left, SIZE_MAX)));
    size_t room = static_cast<size_t>(options_.max_content_bytes) - record.content.size();
    record.content.append(have.substr(0, room));
    window_->consume(have.size());
    left -= have.size();
  }
  record.truncated = record.content.size() < length - left;
  if (left == 0 && content_ends_well()) return Outcome::record;
  return repair(record, left, length);
}

WarcReader::Outcome WarcReader::repair(WarcRecord& record, uint64_t left, uint64_t length) {
  std::string& content = record.content;
  size_t next = std::string::npos;
  // A length that is too large swallows the records that follow: they are read again.
  for (size_t at = content.find("\nWARC/1."); at != std::string::npos && next == std::string::npos;
       at = content.find("\nWARC/1.", at + 1)) {
    std::string_view before = std::string_view(content).substr(0, at);
    if (before.ends_with("\n") || before.ends_with("\n\r")) next = at + 1;
  }
  if (next != std::string::npos && !record.truncated && window_->damage().empty()) {
    window_->put_back(std::string_view(content).substr(next));
    content.resize(next);
  } else if (left > 0) {
    return refuse("cut-off", std::to_string(left) + " of " + std::to_string(length) + " bytes are missing");
  } else {
    find_next_record(&record);
    if (!window_->damage().empty()) return refuse("damaged-compression", {});
  }
  content.resize(content.find_last_not_of("\r\n") + 1);
  record.repaired = true;
  repaired_.add_at(input_->name() + ", record " + std::to_string(records_),
                   {"wrong-length", "Content-Length: " + std::to_string(length)});
  return Outcome::record;
}

}  // namespace llmkit::formats
