// The families of named things that `llmkit help FAMILY` lists, from their registries.
#pragma once

#include <string_view>
#include <vector>

#include "base/registry.h"

namespace llmkit::cli {

struct Family {
  std::string_view name;     // "samplers"
  std::string_view summary;  // what they are, and the option that takes them
  std::vector<Descriptor> entries;
};
std::vector<Family> families();

}  // namespace llmkit::cli
