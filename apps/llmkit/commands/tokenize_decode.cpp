// tokenize decode: lines of ids to texts.
#include <algorithm>
#include <charconv>

#include "commands/tokenize_actions.h"
#include "io/input.h"
#include "io/line_reader.h"
#include "io/output.h"

namespace llmkit::cli {
namespace {

constexpr std::string_view kBetween = " ,\t\r";

// The numbers of {"ids": [1, 2]}, [1, 2] or a plain line "1 2"; of an object nothing but its ids is looked at. False
// where the line is none of these.
bool parse_ids(std::string_view line, std::vector<int32_t>& ids) {
  ids.clear();
  auto trim = [&] {
    line.remove_prefix(std::min(line.find_first_not_of(kBetween), line.size()));
    line = line.substr(0, line.find_last_not_of(kBetween) + 1);
  };
  trim();
  const bool object = line.starts_with('{');
  if (object) {
    const size_t key = line.find("\"ids\"");
    if (key == std::string_view::npos || !line.ends_with('}')) return false;
    line.remove_prefix(std::min(line.find('[', key), line.size()));
    line = line.substr(0, line.find(']') + 1);  // nothing where there is none
  }
  if (object || line.starts_with('[')) {
    if (line.size() < 2 || !line.ends_with(']')) return false;
    line = line.substr(1, line.size() - 2);
  }
  for (trim(); !line.empty(); trim()) {
    int32_t id = 0;
    auto [next, error] = std::from_chars(line.data(), line.data() + line.size(), id);
    if (error != std::errc()) return false;
    line.remove_prefix(static_cast<size_t>(next - line.data()));
    if (!line.empty() && kBetween.find(line.front()) == std::string_view::npos) return false;
    ids.push_back(id);
  }
  return true;
}

}  // namespace

ExitCode decode_ids(const Common& common, const tokenizer::Tokenizer& tokenizer,
                    const std::vector<std::string>& inputs) {
  auto out = io::create_output(common.output, {.replace = common.force});
  Summary s;
  std::vector<int32_t> ids;
  const int64_t size = tokenizer.vocab_size();
  for (auto& input : inputs) {
    auto stream = io::open_input(input);
    io::LineReader reader(*stream);
    for (std::string_view line; reader.next(line);) {
      if (line.empty()) continue;
      ++s.in;
      const bool read = parse_ids(line, ids);
      auto unknown = std::find_if(ids.begin(), ids.end(), [&](int32_t id) { return id < 0 || id >= size; });
      if (!read || unknown != ids.end()) {
        ++s.bad;
        if (s.bad_examples.size() < 10)
          s.bad_examples.push_back(
              input + ":" + std::to_string(reader.line_number()) + ": " +
              (read ? "id " + std::to_string(*unknown) + " in a vocabulary of " + std::to_string(size)
                    : "no token ids"));
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
