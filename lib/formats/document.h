// A document: one line of a JSONL corpus.
#pragma once

#include <string>

namespace llmkit::formats {

struct Document {
  std::string id, text, url, source, lang;  // empty: the line has none
  std::string extra;       // the other members as raw JSON, byte for byte, comma separated: "\"meta\": {}, \"n\":1"
  bool id_is_raw = false;  // the line's id was no string (7, not "7") and is written back without quotes
};

}  // namespace llmkit::formats
