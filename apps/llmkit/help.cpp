#include "help.h"

#include <algorithm>

#include "base/version.h"

namespace llmkit::cli {
namespace {

constexpr size_t kWidth = 80;
constexpr std::string_view kGroups[] = {"Data", "Tokenizer", "Models", "Learning", "Tools"};

// `text` broken at spaces so that no line passes kWidth; lines after the first are indented.
std::string wrap(std::string_view text, size_t first_column, size_t indent) {
  std::string out;
  size_t column = first_column;
  for (bool start = true; !text.empty(); start = false) {
    size_t space = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    if (!start && column + 1 + word.size() > kWidth) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!start) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

std::string option_left(const Option& option) {
  std::string left = option.letter ? std::string{' ', ' ', '-', option.letter, ',', ' '} : "      ";
  left += "--" + option.name;
  if (option.kind == Option::Kind::boolean && option.default_text == "on") left = "      --[no-]" + option.name;
  if (!option.metavar.empty()) left += " " + option.metavar;
  return left;
}

std::string option_right(const Option& option) {
  std::string right = option.help;
  if (!option.choices.empty()) {
    right += ": ";
    for (size_t i = 0; i < option.choices.size(); ++i) right += (i ? ", " : "") + option.choices[i];
  }
  if (option.kind == Option::Kind::list) right += "; may be repeated";
  if (!option.default_text.empty()) right += " [" + option.default_text + "]";
  return right;
}

std::string two_columns(const std::string& left, const std::string& right) {
  constexpr size_t kColumn = 26;
  std::string out = left;
  if (left.size() + 2 > kColumn) out += '\n' + std::string(kColumn, ' ');
  else out += std::string(kColumn - left.size(), ' ');
  return out + wrap(right, kColumn, kColumn) + '\n';
}

}  // namespace

std::string first_screen() {
  std::string out = "llmkit " LLMKIT_VERSION " - corpora, tokenizers and small language models on a CPU\n"
                    "usage: llmkit COMMAND [options] [files]       more: llmkit help COMMAND|TOPIC\n\n";
  auto commands = all_commands();
  for (auto group : kGroups) {
    bool first = true;
    for (auto& command : commands) {
      auto& info = command->info();
      if (info.group != group) continue;
      std::string left = "  " + std::string(first ? group : "");
      left.resize(13, ' ');
      left += std::string(info.name);
      left.resize(30, ' ');
      out += left + std::string(info.summary) + '\n';
      first = false;
    }
  }
  out += "\n  zcat pages.warc.gz | llmkit crawl-clean - | llmkit dedup - -o clean.jsonl\n"
         "  llmkit generate --model run --prompt \"Once upon a time\"\n";
  return out;
}

std::string command_help(const Invocation& invocation) {
  auto& info = invocation.command->info();
  auto& operands = invocation.options.operands();
  std::string out = "llmkit " + std::string(info.name) + ": " + std::string(info.summary) + "\n\nexamples:\n";
  for (auto example : info.examples) out += "  " + std::string(example) + '\n';
  out += "\nusage: llmkit " + std::string(info.name) + " [options]";
  if (operands.values) out += operands.min_count > 0 ? " " + operands.metavar + "..." : " [" + operands.metavar + "...]";
  out += "\n";
  if (operands.values) out += "\n" + two_columns("  " + operands.metavar, operands.help);
  std::string group;
  for (auto& option : invocation.options.all()) {
    if (option.group != group) out += "\n" + (group = option.group) + "\n";
    out += two_columns(option_left(option), option_right(option));
  }
  out += two_columns("  -v, --verbose", "more on stderr");
  out += two_columns("  -h, --help", "this text");
  if (!info.details.empty()) {
    std::string_view rest = info.details;
    while (!rest.empty()) {
      size_t end = std::min(rest.find('\n'), rest.size());
      out += "\n" + wrap(rest.substr(0, end), 0, 0) + "\n";
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return out;
}

}  // namespace llmkit::cli
