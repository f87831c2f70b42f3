#include <algorithm>
#include <chrono>

#include "base/report.h"
#include "base/units.h"
#include "commands/tokenize_actions.h"
#include "io/files.h"
#include "io/output.h"
#include "tokenizer/compare.h"

namespace llmkit::cli {
namespace {

using tokenizer::Fit;

struct Column {
  std::string name;
  Fit fit;
  double bytes_per_second = 0;
};
using Rows = std::vector<std::vector<std::string>>;

std::string fixed(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

// One row a figure, one column a tokenizer.
Rows figures(const std::vector<Column>& columns) {
  Rows rows;
  auto row = [&](std::string name, auto&& value) {
    rows.push_back({std::move(name)});
    for (auto& c : columns) rows.back().push_back(value(c));
  };
  row("vocabulary", [](auto& c) { return std::to_string(c.fit.vocabulary); });
  row("tokens", [](auto& c) { return std::to_string(c.fit.coverage.tokens); });
  row("bytes per token", [](auto& c) { return fixed(c.fit.coverage.bytes_per_token(), 3); });
  row("tokens per word", [](auto& c) { return fixed(c.fit.coverage.tokens_per_word(), 3); });
  row("vocabulary used, %", [](auto& c) { return fixed(100 * c.fit.vocabulary_used(), 1); });
  row("Renyi efficiency", [](auto& c) { return fixed(c.fit.renyi, 4); });
  row("Shannon efficiency", [](auto& c) { return fixed(c.fit.shannon, 4); });
  row("unknown tokens", [](auto& c) { return std::to_string(c.fit.unknown_tokens); });
  row("documents changed", [](auto& c) { return std::to_string(c.fit.lossy_documents); });
  row("encoding, MB/s", [](auto& c) { return fixed(c.bytes_per_second / 1e6, 1); });
  return rows;
}

// Fertility: tokens a word and a character.
Rows languages(const std::vector<Column>& columns) {
  Rows rows;
  for (size_t i = 0; i < columns[0].fit.languages.size(); ++i) {
    auto& first = columns[0].fit.languages[i];  // the same languages in the same order for every tokenizer
    rows.push_back({first.language, std::to_string(first.documents)});
    for (auto& c : columns) rows.back().push_back(fixed(c.fit.languages[i].tokens_per_word(), 2));
    for (auto& c : columns) rows.back().push_back(fixed(c.fit.languages[i].tokens_per_character(), 3));
  }
  return rows;
}

// Few tokens are no gain where they stand for what the vocabulary does not know.
std::string cost(const tokenizer::ScriptCoverage& script) {
  std::string text = fixed(script.tokens_per_character(), 3);
  return script.unknown_share() >= 0.005 ? text + " (" + fixed(100 * script.unknown_share(), 0) + "% unknown)" : text;
}

// Tokens a character, the script that is worst for any of them first.
Rows scripts(const std::vector<Column>& columns) {
  std::vector<std::vector<tokenizer::ScriptCoverage>> found;  // one a tokenizer
  for (auto& script : columns[0].fit.coverage.scripts) {
    found.emplace_back();
    for (auto& c : columns)
      for (auto& other : c.fit.coverage.scripts)
        if (other.name == script.name) found.back().push_back(other);
  }
  auto worse = [](auto& a, auto& b) { return b.worse_than(a); };
  std::stable_sort(found.begin(), found.end(), [&](auto& a, auto& b) {
    return std::max_element(a.begin(), a.end(), worse)->worse_than(*std::max_element(b.begin(), b.end(), worse));
  });
  Rows rows;
  for (auto& script : found) {
    rows.push_back({std::string(script[0].name), std::to_string(script[0].characters)});
    for (auto& of_one : script) rows.back().push_back(cost(of_one));
  }
  return rows;
}

size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string text_table(const std::vector<std::string>& headers, const Rows& rows) {
  std::vector<size_t> widths;
  for (auto& header : headers) widths.push_back(width_of(header));
  for (auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::string out;
  auto line = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) {
      std::string padding(widths[i] - width_of(cells[i]), ' ');
      out += i == 0 ? cells[i] + padding : "  " + padding + cells[i];
    }
    out += '\n';
  };
  line(headers);
  for (auto& row : rows) line(row);
  return out;
}

struct Table {
  std::string title;
  std::vector<std::string> headers;
  Rows rows;
};

std::vector<Table> tables(const std::vector<Column>& columns) {
  std::vector<std::string> names, per_word, per_character;
  for (auto& c : columns) {
    names.push_back(c.name);
    per_word.push_back(c.name + "/word");
    per_character.push_back(c.name + "/char");
  }
  auto with = [](std::vector<std::string> first, const std::vector<std::string>& more) {
    first.insert(first.end(), more.begin(), more.end());
    return first;
  };
  return {{"The whole text", with({""}, names), figures(columns)},
          {"Tokens per word and per character, by language",
           with(with({"language", "documents"}, per_word), per_character), languages(columns)},
          {"Tokens per character, by script, the worst covered first", with({"script", "characters"}, names),
           scripts(columns)}};
}

void draw(Report& report, const std::vector<Column>& columns) {
  auto bars = [&](const std::string& title, auto&& value) {
    std::vector<Bar> out;
    for (auto& c : columns) out.push_back({c.name, value(c)});
    ChartOptions options;
    options.title = title;
    options.from_zero = true;
    report.bar_chart(options, out);
  };
  bars("Bytes per token (more is shorter)", [](auto& c) { return c.fit.coverage.bytes_per_token(); });
  bars("Renyi efficiency, order 2.5", [](auto& c) { return c.fit.renyi; });
  bars("Vocabulary used, %", [](auto& c) { return 100 * c.fit.vocabulary_used(); });
  constexpr size_t kMostLanguages = 12;
  for (auto& c : columns) {
    std::vector<Bar> out;
    for (auto& language : c.fit.languages)
      if (out.size() < kMostLanguages) out.push_back({language.language, language.tokens_per_character()});
    ChartOptions options;
    options.title = "Tokens per character by language: " + c.name;
    options.from_zero = true;
    report.bar_chart(options, out);
  }
}

double encoding_rate(const tokenizer::Tokenizer& tokenizer, const std::vector<tokenizer::Sample>& samples) {
  using Clock = std::chrono::steady_clock;
  std::vector<int32_t> ids;
  double bytes = 0;
  auto start = Clock::now();
  for (auto& sample : samples) {
    ids.clear();
    tokenizer.encode(sample.text, ids);
    bytes += static_cast<double>(sample.text.size());
  }
  double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return seconds > 0 ? bytes / seconds : 0;
}

}  // namespace

ExitCode compare_tokenizers(Context& context, const Common& common, const CompareRequest& request) {
  std::vector<tokenizer::Sample> samples;
  uint64_t bytes = 0;
  formats::DocumentReader reader(request.inputs, request.reader);
  for (formats::Document document; bytes < request.max_bytes && reader.next(document); document = {}) {
    if (document.text.empty()) continue;
    bytes += document.text.size();
    samples.push_back({std::move(document.text), std::move(document.lang)});
  }
  if (samples.empty()) {
    const auto& damaged = reader.bad().first();
    throw Error(ErrorParts{"no text to compare on",
                           request.inputs.front(),
                           {},
                           damaged.empty() ? "" : damaged.front(),
                           damaged.empty() ? "" : "--plain reads any file as text, not only .txt"});
  }
  std::vector<Column> columns;
  for (auto& path : request.tokenizers) {
    context.progress.update(static_cast<double>(columns.size()), static_cast<double>(request.tokenizers.size()),
                            "tokenizers", path);
    auto tokenizer = tokenizer::Tokenizer::load(path);
    columns.push_back({path, measure_fit(context.parallel, tokenizer, samples), encoding_rate(tokenizer, samples)});
  }
  auto out = io::create_output(common.output, {.replace = common.force});
  Report report("Tokenizers compared",
                format_count(samples.size()) + " documents, " + format_bytes(static_cast<double>(bytes)));
  draw(report, columns);
  for (auto& table : tables(columns)) {
    out->write(table.title + "\n" + text_table(table.headers, table.rows) + "\n");
    report.heading(table.title);
    report.table(table.headers, table.rows);
  }
  report.paragraph(
      "Words are runs between white space. Renyi efficiency is the entropy of order 2.5 of the tokens over "
      "the logarithm of the vocabulary; a document is changed when decoding does not give it back.");
  out->finish();
  if (!common.report.empty()) io::write_file_atomically(common.report, report.html());

  Summary s;
  s.kept = samples.size();
  s.bad = static_cast<uint64_t>(reader.bad().total());
  s.bad_examples = reader.bad().first();
  s.in = s.kept + s.bad;
  s.bytes_in = bytes;
  s.written = common.output;
  s.inputs = request.inputs;
  s.outputs = {common.output};
  if (!common.report.empty()) s.outputs.push_back(common.report);
  for (size_t i = 0; i < columns.size(); ++i)
    s.metrics.push_back({"bytes_per_token_" + std::to_string(i + 1), columns[i].fit.coverage.bytes_per_token()});
  return common.finish(s);
}

}  // namespace llmkit::cli
