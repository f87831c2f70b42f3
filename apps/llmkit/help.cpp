#include "help.h"

#include <algorithm>

#include "base/registry.h"
#include "base/version.h"
#include "embedded.h"
#include "families.h"

namespace llmkit::cli {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kColumn = 26;  // where the right column starts
constexpr std::string_view kGroups[] = {"Data", "Tokenizer", "Models", "Learning", "Tools"};

// Code points, which are columns for everything that the tables hold.
size_t columns(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

// `text` broken at spaces so that no line passes kWidth; lines after the first are indented.
std::string wrap(std::string_view text, size_t first_column, size_t indent) {
  std::string out;
  size_t column = first_column;
  for (bool start = true; !text.empty(); start = false) {
    size_t space = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    if (!start && column + 1 + columns(word) > kWidth) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!start) {
      out += ' ';
      ++column;
    }
    out += word;
    column += columns(word);
  }
  return out;
}

std::string two_columns(const std::string& left, std::string_view right, size_t column = kColumn) {
  std::string out = left;
  if (columns(left) + 2 > column)
    out += '\n' + std::string(column, ' ');
  else
    out += std::string(column - columns(left), ' ');
  return out + wrap(right, column, column) + '\n';
}

std::string paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    // A line that starts with a space is set as it is (an example, a table).
    if (line.starts_with(' '))
      out += std::string(line) + "\n";
    else if (!line.empty())
      out += "\n" + wrap(line, 0, 0) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// A command line that is too long is continued on the next: before a pipe, or else before an option.
std::string continued(std::string_view example) {
  std::string out;
  while (columns(example) + 4 > kWidth) {
    size_t at = example.rfind(" | ", kWidth - 8);
    if (at == std::string_view::npos || at < 8) at = example.rfind(" -", kWidth - 8);
    if (at == std::string_view::npos || at < 8) break;
    out += std::string(example.substr(0, at)) + " \\\n    ";
    example.remove_prefix(at + 1);
  }
  return out + std::string(example);
}

std::string describe(const Descriptor& entry) {
  std::string out = two_columns("  " + std::string(entry.name), entry.summary);
  if (!entry.paper.empty()) out += std::string(kColumn, ' ') + wrap(entry.paper, kColumn, kColumn) + "\n";
  if (!entry.note.empty()) out += std::string(kColumn, ' ') + wrap(entry.note, kColumn, kColumn) + "\n";
  for (auto& param : entry.params) {
    out += two_columns("    " + std::string(param.name) + "=" + std::string(param.fallback), param.help);
  }
  return out;
}

// A topic starts with "name: what it tells".
std::string_view topic_summary(std::string_view text) {
  std::string_view line = text.substr(0, text.find('\n'));
  return line.substr(std::min(line.find(": ") + 2, line.size()));
}

}  // namespace

std::string option_names(const Option& option) {
  std::string left = option.letter ? std::string{'-', option.letter, ',', ' '} : "";
  left += (option.kind == Option::Kind::boolean && option.default_text == "on" ? "--[no-]" : "--") + option.name;
  return option.metavar.empty() ? left : left + " " + option.metavar;
}

std::string option_text(const Option& option) {
  std::string right = option.help;
  if (!option.choices.empty()) {
    right += ": ";
    for (size_t i = 0; i < option.choices.size(); ++i) right += (i ? ", " : "") + option.choices[i];
  }
  if (option.kind == Option::Kind::list) right += "; may be repeated";
  if (!option.default_text.empty()) right += " [" + option.default_text + "]";
  return right;
}

