// Manual pages as roff (man macros), from the tables of commands and options.
#pragma once

#include <string>

#include "cli.h"

namespace llmkit::cli {

std::string program_man_page();
std::string command_man_page(const Invocation& invocation);

}  // namespace llmkit::cli
