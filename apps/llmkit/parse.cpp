// The only file that includes CLI11. It splits the argument list; values, defaults, configuration and errors are ours,
// because CLI11 2.1.2 exits with codes from 103 on, lets vector options swallow file names, refuses a repeated scalar,
// ranks config files above the environment and breaks `--` inside subcommands. So each command gets a root CLI::App of
// its own in which every option merely collects the strings that were written.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "base/registry.h"
#include "cli.h"
#include "config.h"

namespace llmkit::cli {
namespace {

std::string flag_names(const Option& option) {
  std::string names = option.letter ? std::string{'-', option.letter, ','} : std::string();
  names += "--" + option.name;
  if (option.kind == Option::Kind::boolean) names += ",!--no-" + option.name;
  return names;
}

std::string environment_name(std::string_view option) {
  std::string out = "LLMKIT_";
  for (char c : option) out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

UsageError unknown_option(const Invocation& invocation, std::string_view written) {
  std::string_view word = written.substr(0, written.find('='));
  std::vector<std::string> flags;
  for (auto& option : invocation.options.all()) flags.push_back("--" + option.name);
  std::vector<std::string_view> names(flags.begin(), flags.end());
  std::string near = nearest(word, names);
  std::string command(invocation.command->info().name);
  return UsageError(
      ErrorParts{"unknown option '" + std::string(word) + "'", "", "", "",
                 (near.empty() ? "" : "did you mean '" + near + "'? ") + ("llmkit " + command + " --help lists all")});
}

// What CLI11 has to say about a malformed line, in our words.
UsageError translate(const CLI::ParseError& error) {
  return UsageError(error.what());
}

}  // namespace

void parse_arguments(Invocation& invocation, std::span<const std::string> arguments) {
  CLI::App app;
  app.set_help_flag("");
  app.allow_extras();
  std::vector<CLI::Option*> parsed;
  for (auto& option : invocation.options.all()) {
    bool flag = option.kind == Option::Kind::boolean;
    CLI::Option* p = flag ? app.add_flag(flag_names(option)) : app.add_option(flag_names(option));
    // One value an occurrence, any number of occurrences.
    if (!flag) p->expected(1);
    p->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    parsed.push_back(p);
  }
  auto* help = app.add_flag("-h,--help");
  auto* verbose = app.add_flag("-v,--verbose");
  auto& operands = invocation.options.operands();
  std::vector<std::string> positional;
  if (operands.values) app.add_option("OPERANDS", positional)->expected(0, 1 << 28);

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    throw translate(error);
  }
  invocation.requests.help = help->count() > 0;
  if (invocation.requests.help) return;
  invocation.common.verbose = static_cast<int>(verbose->count());
  for (auto& extra : app.remaining()) {
    if (extra == "--") continue;  // CLI11 counts the mark itself as an extra
    if (extra.size() > 1 && extra[0] == '-') throw unknown_option(invocation, extra);
    throw UsageError("unexpected argument '" + printable(extra) + "'");
  }

  // The config file is named by a flag, so that one is looked at first.
  auto& options = invocation.options.all();
  for (size_t i = 0; i < options.size(); ++i) {
    if (options[i].name == "config" && parsed[i]->count()) options[i].assign(parsed[i]->results().back(), "--config");
  }
  if (!invocation.common.config.empty()) apply_config(invocation, invocation.common.config);

  for (auto& option : options) {
    if (option.name == "config" || option.name == "dump-config") continue;
    std::string variable = environment_name(option.name);
    const char* value = std::getenv(variable.c_str());
    if (!value || !*value) continue;
    option.clear_list();
    option.assign(value, variable);
  }

  for (size_t i = 0; i < options.size(); ++i) {
    if (!parsed[i]->count() || options[i].name == "config") continue;
    options[i].clear_list();
    for (auto& written : parsed[i]->results()) options[i].assign(written, "--" + options[i].name);
  }
  if (operands.values && !positional.empty()) *operands.values = positional;
  if (operands.values && static_cast<int>(operands.values->size()) < operands.min_count &&
      !invocation.requests.dump_config) {
    throw UsageError(ErrorParts{"missing " + operands.metavar, "", "", "",
                                "llmkit " + std::string(invocation.command->info().name) + " --help shows how"});
  }
}

}  // namespace llmkit::cli
