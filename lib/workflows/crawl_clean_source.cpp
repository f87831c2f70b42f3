#include "workflows/crawl_clean_source.h"

#include <algorithm>
#include <cstring>

#include "io/files.h"

namespace llmkit::workflows {
namespace {

constexpr size_t kSniffBytes = 1024;

// Gives the bytes that were read to find out what an input is, then the rest of it.
class ReplayedInput : public io::InputStream {
 public:
  explicit ReplayedInput(std::unique_ptr<io::InputStream> rest) : rest_(std::move(rest)), head_(kSniffBytes, '\0') {
    size_t filled = 0;
    while (filled < head_.size()) {
      size_t got = rest_->read({head_.data() + filled, head_.size() - filled});
      if (got == 0) break;
      filled += got;
    }
    head_.resize(filled);
  }
  const std::string& head() const { return head_; }

  size_t read(std::span<char> buffer) override {
    if (at_ == head_.size()) return rest_->read(buffer);
    size_t count = std::min(buffer.size(), head_.size() - at_);
    std::memcpy(buffer.data(), head_.data() + at_, count);
    at_ += count;
    return count;
  }
  const std::string& name() const override { return rest_->name(); }
  uint64_t bytes_in() const override { return rest_->bytes_in(); }
  uint64_t total_bytes_in() const override { return rest_->total_bytes_in(); }

 private:
  std::unique_ptr<io::InputStream> rest_;
  std::string head_;
  size_t at_ = 0;
};

enum class InputKind { archive, html, text, json_lines };

InputKind sniff(std::string_view head, std::string_view name) {
  if (head.starts_with("WARC/") || head.starts_with("filedesc:")) return InputKind::archive;
  name = io::without_compression_suffix(name);
  if (name.ends_with(".txt")) return InputKind::text;
  if (name.ends_with(".html") || name.ends_with(".htm") || name.ends_with(".xhtml")) return InputKind::html;
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  size_t first = head.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return InputKind::json_lines;
  if (head[first] == '{' || name.ends_with(".jsonl")) return InputKind::json_lines;
  if (name.ends_with(".warc") || name.ends_with(".arc") || name.ends_with(".wet")) return InputKind::archive;
  return head[first] == '<' ? InputKind::html : InputKind::json_lines;
}

}  // namespace

void BadTally::add(const formats::BadRecords& bad) {
  total += static_cast<uint64_t>(bad.total());
  for (auto& [reason, count] : bad.by_reason()) by_reason[reason] += count;
  for (const std::string& where : bad.first())
    if (first.size() < formats::BadRecords::kLocated) first.push_back(where);
}

void BadTally::merge(const BadTally& other) {
  total += other.total;
  for (auto& [reason, count] : other.by_reason) by_reason[reason] += count;
  for (const std::string& where : other.first)
    if (first.size() < formats::BadRecords::kLocated) first.push_back(where);
}

PageSource::PageSource(const std::vector<std::string>& inputs, uint64_t max_page_bytes)
    : inputs_(io::list_inputs(inputs, {".warc", ".arc", ".wet", ".html", ".htm", ".xhtml", ".jsonl", ".txt"})),
      max_page_bytes_(max_page_bytes),
      total_bytes_(io::total_file_bytes(inputs_)) {}

uint64_t PageSource::bytes_in() const {
  uint64_t now = records_ ? records_->bytes_in() : input_ ? input_->bytes_in() : 0;
  return bytes_before_ + now;
}

bool PageSource::open_next() {
  if (at_ == inputs_.size()) return false;
  const std::string& name = inputs_[at_++];
  auto replayed = std::make_unique<ReplayedInput>(io::open_input(name));
  switch (sniff(replayed->head(), name)) {
    case InputKind::archive: {
      formats::WarcOptions options;
      options.max_content_bytes = max_page_bytes_ + (64 << 10);
      records_ = std::make_unique<formats::WarcReader>(std::move(replayed), options);
      break;
    }
    case InputKind::json_lines:
      input_ = std::move(replayed);
      lines_ = std::make_unique<io::LineReader>(*input_, std::max<uint64_t>(max_page_bytes_ * 2, 1 << 20));
      break;
    case InputKind::html:
    case InputKind::text:
      whole_ = true;
      whole_kind_ = sniff(replayed->head(), name) == InputKind::html ? PageKind::html : PageKind::text;
      input_ = std::move(replayed);
      break;
  }
  return true;
}

void PageSource::close() {
  bytes_before_ = bytes_in();
  if (records_) bad_.add(records_->bad());
  records_.reset();
  lines_.reset();
  input_.reset();
  whole_ = false;
}

bool PageSource::next(RawPage& page) {
  for (;;) {
    page = {};
    if (records_) {
      if (next_record(page)) return true;
    } else if (lines_) {
      if (next_line(page)) return true;
    } else if (whole_) {
      whole_file(page, whole_kind_);
      close();
      return true;
    } else if (!open_next()) {
      return false;
    } else {
      continue;
    }
    close();
  }
}

bool PageSource::next_record(RawPage& page) {
  formats::WarcRecord record;
  while (records_->next(record)) {
    std::string_view type = record.type();
    if (type == "response")
      page.kind = PageKind::http_response;
    else if (type == "conversion")
      page.kind = PageKind::text;
    else if (type == "resource" && record.header("Content-Type").find("html") != std::string_view::npos)
      page.kind = PageKind::html;
    else
      continue;
    std::string_view id = record.header("WARC-Record-ID");
    if (id.starts_with('<') && id.ends_with('>')) id = id.substr(1, id.size() - 2);
    page.id = id;
    page.url = record.target_uri();
    page.date = record.date();
    page.input = records_->name();
    page.number = record.number;
    page.too_large = record.truncated;
    page.content = std::move(record.content);
    return true;
  }
  return false;
}

bool PageSource::next_line(RawPage& page) {
  std::string_view line;
  while (lines_->next(line)) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    page.kind = PageKind::json_line;
    page.content = line;
    page.input = input_->name();
    page.number = lines_->line_number();
    page.too_large = lines_->line_too_long();
    return true;
  }
  return false;
}

void PageSource::whole_file(RawPage& page, PageKind kind) {
  page.kind = kind;
  page.id = page.input = input_->name();
  page.number = 1;
  std::string buffer(64 << 10, '\0');
  for (size_t got; (got = input_->read(buffer)) > 0;) {
    if (page.content.size() + got > max_page_bytes_) {
      page.too_large = true;
      page.content.append(buffer, 0, max_page_bytes_ - page.content.size());
      return;
    }
    page.content.append(buffer, 0, got);
  }
}

}  // namespace llmkit::workflows
