// Documents as JSON lines: parsing, writing, and reading many inputs in bounded memory. Unknown members pass through
// byte for byte. A bad line (not JSON, not UTF-8, no text) is counted, located and skipped; it never stops a command.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/bad_records.h"
#include "formats/document.h"
#include "io/input.h"
#include "io/line_reader.h"

namespace llmkit::formats {

// Under which keys the members are read; they are written back under the usual names.
struct DocumentKeys {
  std::string text = "text", id = "id", url = "url", source = "source", lang = "lang";
};

// Reasons: invalid-utf8, invalid-json, too-deep, not-an-object, missing-text, text-not-a-string.
Result<Document> parse_document(std::string_view line, const DocumentKeys& keys = {});

// Appends one line with its "\n": id, text, url, source, lang (those that are not empty; text always), then extra.
void write_document(std::string& out, const Document& document);

enum class TextFiles { whole, lines };  // a .txt file is one document, or one a line

struct DocumentReaderOptions {
  DocumentKeys keys;
  TextFiles text_files = TextFiles::whole;
  bool plain = false;  // every input is text, also standard input and files not named .txt
  size_t max_line_bytes = size_t{64} << 20;
  uint64_t max_text_file_bytes = uint64_t{1} << 30;
  io::InputLimits limits;
};

// Raw lines, so that a pipeline can parse them on many threads.
struct LineBatch {
  struct Line {
    size_t begin, length;  // in bytes
    int64_t number;        // from 1
    size_t input;          // index into DocumentReader::inputs()
    bool too_long;
  };
  std::string bytes;
  std::vector<Line> lines;
  std::string_view line(size_t i) const { return std::string_view(bytes).substr(lines[i].begin, lines[i].length); }
};

class DocumentReader {
 public:
  // Files (.jsonl and .txt, plain or compressed), folders of such files, "-". What does not exist is an Error at once.
  explicit DocumentReader(const std::vector<std::string>& inputs, DocumentReaderOptions options = {});
  ~DocumentReader();

  // The next good document; bad lines on the way are counted in bad().
  bool next(Document& document);

  // The next lines, blank ones left out, about `max_bytes` of them. Then parse() each, on any thread, and count the
  // refusals in order with bad().add(…) through refuse().
  bool next_batch(LineBatch& batch, size_t max_bytes = size_t{1} << 20);
  Result<Document> parse(const LineBatch& batch, size_t line) const;
  void refuse(const LineBatch& batch, size_t line, const Refusal& refusal);

  BadRecords& bad() { return bad_; }
  const std::vector<std::string>& inputs() const { return inputs_; }
  // The place of the document that next() returned last.
  const std::string& input_name() const { return inputs_[batch_.lines.empty() ? 0 : batch_.lines[at_ - 1].input]; }
  int64_t line_number() const { return batch_.lines.empty() ? 0 : batch_.lines[at_ - 1].number; }
  uint64_t bytes_in() const;                                // compressed bytes read so far, of all inputs
  uint64_t total_bytes_in() const { return total_bytes_; }  // 0 = unknown

 private:
  bool open_next();
  void collect(LineBatch& batch, size_t max_bytes);
  bool is_text(size_t input) const;
  void read_text_file(LineBatch& batch);

  std::vector<std::string> inputs_;
  DocumentReaderOptions options_;
  BadRecords bad_;
  size_t next_input_ = 0;
  std::unique_ptr<io::InputStream> input_;
  std::unique_ptr<io::LineReader> lines_;
  uint64_t bytes_before_ = 0, total_bytes_ = 0;
  LineBatch batch_;  // of next()
  size_t at_ = 0;
  std::exception_ptr failure_;  // of the input, kept until the lines before it are delivered
};

}  // namespace llmkit::formats