std::string first_screen() {
  std::string out = "llmkit " LLMKIT_VERSION
                    " - corpora, tokenizers and small language models on a CPU\n"
                    "usage: llmkit COMMAND [options] [files]       more: llmkit help COMMAND|TOPIC\n\n";
  auto commands = all_commands();
  for (auto group : kGroups) {
    std::string title(group), names;
    for (auto& command : commands) {
      auto& info = command->info();
      if (info.group != group) continue;
      if (group == "Tools") {
        names += (names.empty() ? "" : ", ") + std::string(info.name);
        continue;
      }
      std::string left = "  " + title;
      left.resize(13, ' ');
      left += std::string(info.name);
      left.resize(30, ' ');
      out += left + std::string(info.summary) + '\n';
      title.clear();
    }
    if (!names.empty()) out += "  Tools      " + names + "\n";
  }
  return out +
         "\n  zcat pages.warc.gz | llmkit crawl-clean - | llmkit dedup - -o clean.jsonl\n"
         "  llmkit train-tokenizer clean.jsonl --vocab-size 8192 -o tokenizer\n"
         "  llmkit generate --model run --prompt \"Once upon a time\"\n";
}

std::string command_help(const Invocation& invocation) {
  auto& info = invocation.command->info();
  auto& operands = invocation.options.operands();
  std::string out = "llmkit " + std::string(info.name) + ": " + std::string(info.summary) + "\n\nexamples:\n";
  for (auto example : info.examples) out += "  " + continued(example) + '\n';
  out += "\nusage: llmkit " + std::string(info.name) + " [options]";
  if (operands.values)
    out += operands.min_count > 0 ? " " + operands.metavar + "..." : " [" + operands.metavar + "...]";
  out += "\n";
  if (operands.values) out += "\n" + two_columns("  " + operands.metavar, operands.help);
  std::string group;
  for (auto& option : invocation.options.all()) {
    if (option.group != group) out += "\n" + (group = option.group) + "\n";
    out += two_columns((option.letter ? "  " : "      ") + option_names(option), option_text(option));
  }
  out += two_columns("  -v, --verbose", "more on stderr") + two_columns("  -h, --help", "this text");
  return out + paragraphs(info.details) + "\nmore: llmkit help exit-codes, llmkit help config, llmkit help formats\n";
}

std::string help_index() {
  std::string out = "llmkit help NAME, where NAME is a command (llmkit alone lists them) or one of\n\nmethods\n";
  for (auto& family : families()) out += two_columns("  " + std::string(family.name), family.summary);
  out += "\ntopics\n";
  for (auto& topic : embedded_files("topic"))
    out += two_columns("  " + std::string(topic.name), topic_summary(topic.text));
  return out;
}

std::vector<std::string> help_names() {
  std::vector<std::string> names;
  for (auto& command : all_commands()) names.emplace_back(command->info().name);
  for (auto& family : families()) names.emplace_back(family.name);
  for (auto& topic : embedded_files("topic")) names.emplace_back(topic.name);
  return names;
}

std::string help_on(std::string_view name) {
  for (auto& command : all_commands()) {
    if (command->info().name == name) return command_help(*prepare(std::move(command)));
  }
  for (auto& topic : embedded_files("topic")) {
    if (topic.name == name) return std::string(topic.text);
  }
  auto all = families();
  for (auto& family : all) {
    if (family.name != name) continue;
    std::string out = std::string(family.name) + ": " + std::string(family.summary) + "\n\n";
    for (auto& entry : family.entries) out += describe(entry);
    return out + "\nWritten as NAME or NAME:key=value,key=value; the values above are the defaults.\n";
  }
  auto names = help_names();
  for (auto& family : all) {
    for (auto& entry : family.entries) {
      if (entry.name == name) return std::string(family.name) + "\n" + describe(entry);
      names.emplace_back(entry.name);
    }
  }
  std::vector<std::string_view> views(names.begin(), names.end());
  std::string near = nearest(name, views);
  throw UsageError(
      ErrorParts{"no help on '" + printable(name) + "'", "", "", "",
                 (near.empty() ? "" : "did you mean '" + near + "'? ") + std::string("llmkit help lists all")});
}

std::vector<std::pair<int, std::string_view>> exit_codes() {
  return {{0, "done; also when the reader of a pipe has gone"},
          {1, "failed: bad data, bad model, input or output"},
          {2, "the command line or a config file is wrong"},
          {3, "finished, but with more damaged records than --max-bad"},
          {4, "a gate failed: --min NAME=VALUE"},
          {130, "interrupted; where a command has --resume, it goes on from there"}};
}

}  // namespace llmkit::cli
