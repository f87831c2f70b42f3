#include "formats/json.h"
#include "formats/jsonl.h"
#include "io/files.h"

namespace llmkit::formats {

DocumentReader::DocumentReader(const std::vector<std::string>& inputs, DocumentReaderOptions options)
    : inputs_(io::list_inputs(inputs, {".jsonl", ".ndjson", ".txt"})), options_(std::move(options)) {
  total_bytes_ = io::total_file_bytes(inputs_);
}

DocumentReader::~DocumentReader() = default;

bool DocumentReader::is_text(size_t input) const {
  return options_.plain || io::without_compression_suffix(inputs_[input]).ends_with(".txt");
}

bool DocumentReader::open_next() {
  if (input_) bytes_before_ += input_->bytes_in();
  lines_.reset();
  input_.reset();
  if (next_input_ == inputs_.size()) return false;
  input_ = io::open_input(inputs_[next_input_++], options_.limits);
  lines_ = std::make_unique<io::LineReader>(*input_, options_.max_line_bytes);
  return true;
}

uint64_t DocumentReader::bytes_in() const {
  return bytes_before_ + (input_ ? input_->bytes_in() : 0);
}

void DocumentReader::read_text_file(LineBatch& batch) {
  size_t begin = batch.bytes.size();
  batch.bytes += io::read_all(*input_, options_.max_text_file_bytes);
  batch.lines.push_back({begin, batch.bytes.size() - begin, 1, next_input_ - 1, false});
}

bool DocumentReader::next_batch(LineBatch& batch, size_t max_bytes) {
  batch.bytes.clear();
  batch.lines.clear();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  try {
    collect(batch, max_bytes);
  } catch (const Error&) {
    if (batch.lines.empty()) throw;
    failure_ = std::current_exception();  // what was read before the damage is delivered first
  }
  return !batch.lines.empty();
}

void DocumentReader::collect(LineBatch& batch, size_t max_bytes) {
  while (batch.bytes.size() < max_bytes) {
    if (!lines_ && !open_next()) break;
    size_t input = next_input_ - 1;
    std::string_view line;
    if (is_text(input) && options_.text_files == TextFiles::whole) {
      read_text_file(batch);
      lines_.reset();
    } else if (!lines_->next(line)) {
      lines_.reset();
    } else if (line.find_first_not_of(" \t") != std::string_view::npos) {
      bool too_long = lines_->line_too_long();
      if (too_long) line = line.substr(0, 80);
      batch.lines.push_back({batch.bytes.size(), line.size(), lines_->line_number(), input, too_long});
      batch.bytes += line;
    }
  }
}

Result<Document> DocumentReader::parse(const LineBatch& batch, size_t i) const {
  auto& line = batch.lines[i];
  std::string_view bytes = batch.line(i);
  if (line.too_long) return Refusal{"line-too-long", "more than " + std::to_string(options_.max_line_bytes) + " bytes"};
  if (!is_text(line.input)) return parse_document(bytes, options_.keys);
  // LineReader has taken the byte order mark of a file read by lines; further down the character is text.
  if (options_.text_files == TextFiles::whole && bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  if (!is_valid_utf8(bytes)) return Refusal{"invalid-utf8", "bytes that are no UTF-8"};
  Document document;
  document.id = inputs_[line.input];
  if (options_.text_files == TextFiles::lines) document.id += ":" + std::to_string(line.number);
  document.text = bytes;
  return document;
}

void DocumentReader::refuse(const LineBatch& batch, size_t i, const Refusal& refusal) {
  std::string name = inputs_[batch.lines[i].input];
  bad_.add(name == "-" ? "standard input" : name, batch.lines[i].number, refusal);
}

bool DocumentReader::next(Document& document) {
  while (true) {
    if (at_ == batch_.lines.size()) {
      if (!next_batch(batch_, size_t{256} << 10)) return false;
      at_ = 0;
    }
    auto parsed = parse(batch_, at_++);
    if (parsed) {
      document = *std::move(parsed);
      return true;
    }
    refuse(batch_, at_ - 1, parsed.refusal());
  }
}

}  // namespace llmkit::formats
