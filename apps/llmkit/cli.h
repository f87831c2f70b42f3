// The command line around the commands: lookup, parsing, configuration, help, signals, exit codes (design.md 7).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "options.h"

namespace llmkit::cli {

// Every command of commands.def, in that order.
std::vector<std::unique_ptr<Command>> all_commands();
std::unique_ptr<Command> find_command(std::string_view name);  // throws UsageError with a suggestion

// Flags that the framework answers by itself.
struct Requests {
  bool help = false;
  bool dump_config = false;
};

// A command with its declared options and the values that were given.
struct Invocation {
  std::unique_ptr<Command> command;
  Options options;
  Common common;
  Requests requests;
};

// Declares the command's own options and the common ones that it uses. The result must not be moved: options point into
// it.
std::unique_ptr<Invocation> prepare(std::unique_ptr<Command> command);

// Fills in the values: default < --config < LLMKIT_* < flag. Throws UsageError.
void parse_arguments(Invocation& invocation, std::span<const std::string> arguments);

// Runs the whole program; `arguments` does not hold the program's name.
ExitCode run_program(std::span<const std::string> arguments);

}  // namespace llmkit::cli
