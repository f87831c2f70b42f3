#include "workflows/crawl_clean_page.h"

#include <algorithm>

#include "base/hash.h"
#include "base/json_writer.h"
#include "formats/http.h"
#include "formats/jsonl.h"
#include "text/charset.h"
#include "text/language.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace llmkit::workflows {
namespace {

using Kind = PageOutcome::Kind;

bool drop(PageOutcome& out, std::string stage, std::string rule, double value, double threshold) {
  out.kind = Kind::dropped;
  out.stage = std::move(stage);
  out.rule = std::move(rule);
  out.value = value;
  out.threshold = threshold;
  return false;
}

bool refuse(PageOutcome& out, Refusal refusal) {
  out.kind = Kind::bad;
  out.refusal = std::move(refusal);
  return false;
}

bool is_html_type(std::string_view content_type, std::string_view body) {
  std::string type = text::to_lower(content_type.substr(0, content_type.find(';')));
  if (type.find("html") != std::string::npos) return true;
  if (!text::trim(type).empty()) return false;
  size_t first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && body[first] == '<';
}

void decode_bytes(std::string_view bytes, std::string_view content_type, DecodedPage& page) {
  text::Charset charset = text::detect_charset(bytes, content_type);
  page.charset = charset.name;
  page.text = text::to_utf8(bytes, charset.name);
}

// Control characters other than tab and newline go, CR LF becomes LF, runs of blank lines become one; NFC.
std::string tidy(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (size_t at = 0; at < raw.size(); ++at) {
    char c = raw[at];
    if (c == '\r') {
      if (at + 1 < raw.size() && raw[at + 1] == '\n') continue;
      c = '\n';
    }
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') || c == 0x7F) continue;
    if (c == '\n') {
      while (!out.empty() && (out.back() == ' ' || out.back() == '\t')) out.pop_back();
      if (out.size() >= 2 && out.back() == '\n' && out[out.size() - 2] == '\n') continue;
      if (out.empty()) continue;
    }
    out += c;
  }
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ' || out.back() == '\t')) out.pop_back();
  if (!text::is_normalized(out, text::Form::nfc)) out = text::normalize(out, text::Form::nfc);
  return out;
}

std::string member(std::string_view key, std::string_view value) {
  return json_quote(key) + ": " + json_quote(value);
}

void write_reject(PageOutcome& out, const DecodedPage& page) {
  JsonWriter json(out.reject);
  json.begin_object();
  if (!page.id.empty()) json.member("id", page.id);
  if (!page.url.empty()) json.member("url", page.url);
  json.member("stage", out.stage)
      .member("rule", out.rule)
      .member("value", out.value)
      .member("threshold", out.threshold);
  if (out.language != "und" && !out.language.empty()) json.member("lang", out.language);
  if (out.characters > 0) json.member("characters", out.characters);
  json.end_object();
  out.reject += '\n';
}

}  // namespace

bool decode_page(RawPage& page, const CrawlCleanOptions& options, DecodedPage& decoded, PageOutcome& out) {
  decoded.id = page.id;
  decoded.url = page.url;
  decoded.source = page.input;
  if (page.kind == PageKind::json_line) {
    if (page.too_large) return refuse(out, {"line-too-long", std::to_string(page.content.size()) + " bytes"});
    auto parsed = formats::parse_document(page.content);
    if (!parsed) return refuse(out, parsed.refusal());
    decoded.id = parsed->id;
    decoded.id_is_raw = parsed->id_is_raw;
    decoded.url = parsed->url;
    decoded.source = parsed->source;
    decoded.extra = std::move(parsed->extra);
    decoded.text = std::move(parsed->text);
    decoded.charset = "UTF-8";
    decoded.is_html = options.raw_text;
    out.page_bytes = decoded.text.size();
    return true;
  }
  if (page.too_large)
    return drop(out, "page", "max-page-bytes", static_cast<double>(page.content.size()),
                static_cast<double>(options.max_page_bytes));
  if (!page.date.empty()) decoded.extra = member("date", page.date);
  if (page.kind == PageKind::text) {
    decoded.is_html = false;
    decoded.charset = "UTF-8";
    decoded.text = text::repair_utf8(page.content);
  } else if (page.kind == PageKind::html) {
    decode_bytes(page.content, {}, decoded);
  } else {
    auto response = formats::parse_http_response(page.content, options.max_page_bytes);
    if (!response) return refuse(out, response.refusal());
    if (response->status != 200) return drop(out, "page", "http-status", response->status, 200);
    if (!is_html_type(response->header("Content-Type"), response->body)) return drop(out, "page", "not-html", 0, 0);
    out.page_bytes = response->body.size();
    decode_bytes(response->body, response->header("Content-Type"), decoded);
  }
  if (out.page_bytes == 0) out.page_bytes = page.content.size();
  return true;
}

PageOutcome clean_page(RawPage& page, const CrawlCleanOptions& options, const clean::FilterChain& chain) {
  PageOutcome out;
  DecodedPage decoded;
  bool good = decode_page(page, options, decoded, out);
  clean::FilterDocument document;
  if (good) {
    out.charset = decoded.charset;
    if (decoded.is_html) {
      clean::Extraction extraction = clean::extract_main_text(
          std::move(decoded.text), decoded.url, {.markup = options.markup, .explain = false, .max_depth = 256});
      decoded.title = std::move(extraction.title);
      document.text = tidy(extraction.text);
    } else {
      document.text = tidy(decoded.text);
    }
    if (decoded.id.empty()) decoded.id = hex(xxh3_128(decoded.url.empty() ? document.text : decoded.url));
    document.url = decoded.url;
    out.extracted_bytes = document.text.size();
    if (document.text.empty()) good = drop(out, "extract", "empty", 0, 1);
  }
  if (good) {
    text::LanguageGuess guess = text::identify_language(document.text);
    document.language = out.language = guess.code;
    document.language_score = guess.score;
    if (auto verdict = chain.apply(document))
      good = drop(out, "filter", chain.names()[verdict->filter] + ":" + std::string(verdict->drop.rule),
                  verdict->drop.value, verdict->drop.threshold);
  }
  out.label = decoded.url.empty() ? decoded.id : decoded.url;
  out.characters = document.text.empty() ? 0 : text::count_code_points(document.text);
  if (out.kind == Kind::bad) return out;
  if (!good) {
    if (!options.rejects.empty()) write_reject(out, decoded);
    return out;
  }
  out.text_bytes = document.text.size();
  formats::Document line;
  line.id = std::move(decoded.id);
  line.id_is_raw = decoded.id_is_raw;
  line.text = std::move(document.text);
  line.url = std::move(decoded.url);
  line.source = std::move(decoded.source);
  line.lang = document.language;
  line.extra = std::move(decoded.extra);
  if (!decoded.title.empty()) line.extra += (line.extra.empty() ? "" : ", ") + member("title", decoded.title);
  formats::write_document(out.document, line);
  return out;
}

}  // namespace llmkit::workflows
