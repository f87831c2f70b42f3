// Completion scripts for bash, zsh and fish, from the tables of commands and options.
#pragma once

#include <string>
#include <string_view>

#include "cli.h"

namespace llmkit::cli {

std::string completion_script(std::string_view shell);  // throws UsageError for an unknown shell

}  // namespace llmkit::cli
