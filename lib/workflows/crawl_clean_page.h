// What happens to one page, from bytes to a document or a reason.
#pragma once

#include <string>

#include "workflows/crawl_clean.h"

namespace llmkit::workflows {

struct PageOutcome {
  enum class Kind { kept, dropped, bad } kind = Kind::kept;
  std::string document;     // the line to write
  std::string reject;       // the line for --rejects
  std::string stage, rule;  // of a drop
  double value = 0, threshold = 0;
  Refusal refusal;                       // of a bad record
  std::string language, charset, label;  // label: URL or id
  uint64_t page_bytes = 0, extracted_bytes = 0, text_bytes = 0, characters = 0;
};

PageOutcome clean_page(RawPage& page, const CrawlCleanOptions& options, const clean::FilterChain& chain);

// The page as UTF-8 HTML or text, decoded as clean_page does; for --explain.
struct DecodedPage {
  std::string text;  // HTML where is_html
  bool is_html = true;
  std::string id, url, title, extra, source;
  std::string charset;
  bool id_is_raw = false;
};
// False with stage, rule, value and limit set (or refusal, kind bad) where the page is no page.
bool decode_page(RawPage& page, const CrawlCleanOptions& options, DecodedPage& decoded, PageOutcome& outcome);

}  // namespace llmkit::workflows
