// Configuration files: flat TOML whose keys are option names. Unknown keys are errors that name line and key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli.h"

namespace llmkit::cli {

// A file of lib/<module>/configs/<command>/<name>.toml, embedded at build time.
struct BuiltinConfig {
  std::string_view command, name, text;
};
std::vector<BuiltinConfig> builtin_configs();

// `named` is a path, or the name of a built-in config of the command.
void apply_config(Invocation& invocation, const std::string& named);
std::string dump_config(const Options& options, std::string_view command);

}  // namespace llmkit::cli
