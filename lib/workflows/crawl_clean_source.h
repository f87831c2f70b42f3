// Raw pages of any input, in order. What an input is, its first bytes say: WARC, WET or ARC records, an HTML file, JSON
// lines, or plain text.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "formats/bad_records.h"
#include "formats/warc.h"
#include "io/input.h"
#include "io/line_reader.h"

namespace llmkit::workflows {

// Damaged records of several readers together.
struct BadTally {
  uint64_t total = 0;
  std::map<std::string, int64_t> by_reason;
  std::vector<std::string> first;  // located, at most BadRecords::kLocated
  void add(const formats::BadRecords& bad);
  void merge(const BadTally& other);
};

enum class PageKind { http_response, html, text, json_line };

struct RawPage {
  PageKind kind = PageKind::html;
  std::string content;  // the record's block, the file, or the line
  std::string id, url, date;
  std::string input;   // name of the file
  int64_t number = 0;  // record or line in it
  bool too_large = false;
};

class PageSource {
 public:
  // Expands folders; throws where a path does not exist.
  PageSource(const std::vector<std::string>& inputs, uint64_t max_page_bytes);

  bool next(RawPage& page);
  const std::vector<std::string>& inputs() const { return inputs_; }
  // Damaged records of the archives that are done (lines are judged where they are parsed).
  const BadTally& bad() const { return bad_; }
  uint64_t bytes_in() const;
  uint64_t total_bytes_in() const { return total_bytes_; }

 private:
  bool open_next();
  bool next_record(RawPage& page);
  bool next_line(RawPage& page);
  void whole_file(RawPage& page, PageKind kind);
  void close();

  std::vector<std::string> inputs_;
  uint64_t max_page_bytes_;
  size_t at_ = 0;
  uint64_t bytes_before_ = 0, total_bytes_ = 0;
  std::unique_ptr<io::InputStream> input_;
  std::unique_ptr<formats::WarcReader> records_;
  std::unique_ptr<io::LineReader> lines_;
  BadTally bad_;
  bool whole_ = false;
  PageKind whole_kind_ = PageKind::html;
};

}  // namespace llmkit::workflows
