// Everything the program says about itself, made from the tables of commands, options and registries.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli.h"

namespace llmkit::cli {

std::string first_screen();
std::string command_help(const Invocation& invocation);
std::string help_index();                    // what `llmkit help` alone prints
std::string help_on(std::string_view name);  // a command, family, entry of a family or topic; throws UsageError
std::vector<std::string> help_names();       // every name that help_on takes

std::string option_names(const Option& option);  // "-o, --output FILE"
std::string option_text(const Option& option);   // help, choices, default
std::vector<std::pair<int, std::string_view>> exit_codes();

}  // namespace llmkit::cli
