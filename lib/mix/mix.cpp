#include "mix/mix.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "base/hash.h"
#include "base/rng.h"
#include "base/units.h"
#include "mix/store.h"

namespace llmkit::mix {
namespace {

constexpr uint64_t kDrawStream = 0x6D69782D64726177, kOrderStream = 0x6D69782D6F7264;

uint64_t memory_budget(const Context& context) {
  return context.memory_bytes ? context.memory_bytes : uint64_t{4} << 30;
}

SourceSpec parse_source(const std::string& text) {
  auto bad = [&](std::string what) {
    return UsageError(ErrorParts{std::move(what),
                                 "source '" + text + "'",
                                 "NAME=PATH or NAME=PATH:WEIGHT",
                                 {},
                                 "for example web=docs.jsonl.zst:4"});
  };
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw bad("has no name");
  SourceSpec source{text.substr(0, equals), {}, 0};
  std::string path = text.substr(equals + 1);
  // What follows the last colon is the weight where it is a number: paths may hold colons.
  if (size_t colon = path.rfind(':'); colon != std::string::npos) {
    const char* begin = path.data() + colon + 1;
    double weight = 0;
    auto [end, status] = std::from_chars(begin, path.data() + path.size(), weight);
    if (status == std::errc() && end == path.data() + path.size()) {
      if (!(weight > 0) || !std::isfinite(weight)) throw bad("has a weight that is not above 0");
      source.weight = weight;
      path.resize(colon);
    }
  }
  if (path.empty()) throw bad("has no path");
  source.paths.push_back(path);
  return source;
}

// Fills what the store and the held-out set say about each source.
void count_sources(const MixOptions& options, const Store& store, const std::vector<bool>& held_out,
                   MixResult& result) {
  for (size_t s = 0; s < options.sources.size(); ++s) {
    SourceResult source;
    source.name = options.sources[s].name;
    source.weight = options.sources[s].weight;
    for (size_t i = store.first_document[s]; i < store.first_document[s + 1]; ++i) {
      ++(held_out[i] ? source.validation_documents : source.documents);
      (held_out[i] ? source.validation_units : source.units) += store.documents[i].units;
    }
    result.sources.push_back(source);
  }
}

void apply_plan(const MixOptions& options, MixResult& result) {
  std::vector<SourceSize> sizes;
  for (auto& source : result.sources) sizes.push_back({source.name, source.weight, source.units});
  Plan plan = make_plan(sizes, options.plan);
  for (size_t s = 0; s < sizes.size(); ++s) {
    auto& source = result.sources[s];
    source.share = plan.sources[s].share;
    source.planned = plan.sources[s].units;
    source.capped = plan.sources[s].capped;
    if (source.units == 0)
      result.warnings.push_back("source '" + source.name + "' holds nothing");
    else if (source.capped)
      result.warnings.push_back("source '" + source.name + "' is held at --max-epochs; the others take its share");
  }
  result.total = plan.total;
  result.budget = options.plan.budget ? options.plan.budget : plan.total;
  if (result.total < result.budget)
    result.warnings.push_back("the sources give " + format_count(result.total) + " of " + format_count(result.budget) +
                              " " + result.unit + ": every one is at --max-epochs");
}

std::vector<Draw> draw_all(const MixOptions& options, const Store& store, const std::vector<bool>& held_out,
                           uint64_t seed, MixResult& result) {
  std::vector<Draw> draws;
  for (size_t s = 0; s < options.sources.size(); ++s) {
    auto& source = result.sources[s];
    size_t before = draws.size();
    uint64_t stream = stream_key({kDrawStream, seed, xxh3_64(source.name)});  // by name: other sources do not matter
    draw_documents(store, held_out, store.first_document[s], store.first_document[s + 1], source.planned, stream,
                   draws);
    source.draws = draws.size() - before;
    source.used_documents = std::min(source.draws, source.documents);
    for (size_t i = before; i < draws.size(); ++i) source.written += draws[i].units;
  }
  Rng rng{kOrderStream, seed};
  rng.shuffle(draws);
  return draws;
}

}  // namespace

std::vector<SourceSpec> parse_sources(const std::vector<std::string>& texts) {
  std::vector<SourceSpec> out;
  for (auto& text : texts) {
    SourceSpec source = parse_source(text);
    auto same = std::find_if(out.begin(), out.end(), [&](auto& other) { return other.name == source.name; });
    if (same == out.end()) {
      out.push_back(source);
      continue;
    }
    if (source.weight > 0 && same->weight > 0 && source.weight != same->weight)
      throw UsageError(ErrorParts{"has two weights", "source '" + source.name + "'", {}, {}, "give it once"});
    same->paths.push_back(source.paths[0]);
    if (source.weight > 0) same->weight = source.weight;
  }
  size_t weighted =
      static_cast<size_t>(std::count_if(out.begin(), out.end(), [](auto& source) { return source.weight > 0; }));
  if (weighted > 0 && weighted < out.size())
    throw UsageError(
        ErrorParts{"some sources have a weight and some have none", "mix", "weights for all or for none", {}, {}});
  return out;
}

MixResult run_mix(const MixOptions& options, Context& context) {
  namespace fs = std::filesystem;
  if (!options.dry_run && !options.replace && fs::exists(options.output) &&
      !(fs::is_directory(options.output) && fs::is_empty(options.output)))
    throw Error({"already exists", options.output, {}, {}, "--force replaces it"});  // before the reading, not after it
  MixResult result;
  result.unit = options.tokenizer ? "tokens" : "bytes";
  if (options.tokenizer && options.end_of_text && !options.tokenizer->eos())
    result.warnings.push_back("the tokenizer has no end-of-text token: documents follow one another without a mark");
  Store store(memory_budget(context) / 2, options.temporary_folder);
  fill_store(options, context, store, result);
  auto held_out = choose_validation(store, options);
  count_sources(options, store, held_out, result);
  apply_plan(options, result);
  if (options.dry_run) return result;
  auto train = draw_all(options, store, held_out, context.seed, result);
  std::vector<Draw> validation;
  for (size_t i = 0; i < held_out.size(); ++i)
    if (held_out[i]) validation.push_back({static_cast<uint32_t>(i), store.documents[i].units});
  write_folder(options, store, train, validation, context, result);
  return result;
}

std::string plan_table(const MixResult& result) {
  std::string out;
  auto row = [&](std::string_view name, const std::string& documents, const std::string& units,
                 const std::string& share, const std::string& planned, const std::string& epochs,
                 const std::string& held_out) {
    char line[512];
    std::snprintf(line, sizeof line, "%-20.*s %14s %18s %8s %18s %8s %12s\n", static_cast<int>(name.size()),
                  name.data(), documents.c_str(), units.c_str(), share.c_str(), planned.c_str(), epochs.c_str(),
                  held_out.c_str());
    out += line;
  };
  auto fixed = [](double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return std::string(text);
  };
  row("source", "documents", result.unit, "share", "planned", "epochs", "held out");
  for (auto& s : result.sources) {
    double share = result.total ? static_cast<double>(s.planned) / static_cast<double>(result.total) : 0;
    row(s.name, format_count(s.documents), format_count(s.units), fixed(100 * share, 2) + "%", format_count(s.planned),
        fixed(s.epochs(), 2) + (s.capped ? "*" : ""), format_count(s.validation_documents));
  }
  row("all", "", "", "", format_count(result.total), "", "");
  for (auto& s : result.sources)
    if (s.capped) return out + "* held at the epoch cap\n";
  return out;
}

}  // namespace llmkit::mix
