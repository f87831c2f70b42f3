#include "formats/jsonl.h"

#include <simdjson.h>

#include <cstring>

#include "formats/json.h"

namespace llmkit::formats {
namespace {

constexpr size_t kMaxDepth = 256;

// Scratch memory of the parser, one a thread, so that parse_document costs no allocation; it carries nothing over.
struct ParserScratch {
  simdjson::dom::parser parser;
  std::string padded;
};

// Walks the members of an object that simdjson has accepted, to find where each begins and ends in the line. It need
// not check anything again, but it never reads past the end.
class MemberWalker {
 public:
  explicit MemberWalker(std::string_view line) : s_(line) { i_ = line.find('{') + 1; }

  struct Member {
    std::string_view whole;  // from the quote of the key to the end of the value
    std::string_view value;
  };
  Member next() {
    skip_to('"');
    size_t begin = i_;
    skip_string();
    skip_to(':');
    ++i_;
    skip_space();
    size_t value = i_;
    skip_value();
    size_t end = i_;
    skip_to(',');
    return {s_.substr(begin, end - begin), s_.substr(value, end - value)};
  }

 private:
  char at() const { return i_ < s_.size() ? s_[i_] : '\0'; }
  void skip_space() {
    while (at() == ' ' || at() == '\t' || at() == '\n' || at() == '\r') ++i_;
  }
  void skip_to(char c) {
    while (i_ < s_.size() && s_[i_] != c) ++i_;
  }
  void skip_string() {
    ++i_;
    while (i_ < s_.size()) {
      auto* quote = static_cast<const char*>(std::memchr(s_.data() + i_, '"', s_.size() - i_));
      if (!quote) break;
      size_t end = static_cast<size_t>(quote - s_.data()), slashes = 0;
      while (end - slashes > i_ && s_[end - slashes - 1] == '\\') ++slashes;
      i_ = end + 1;
      if (slashes % 2 == 0) return;
    }
    i_ = s_.size();
  }
  void skip_value() {
    if (at() == '"') return skip_string();
    if (at() != '{' && at() != '[') {
      i_ = std::min(s_.find_first_of(",} \t\r\n", i_), s_.size());
      return;
    }
    size_t depth = 0;
    while (i_ < s_.size()) {
      char c = s_[i_];
      if (c == '"') {
        skip_string();
        continue;
      }
      ++i_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return;
    }
  }

  std::string_view s_;
  size_t i_;
};

Refusal refusal_of(simdjson::error_code status, std::string_view line) {
  std::string detail = simdjson::error_message(status);
  if (status == simdjson::UTF8_ERROR) return {"invalid-utf8", detail};
  if (status == simdjson::DEPTH_ERROR)
    return {"too-deep", "nested deeper than " + std::to_string(kMaxDepth) + " levels"};
  // A damaged string often is both; what a person wants to know first is that the bytes are wrong.
  if (!is_valid_utf8(line)) return {"invalid-utf8", "bytes that are no UTF-8"};
  return {"invalid-json", detail};
}

// Where the member's value goes, or nullptr for a member that just passes through.
std::string* known_member(Document& document, std::string_view key, const DocumentKeys& keys) {
  if (key == keys.id) return &document.id;
  if (key == keys.url) return &document.url;
  if (key == keys.source) return &document.source;
  if (key == keys.lang) return &document.lang;
  return nullptr;
}

void append_extra(std::string& extra, std::string_view member) {
  if (!extra.empty()) extra += ", ";
  extra += member;
}

void write_member(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  if (out.back() != '{') out += ", ";
  out.append("\"").append(key).append("\": ");
  append_json_string(out, value);
}

}  // namespace

Result<Document> parse_document(std::string_view line, const DocumentKeys& keys) {
  thread_local ParserScratch scratch;
  scratch.padded.assign(line);
  scratch.padded.append(simdjson::SIMDJSON_PADDING, '\0');
  auto& parser = scratch.parser;
  if (parser.max_depth() != kMaxDepth || parser.capacity() < line.size()) {
    if (auto status = parser.allocate(std::max<size_t>(line.size(), 4096), kMaxDepth)) return refusal_of(status, line);
  }
  simdjson::dom::element root;
  if (auto status = parser.parse(scratch.padded.data(), line.size(), false).get(root)) return refusal_of(status, line);
  simdjson::dom::object object;
  if (root.get_object().get(object)) return Refusal{"not-an-object", "the line is JSON, but no object"};

  Document document;
  bool has_text = false, text_is_string = true;
  MemberWalker walker(line);
  for (auto field : object) {
    auto member = walker.next();
    std::string_view value;
    bool is_string = field.value.get_string().get(value) == simdjson::SUCCESS;
    if (field.key == keys.text) {
      has_text = true;
      text_is_string = is_string;
      document.text = value;
      continue;
    }
    std::string* known = known_member(document, field.key, keys);
    if (known && is_string) {
      *known = value;
      if (known == &document.id) document.id_is_raw = false;
    } else if (known == &document.id && !field.value.is_null()) {
      document.id = member.value;
      document.id_is_raw = true;
    } else if (!known || !field.value.is_null()) {
      append_extra(document.extra, member.whole);
    }
  }
  if (!has_text) return Refusal{"missing-text", "no member \"" + keys.text + "\""};
  if (!text_is_string) return Refusal{"text-not-a-string", "\"" + keys.text + "\" is no string"};
  return document;
}

void write_document(std::string& out, const Document& document) {
  out += '{';
  if (document.id_is_raw) {
    out.append("\"id\": ").append(document.id);
  } else {
    write_member(out, "id", document.id);
  }
  if (out.back() != '{') out += ", ";
  out += "\"text\": ";
  append_json_string(out, document.text);
  write_member(out, "url", document.url);
  write_member(out, "source", document.source);
  write_member(out, "lang", document.lang);
  if (!document.extra.empty()) out.append(", ").append(document.extra);
  out += "}\n";
}

}  // namespace llmkit::formats
