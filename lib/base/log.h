// Messages for a person, on stderr (spdlog behind this header). Data never goes here. Control characters are escaped.
#pragma once

#include <string_view>

namespace llmkit::log {

enum class Level { debug, info, warning, error };

void set_level(Level level);  // -v, -q
void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

// Lines at the bottom of a terminal that are redrawn in place (the progress bar); messages clear them first. No line
// may be wider than the terminal.
void status_line(std::string_view text);
void set_status_line(bool shown);  // false clears it

}  // namespace llmkit::log
