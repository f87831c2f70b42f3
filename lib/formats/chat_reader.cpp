#include "formats/chat.h"
#include "io/files.h"

namespace llmkit::formats {
namespace {

// Gives back what was read ahead to look at the first byte.
class Replayed : public io::InputStream {
 public:
  explicit Replayed(std::unique_ptr<io::InputStream> input) : input_(std::move(input)) {
    char buffer[4096];
    size_t got;
    do {
      got = input_->read(buffer);
      head_.append(buffer, got);
    } while (got > 0 && first() == '\0');
  }
  char first() const {  // the first byte that is no white space; '\0' where there is none so far
    size_t at = head_.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    return at == std::string::npos ? '\0' : head_[at];
  }
  size_t read(std::span<char> buffer) override {
    if (at_ == head_.size()) return input_->read(buffer);
    size_t n = head_.copy(buffer.data(), buffer.size(), at_);
    at_ += n;
    return n;
  }
  const std::string& name() const override { return input_->name(); }
  uint64_t bytes_in() const override { return input_->bytes_in(); }
  uint64_t total_bytes_in() const override { return input_->total_bytes_in(); }

 private:
  std::unique_ptr<io::InputStream> input_;
  std::string head_;
  size_t at_ = 0;
};

}  // namespace

ConversationReader::ConversationReader(const std::vector<std::string>& inputs, io::InputLimits limits)
    : inputs_(io::list_inputs(inputs, {".jsonl", ".ndjson", ".json"})), limits_(limits) {}

ConversationReader::~ConversationReader() = default;

bool ConversationReader::open_next() {
  array_.clear();
  at_ = 0;
  is_array_ = false;
  lines_.reset();
  input_.reset();
  if (next_input_ == inputs_.size()) return false;
  auto replayed = std::make_unique<Replayed>(io::open_input(inputs_[next_input_++], limits_));
  is_array_ = replayed->first() == '[';
  input_ = std::move(replayed);
  if (is_array_) {
    std::string text = io::read_all(*input_);
    std::string_view json = text;
    if (json.starts_with("\xEF\xBB\xBF")) json.remove_prefix(3);
    array_ = parse_json(json, input_->name()).as_array();
  } else {
    lines_ = std::make_unique<io::LineReader>(*input_);
  }
  return true;
}

void ConversationReader::refuse(int64_t number, const Refusal& refusal) {
  bad_.add(input_->name(), number, refusal);
}

bool ConversationReader::next(Conversation& conversation) {
  while (true) {
    if (is_array_ && at_ < array_.size()) {
      auto parsed = parse_conversation(array_[at_++]);
      if (!parsed) {
        refuse(static_cast<int64_t>(at_), parsed.refusal());
        continue;
      }
      conversation = *std::move(parsed);
      return true;
    }
    std::string_view line;
    if (!is_array_ && lines_ && lines_->next(line)) {
      if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
      auto parsed = lines_->line_too_long() ? Result<Conversation>(Refusal{"line-too-long", "more than 64 MiB"})
                                            : parse_conversation_line(line);
      if (!parsed) {
        refuse(lines_->line_number(), parsed.refusal());
        continue;
      }
      conversation = *std::move(parsed);
      return true;
    }
    if (!open_next()) return false;
  }
}

}  // namespace llmkit::formats
