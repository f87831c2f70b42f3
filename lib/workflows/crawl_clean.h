// Pages in, clean documents out: archives, HTML files or JSON lines are read in order, worked on by all threads
// (charset, main text, language, filters) and written in order, in bounded memory. The output does not depend on the
// thread count.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/report.h"
#include "clean/extract.h"
#include "clean/filter.h"
#include "workflows/crawl_clean_source.h"

namespace llmkit::workflows {

struct CrawlCleanOptions {
  std::vector<std::string> inputs;
  std::string output = "-";
  std::string rejects;  // JSONL of what was dropped and why; empty: none
  std::string recipe = "fineweb-v1";
  std::vector<std::string> filters;  // specs that replace or follow the recipe's
  clean::Markup markup = clean::Markup::plain;
  uint64_t max_page_bytes = uint64_t{8} << 20;
  bool raw_text = false;  // the text of JSON lines is HTML, too
};

struct RuleCount {
  uint64_t documents = 0;
  std::vector<std::string> examples;  // "VALUE (limit T): URL", the first few
};

// Counts; sums of batches are taken in input order.
struct CrawlCleanCounts {
  uint64_t pages = 0, kept = 0, dropped = 0;
  uint64_t page_bytes = 0;                    // of HTML or text, decompressed
  uint64_t text_bytes = 0;                    // of kept text
  uint64_t extracted_bytes = 0;               // of text before the filters
  std::map<std::string, RuleCount> rules;     // "filter gopher-quality:min-words"
  std::map<std::string, uint64_t> languages;  // of kept documents
  std::map<std::string, uint64_t> charsets;
  std::array<uint64_t, 24> length_buckets{};  // of kept documents: [2^k, 2^(k+1)) characters
  void add(const CrawlCleanCounts& other);
};

struct CrawlCleanResult {
  CrawlCleanCounts counts;
  BadTally bad;
  uint64_t bytes_in = 0, bytes_out = 0;
  double seconds = 0;
  bool interrupted = false;
  std::vector<std::string> inputs;   // expanded
  std::vector<std::string> filters;  // specs in order
};

CrawlCleanResult crawl_clean(const CrawlCleanOptions& options, Context& context);

// The funnel, the rules with examples, lengths, languages and charsets.
Report crawl_clean_report(const CrawlCleanResult& result);

// What would happen to the first page whose URL or id contains `which`: every block with its score and reasons, and
// what each filter says. "" takes the first page.
std::string explain_page(const CrawlCleanOptions& options, const std::string& which, Context& context);

}  // namespace llmkit::workflows
