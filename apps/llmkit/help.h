// Everything the program says about itself, made from the tables of commands and options.
#pragma once

#include <string>

#include "cli.h"

namespace llmkit::cli {

std::string first_screen();
std::string command_help(const Invocation& invocation);

}  // namespace llmkit::cli
