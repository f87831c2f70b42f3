// tokenize decode: lines of ids to texts.
#include <charconv>

#include "commands/tokenize_actions.h"
#include "io/input.h"
#include "io/line_reader.h"
#include "io/output.h"

namespace llmkit::cli {
namespace {

// The numbers of {"ids": [1, 2]} or of a plain line "1 2"; nothing else on the line is looked at.
bool parse_ids(std::string_view line, std::vector<int32_t>& ids) {
  if (size_t at = line.find("\"ids\""); at != std::string_view::npos) line = line.substr(line.find('[', at) + 1);
  ids.clear();
  for (const char *p = line.data(), *end = p + line.size(); p < end && *p != ']';) {
    if (*p == ' ' || *p == ',' || *p == '[' || *p == '\t') {
      ++p;
      continue;
    }
    int32_t id = 0;
    auto [next, error] = std::from_chars(p, end, id);
    if (error != std::errc()) return false;
    ids.push_back(id);
    p = next;
  }
  return true;
}

}  // namespace

ExitCode decode_ids(const Common& common, const tokenizer::Tokenizer& tokenizer,
                    const std::vector<std::string>& inputs) {
  auto out = io::create_output(common.output, {.replace = common.force});
  Summary s;
  std::vector<int32_t> ids;
  for (auto& input : inputs) {
    auto stream = io::open_input(input);
    io::LineReader reader(*stream);
    for (std::string_view line; reader.next(line);) {
      if (line.empty()) continue;
      ++s.in;
      if (!parse_ids(line, ids)) {
        ++s.bad;
        if (s.bad_examples.size() < 10)
          s.bad_examples.push_back(input + ":" + std::to_string(reader.line_number()) + ": no token ids");
        continue;
      }
      ++s.kept;
      out->write(tokenizer.decode(ids) + "\n");
    }
  }
  out->finish();
  s.written = common.output;
  s.inputs = inputs;
  s.outputs = {common.output};
  return common.finish(s);
}

}  // namespace llmkit::cli
