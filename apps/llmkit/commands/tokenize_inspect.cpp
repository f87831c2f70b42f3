#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "commands/tokenize_actions.h"
#include "io/input.h"
#include "io/line_reader.h"
#include "io/output.h"
#include "tokenizer/inspect.h"

namespace llmkit::cli {
namespace {

using tokenizer::Tokenizer;
using tokenizer::visible_text;

// Colours for a terminal, unless the user wants none (no-color.org).
tokenizer::Paint paint_for(const Common& common) {
  const char* none = std::getenv("NO_COLOR");
  bool colours = common.output == "-" && isatty(STDOUT_FILENO) && (!none || !*none);
  return colours ? tokenizer::Paint::colours : tokenizer::Paint::bars;
}

std::string quoted(const Tokenizer& tokenizer, int32_t id) {
  return "'" + visible_text(tokenizer.bytes(id)) + "' (" + std::to_string(id) + ")";
}

// A token by its text, or by its number.
int32_t find_token(const Tokenizer& tokenizer, const std::string& wanted) {
  if (auto id = tokenizer.token_id(wanted)) return *id;
  int32_t id = -1;
  auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), id);
  bool number = error == std::errc() && end == wanted.data() + wanted.size();
  if (number && id >= 0 && id < tokenizer.vocab_size()) return id;
  throw UsageError(ErrorParts{
      "no such token", "--token", "the text of a token, or an id below " + std::to_string(tokenizer.vocab_size()),
      "'" + visible_text(wanted) + "'", "a leading space belongs to the token: --token ' the'"});
}

std::string history(const Tokenizer& tokenizer, int32_t id) {
  std::string out = "token " + quoted(tokenizer, id) + (tokenizer.is_special(id) ? ", special" : "") + "\n";
  auto steps = tokenizer::merge_history(tokenizer.parts(), id);
  for (auto& step : steps)
    out += "merge " + std::to_string(step.rank) + ": " + quoted(tokenizer, step.left) + " + " +
           quoted(tokenizer, step.right) + " -> " + quoted(tokenizer, step.result) + "\n";
  if (steps.empty()) out += "no merge makes it: it is one of the symbols from which merging starts, or was added\n";
  // A vocabulary may hold tokens that no text reaches.
  std::vector<int32_t> ids = tokenizer.encode(tokenizer.bytes(id));
  if (ids != std::vector<int32_t>{id} && !tokenizer.is_special(id)) {
    out += "its own text becomes:";
    for (int32_t other : ids) out += " " + quoted(tokenizer, other);
    out += "\n";
  }
  return out;
}

}  // namespace

ExitCode inspect_tokens(const Common& common, const InspectRequest& request) {
  auto tokenizer = Tokenizer::load(request.tokenizer);
  auto out = io::create_output(common.output, {.replace = common.force});
  Summary s;
  s.unit = "lines";
  s.written = common.output;
  s.outputs = {common.output};
  if (!request.token.empty()) {
    out->write(history(tokenizer, find_token(tokenizer, request.token)));
    out->finish();
    return common.finish(s);
  }
  s.inputs = request.inputs;
  tokenizer::EncodeOptions options;
  if (request.parse_special) options.special = tokenizer::SpecialText::parse;
  auto paint = paint_for(common);
  uint64_t tokens = 0;
  for (auto& input : request.inputs) {
    auto stream = io::open_input(input);
    io::LineReader reader(*stream);
    for (std::string_view line; reader.next(line);) {
      auto ids = tokenizer.encode(line, options);
      out->write(paint_tokens(tokenizer, ids, paint) + "\n");
      ++s.in;
      ++s.kept;
      s.bytes_in += line.size();
      tokens += ids.size();
    }
  }
  out->finish();
  s.metrics = {{"tokens", static_cast<double>(tokens)}};
  return common.finish(s);
}

}  // namespace llmkit::cli
