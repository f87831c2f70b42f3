#include <cstdio>

#include "text/language.h"
#include "text/utf8.h"
#include "workflows/crawl_clean_page.h"

namespace llmkit::workflows {
namespace {

template <class... T>
void line(std::string& out, const char* format, T... values) {
  char text[512];
  std::snprintf(text, sizeof text, format, values...);
  out += text;
}

void explain_blocks(std::string& out, const clean::Extraction& extraction) {
  out += "\nblocks (+ kept, - dropped; probability; words; share of words in links; kind)\n";
  for (const clean::BlockScore& b : extraction.blocks) {
    std::string text = printable(b.text, 90);
    line(out, "%c %.2f %5u %3.0f%% %-9s ", b.kept ? '+' : '-', b.probability, b.words, 100 * b.link_density,
         b.kind.c_str());
    out += text + "\n                            " + printable(b.path, 100) + "\n                            because:";
    for (auto& [name, amount] : b.reasons) line(out, " %s %+.2f;", name.c_str(), amount);
    out += "\n";
  }
}

}  // namespace

std::string explain_page(const CrawlCleanOptions& options, const std::string& which, Context& context) {
  clean::FilterChain chain(options.recipe, options.filters);
  PageSource source(options.inputs, options.max_page_bytes);
  RawPage page;
  while (!context.stop.requested() && source.next(page)) {
    PageOutcome outcome;
    DecodedPage decoded;
    bool good = decode_page(page, options, decoded, outcome);
    if (decoded.url.find(which) == std::string::npos && decoded.id.find(which) == std::string::npos) continue;
    std::string out = "page " + printable(decoded.url.empty() ? decoded.id : decoded.url, 200) + "\n";
    line(out, "from %s, record %lld\n", printable(page.input, 200).c_str(), static_cast<long long>(page.number));
    if (!good) {
      if (outcome.kind == PageOutcome::Kind::bad)
        return out + "damaged: " + outcome.refusal.reason + ": " + printable(outcome.refusal.detail, 200) + "\n";
      line(out, "dropped before extraction: %s %s: %g (limit %g)\n", outcome.stage.c_str(), outcome.rule.c_str(),
           outcome.value, outcome.threshold);
      return out;
    }
    clean::FilterDocument document;
    document.url = decoded.url;
    out += "charset " + decoded.charset + "\n";
    if (decoded.is_html) {
      clean::Extraction extraction = clean::extract_main_text(
          std::move(decoded.text), decoded.url, {.markup = options.markup, .explain = true, .max_depth = 256});
      line(out, "title %s\n%u of %u blocks kept\n", printable(extraction.title, 200).c_str(), extraction.blocks_kept,
           extraction.blocks_total);
      explain_blocks(out, extraction);
      document.text = std::move(extraction.text);
    } else {
      document.text = std::move(decoded.text);
    }
    text::LanguageGuess guess = text::identify_language(document.text);
    document.language = guess.code;
    document.language_score = guess.score;
    line(out, "\nlanguage %s, score %.2f\n", std::string(guess.code).c_str(), guess.score);
    line(out, "text %zu characters, %.0f words\n", static_cast<size_t>(document.stats().characters),
         document.stats().plain_word_count());
    out += "\nfilters\n";
    for (const std::string& spec : chain.specs()) {  // each one alone, so that an early drop hides no later one
      auto filter = clean::filters().make(spec);
      auto drop = filter->apply(document);
      if (drop)
        line(out, "- %s: %s %.4g, limit %.4g\n", spec.c_str(), std::string(drop->rule).c_str(), drop->value,
             drop->threshold);
      else
        line(out, "+ %s\n", spec.c_str());
    }
    return out + "\ntext\n" + document.text;
  }
  return {};
}

}  // namespace llmkit::workflows
