// Any bytes as a page: charset, tree, blocks and text must come out of it, as valid UTF-8.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "clean/extract.h"
#include "text/charset.h"
#include "text/html_dom.h"
#include "text/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  text::Charset charset = text::detect_charset(bytes);
  std::string page = text::to_utf8(bytes, charset.name);
  if (!text::is_valid_utf8(page)) std::abort();
  text::HtmlDocument document;
  text::parse_html(
      page, document,
      {.scripting = size % 2 == 0, .max_depth = 16 + static_cast<uint32_t>(size % 40), .fragment_context = {}});
  (void)text::dump_tree(*document.root);
  clean::Extraction e = clean::extract_main_text(std::move(page), "",
                                                 {.markup = clean::Markup::markdown, .explain = true, .max_depth = 64});
  if (!text::is_valid_utf8(e.text)) std::abort();
  return 0;
}
