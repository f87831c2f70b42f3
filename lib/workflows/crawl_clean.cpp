#include "workflows/crawl_clean.h"

#include <algorithm>
#include <bit>
#include <chrono>

#include "io/output.h"
#include "workflows/crawl_clean_page.h"

namespace llmkit::workflows {
namespace {

constexpr size_t kBatchBytes = size_t{1} << 19;
constexpr size_t kBatchPages = 16;
constexpr size_t kExamples = 3;

struct Batch {
  std::vector<RawPage> pages;
  std::string documents, rejects;
  CrawlCleanCounts counts;
  formats::BadRecords bad;
};

void count_outcome(const PageOutcome& out, CrawlCleanCounts& counts) {
  ++counts.pages;
  counts.page_bytes += out.page_bytes;
  counts.extracted_bytes += out.extracted_bytes;
  if (!out.charset.empty()) ++counts.charsets[out.charset];
  if (out.kind == PageOutcome::Kind::kept) {
    ++counts.kept;
    counts.text_bytes += out.text_bytes;
    ++counts.languages[out.language];
    size_t bucket = out.characters == 0 ? 0 : static_cast<size_t>(std::bit_width(out.characters)) - 1;
    ++counts.length_buckets[std::min(bucket, counts.length_buckets.size() - 1)];
  } else if (out.kind == PageOutcome::Kind::dropped) {
    ++counts.dropped;
    RuleCount& rule = counts.rules[out.stage + " " + out.rule];
    ++rule.documents;
    if (rule.examples.size() < kExamples) {
      char text[96];
      std::snprintf(text, sizeof text, "%.4g (limit %.4g): ", out.value, out.threshold);
      rule.examples.push_back(text + out.label);
    }
  }
}

void work(Batch& batch, const CrawlCleanOptions& options, const clean::FilterChain& chain) {
  for (RawPage& page : batch.pages) {
    PageOutcome out = clean_page(page, options, chain);
    count_outcome(out, batch.counts);
    if (out.kind == PageOutcome::Kind::bad) batch.bad.add(page.input, page.number, out.refusal);
    batch.documents += out.document;
    batch.rejects += out.reject;
    page.content = std::string();
  }
}

}  // namespace

void CrawlCleanCounts::add(const CrawlCleanCounts& other) {
  pages += other.pages;
  kept += other.kept;
  dropped += other.dropped;
  page_bytes += other.page_bytes;
  text_bytes += other.text_bytes;
  extracted_bytes += other.extracted_bytes;
  for (auto& [name, rule] : other.rules) {
    RuleCount& mine = rules[name];
    mine.documents += rule.documents;
    for (auto& example : rule.examples)
      if (mine.examples.size() < kExamples) mine.examples.push_back(example);
  }
  for (auto& [name, count] : other.languages) languages[name] += count;
  for (auto& [name, count] : other.charsets) charsets[name] += count;
  for (size_t i = 0; i < length_buckets.size(); ++i) length_buckets[i] += other.length_buckets[i];
}

CrawlCleanResult crawl_clean(const CrawlCleanOptions& options, Context& context) {
  auto start = std::chrono::steady_clock::now();
  CrawlCleanResult result;
  clean::FilterChain chain(options.recipe, options.filters);
  result.filters = chain.specs();
  PageSource source(options.inputs, options.max_page_bytes);
  result.inputs = source.inputs();
  auto output = io::create_output(options.output, {.replace = context.force});
  std::unique_ptr<io::OutputStream> rejects;
  if (!options.rejects.empty()) rejects = io::create_output(options.rejects, {.replace = context.force});

  bool ended = false;
  auto next_batch = [&](Batch& batch) {
    if (context.stop.requested()) result.interrupted = true;
    if (ended || result.interrupted) return false;
    size_t bytes = 0;
    while (bytes < kBatchBytes && batch.pages.size() < kBatchPages) {
      RawPage page;
      if (!source.next(page)) {
        ended = true;
        break;
      }
      bytes += page.content.size();
      batch.pages.push_back(std::move(page));
    }
    return !batch.pages.empty();
  };
  auto take_batch = [&](Batch& batch) {
    result.counts.add(batch.counts);
    result.bad.add(batch.bad);
    output->write(batch.documents);
    if (rejects) rejects->write(batch.rejects);
    context.progress.update(static_cast<double>(source.bytes_in()), static_cast<double>(source.total_bytes_in()),
                            "bytes", std::to_string(result.counts.kept) + " kept");
  };
  context.parallel.pipeline<Batch>(
      4 * context.parallel.threads() + 4, next_batch, [&](Batch& b) { work(b, options, chain); }, take_batch);
  output->finish();
  if (rejects) rejects->finish();
  result.bad.merge(source.bad());
  result.bytes_in = source.bytes_in();
  result.bytes_out = output->bytes_out();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace llmkit::workflows
