#include "man.h"

#include <algorithm>

#include "base/version.h"
#include "config.h"
#include "embedded.h"
#include "help.h"

namespace llmkit::cli {
namespace {

// Text in roff: backslashes and hyphens escaped, no line starts with a control character.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    line_start = c == '\n';
  }
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string page_head(std::string_view name, std::string_view summary) {
  return ".TH " + roff(upper(name)) + " 1 \"\" \"llmkit " LLMKIT_VERSION "\" \"llmkit manual\"\n.SH NAME\n" +
         roff(name) + " \\- " + roff(summary) + "\n";
}

std::string examples_section(const std::vector<std::string_view>& examples) {
  std::string out = ".SH EXAMPLES\n.nf\n";
  for (auto example : examples) out += roff(example) + "\n";
  return out + ".fi\n";
}

std::string exit_section() {
  std::string out = ".SH EXIT STATUS\n";
  for (auto& [code, meaning] : exit_codes()) out += ".TP\n.B " + std::to_string(code) + "\n" + roff(meaning) + "\n";
  return out;
}

std::string paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) out += ".PP\n" + roff(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string program_man_page() {
  std::string out = page_head("llmkit", "corpora, tokenizers and small language models on a CPU");
  out +=
      ".SH SYNOPSIS\n.B llmkit\n.I COMMAND\n[options] [files]\n.SH DESCRIPTION\n"
      "Each stage on the way from web pages to a language model that answers\n"
      "is a command that reads and writes ordinary files or pipes.\n"
      ".SH COMMANDS\n";
  std::string also;
  for (auto& command : all_commands()) {
    auto& info = command->info();
    out += ".TP\n.B " + roff(info.name) + "\n" + roff(info.summary) + "\n";
    also += (also.empty() ? "" : ",\n") + std::string(".BR llmkit\\-") + roff(info.name) + " (1)";
  }
  out += exit_section() + ".SH SEE ALSO\n" + also + "\n";
  return out;
}

std::string command_man_page(const Invocation& invocation) {
  auto& info = invocation.command->info();
  auto& operands = invocation.options.operands();
  std::string name = "llmkit-" + std::string(info.name);
  std::string out = page_head(name, info.summary);
  out += ".SH SYNOPSIS\n.B llmkit " + roff(info.name) + "\n[options]";
  if (operands.values)
    out += operands.min_count > 0 ? "\n.I " + roff(operands.metavar) + " ..."
                                  : "\n[\n.IR " + roff(operands.metavar) + " ...]";
  out += "\n";
  if (!info.details.empty()) {
    std::string body = paragraphs(info.details);
    out += ".SH DESCRIPTION\n" + body.substr(body.find('\n') + 1);  // .PP right after .SH is idle
  }
  if (operands.values) out += ".SH OPERANDS\n.TP\n.I " + roff(operands.metavar) + "\n" + roff(operands.help) + "\n";
  std::string group;
  for (auto& option : invocation.options.all()) {
    if (option.group != group) out += ".SH " + roff(upper(group = option.group)) + "\n";
    out += ".TP\n.B " + roff(option_names(option)) + "\n" + roff(option_text(option)) + "\n";
  }
  out += ".TP\n.B \\-v, \\-\\-verbose\nmore on stderr\n.TP\n.B \\-h, \\-\\-help\nhelp on stdout\n";
  out += examples_section(info.examples) + exit_section();
  out +=
      ".SH ENVIRONMENT\nEach option can be given as LLMKIT_NAME, for example LLMKIT_THREADS=2;\n"
      "a flag goes before it, a config file after it.\n";
  return out + ".SH SEE ALSO\n.BR llmkit (1)\n";
}

}  // namespace llmkit::cli
