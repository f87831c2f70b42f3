#include "completion.h"

#include "base/registry.h"
#include "config.h"
#include "help.h"

namespace llmkit::cli {
namespace {

struct Entry {
  std::string name, summary;
  std::unique_ptr<Invocation> invocation;
  std::vector<std::string> configs;  // built-in ones, for --config
};

std::vector<Entry> entries() {
  std::vector<Entry> out;
  for (auto& command : all_commands()) {
    std::string takes_configs_of(command->info().configs_of.empty() ? command->info().name
                                                                    : command->info().configs_of);
    Entry entry{
        std::string(command->info().name), std::string(command->info().summary), prepare(std::move(command)), {}};
    for (auto& config : builtin_configs()) {
      if (config.command == takes_configs_of) entry.configs.emplace_back(config.name);
    }
    out.push_back(std::move(entry));
  }
  return out;
}

// The flags that the parser accepts: what a test compares.
std::vector<std::string> flags_of(const Options& options) {
  std::vector<std::string> out;
  for (auto& option : options.all()) {
    if (option.letter) out.push_back(std::string("-") + option.letter);
    out.push_back("--" + option.name);
    if (option.kind == Option::Kind::boolean) out.push_back("--no-" + option.name);
  }
  for (auto flag : {"-v", "--verbose", "-h", "--help"}) out.emplace_back(flag);
  return out;
}

// Fixed words that may follow a flag or a command.
std::vector<std::string> values_of(const Option& option, const Entry& entry) {
  return option.name == "config" ? entry.configs : option.choices;
}

std::vector<std::string> operands_of(const Entry& entry) {
  if (entry.name == "completion") return {"bash", "zsh", "fish"};
  if (entry.name == "help") return help_names();
  if (entry.name != "man") return {};
  std::vector<std::string> names;
  for (auto& command : all_commands()) names.emplace_back(command->info().name);
  return names;
}

std::string join(const std::vector<std::string>& words, std::string_view between = " ") {
  std::string out;
  for (auto& w : words) out += (out.empty() ? "" : std::string(between)) + w;
  return out;
}

// Inside single quotes, for all three shells.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string bash_script() {
  auto all = entries();
  std::string names, cases;
  for (auto& entry : all) {
    names += (names.empty() ? "" : " ") + entry.name;
    cases += "    " + entry.name + ")\n      flags=" + shell_quoted(join(flags_of(entry.invocation->options))) +
             "\n      case $previous in\n";
    for (auto& option : entry.invocation->options.all()) {
      auto values = values_of(option, entry);
      if (!values.empty()) cases += "        --" + option.name + ") words=" + shell_quoted(join(values)) + " ;;\n";
    }
    cases += "        *) words=" + shell_quoted(join(operands_of(entry))) + " ;;\n      esac ;;\n";
  }
  return "# bash completion for llmkit; made by `llmkit completion bash`\n"
         "_llmkit() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} flags= words=\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    COMPREPLY=($(compgen -W " +
         shell_quoted(names) +
         " -- \"$word\"))\n"
         "    return\n"
         "  fi\n"
         "  case ${COMP_WORDS[1]} in\n" +
         cases +
         "  esac\n"
         "  case $word in\n"
         "    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$word\")) ;;\n"
         "    *) COMPREPLY=($(compgen -W \"$words\" -- \"$word\") $(compgen -f -- \"$word\")) ;;\n"
         "  esac\n"
         "  return 0\n"
         "}\n"
         "complete -o filenames -F _llmkit llmkit\n";
}

// Brackets and colons have a meaning in an _arguments specification.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_script() {
  std::string out = "#compdef llmkit\n# made by `llmkit completion zsh`\n_llmkit() {\n  local -a commands=(\n";
  auto all = entries();
  for (auto& entry : all) out += "    " + shell_quoted(zsh_text(entry.name) + ":" + entry.summary) + "\n";
  out +=
      "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n  local name=$words[2]\n"
      "  shift words\n  (( CURRENT-- ))\n  case $name in\n";
  for (auto& entry : all) {
    out += "    " + entry.name + ")\n      _arguments -S";
    for (auto& option : entry.invocation->options.all()) {
      std::string action;
      if (option.kind != Option::Kind::boolean) {
        auto values = values_of(option, entry);
        action = ":" + zsh_text(option.metavar) + ":" + (values.empty() ? "_files" : "(" + join(values) + ")");
      }
      std::string text = "[" + zsh_text(option.help) + "]" + action;
      std::string repeat = option.kind == Option::Kind::list ? "*" : "";
      out += " \\\n        " + shell_quoted(repeat + "--" + option.name + text);
      if (option.letter) out += " \\\n        " + shell_quoted(repeat + "-" + option.letter + text);
      if (option.kind == Option::Kind::boolean)
        out += " \\\n        " + shell_quoted("--no-" + option.name + "[not " + zsh_text(option.help) + "]");
    }
    auto operands = operands_of(entry);
    out += " \\\n        '*'{-v,--verbose}'[more on stderr]' \\\n        '(- *)'{-h,--help}'[help]' \\\n        " +
           shell_quoted("*:" + std::string("operand:") + (operands.empty() ? "_files" : "(" + join(operands) + ")")) +
           " ;;\n";
  }
  return out + "  esac\n}\n_llmkit \"$@\"\n";
}

std::string fish_script() {
  std::string out = "# fish completion for llmkit; made by `llmkit completion fish`\n";
  for (auto& entry : entries()) {
    out +=
        "complete -c llmkit -f -n __fish_use_subcommand -a " + entry.name + " -d " + shell_quoted(entry.summary) + "\n";
    std::string base = "complete -c llmkit -n '__fish_seen_subcommand_from " + entry.name + "'";
    for (auto& option : entry.invocation->options.all()) {
      out += base + " -l " + option.name;
      if (option.letter) out += std::string(" -s ") + option.letter;
      if (option.kind != Option::Kind::boolean) {
        auto values = values_of(option, entry);
        out += values.empty() ? " -r" : " -x -a " + shell_quoted(join(values));
      }
      out += " -d " + shell_quoted(option.help) + "\n";
      if (option.kind == Option::Kind::boolean) out += base + " -l no-" + option.name + "\n";
    }
    out += base + " -s v -l verbose -d 'more on stderr'\n" + base + " -s h -l help -d 'help'\n";
    if (auto operands = operands_of(entry); !operands.empty())
      out += base + " -f -a " + shell_quoted(join(operands)) + "\n";
  }
  return out;
}

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "bash") return bash_script();
  if (shell == "zsh") return zsh_script();
  if (shell == "fish") return fish_script();
  constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};
  throw unknown_name("shell", shell, kShells);
}

}  // namespace llmkit::cli
