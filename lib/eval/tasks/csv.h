// Items of a CSV file (RFC 4180: quoted fields, doubled quotes, line ends inside quotes): the first row names the
// fields; `subject` is the file's name without its extension.
#pragma once

#include "eval/task.h"

namespace llmkit::eval {

std::vector<Item> load_csv(const std::string& path);
std::vector<std::vector<std::string>> parse_csv(std::string_view text, std::string_view where);  // throws Error

}  // namespace llmkit::eval
