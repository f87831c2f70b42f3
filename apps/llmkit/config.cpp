#include "config.h"

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/registry.h"
#include "embedded.h"

namespace llmkit::cli {
namespace {

// Values that belong to one call and not to a run that is repeated.
bool is_transient(std::string_view name) {
  constexpr std::string_view kNames[] = {"config", "dump-config", "dry-run", "quiet",
                                         "json",   "force",       "resume",  "verify-resume"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

struct Source {
  std::string name, text;
};

Source find_source(const Invocation& invocation, const std::string& named) {
  const CommandInfo& info = invocation.command->info();
  std::string_view command = info.configs_of.empty() ? info.name : info.configs_of;
  if (named.find('/') == std::string::npos && !named.ends_with(".toml")) {
    std::vector<std::string_view> names;
    for (auto& config : builtin_configs()) {
      if (config.command != command) continue;
      if (config.name == named) return {"built-in config " + named, std::string(config.text)};
      names.push_back(config.name);
    }
    std::string known;
    for (auto n : names) known += (known.empty() ? "" : ", ") + std::string(n);
    std::string near = nearest(named, names);
    throw UsageError(ErrorParts{
        "no built-in config '" + printable(named) + "'", "--config", "", "",
        near.empty() ? (known.empty() ? "give a FILE.toml" : "known: " + known) : "did you mean '" + near + "'?"});
  }
  std::ifstream file(named, std::ios::binary);
  if (!file) throw UsageError(ErrorParts{"cannot open the config file", named, "", "", ""});
  std::ostringstream text;
  text << file.rdbuf();
  return {named, text.str()};
}

// A scalar as it would be written on the command line; nullopt for tables, dates and nested arrays.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (auto* s = node.as_string()) return s->get();
  if (auto* b = node.as_boolean()) return std::string(b->get() ? "true" : "false");
  if (auto* i = node.as_integer()) return std::to_string(i->get());
  if (auto* f = node.as_floating_point()) {
    char buffer[40];
    return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, f->get()).ptr);
  }
  return std::nullopt;
}

void apply_member(Invocation& invocation, const std::string& key, const toml::node& value, const std::string& where) {
  auto& options = invocation.options;
  auto& operands = options.operands();
  std::vector<std::string> written;
  auto add = [&](const toml::node& node) {
    auto text = scalar_text(node);
    if (!text)
      throw UsageError(
          ErrorParts{"", where, "a string, number or boolean, or a list of them", "another kind of value", ""});
    written.push_back(*text);
  };
  bool is_list = value.is_array();
  if (auto* array = value.as_array()) {
    for (auto& item : *array) add(item);
  } else {
    add(value);
  }
  if (key == "inputs" && operands.values) {
    *operands.values = written;
    return;
  }
  Option* option = options.find(key);
  if (!option && key == "output" && !invocation.command->info().configs_of.empty())
    return;  // says where the other command writes
  if (!option || option->name == "config" || option->name == "dump-config") {
    std::vector<std::string_view> names;
    for (auto& o : options.all()) names.push_back(o.name);
    std::string near = nearest(key, names);
    throw UsageError(ErrorParts{"unknown key '" + printable(key) + "'", where, "", "",
                                near.empty() ? "" : "did you mean '" + near + "'?"});
  }
  if (is_list && option->kind != Option::Kind::list) throw UsageError(ErrorParts{"", where, "one value", "a list", ""});
  option->clear_list();
  for (auto& text : written) option->assign(text, where);
}

}  // namespace

void apply_config(Invocation& invocation, const std::string& named) {
  Source source = find_source(invocation, named);
  toml::table table;
  try {
    table = toml::parse(source.text, source.name);
  } catch (const toml::parse_error& error) {
    throw UsageError(ErrorParts{std::string(error.description()),
                                source.name + ", line " + std::to_string(error.source().begin.line), "", "", ""});
  }
  // In the order of the file, so that the first wrong key is the one that is named.
  std::vector<std::pair<std::string, const toml::node*>> members;
  for (auto&& [key, value] : table) members.emplace_back(std::string(key.str()), &value);
  std::stable_sort(members.begin(), members.end(),
                   [](auto& a, auto& b) { return a.second->source().begin.line < b.second->source().begin.line; });
  for (auto& [key, value] : members) {
    apply_member(invocation, key, *value,
                 source.name + ", line " + std::to_string(value->source().begin.line) + ", " + printable(key));
  }
}

std::string dump_config(const Options& options, std::string_view command) {
  std::string out = "# llmkit " + std::string(command) + " --config THIS-FILE repeats this run\n";
  auto& operands = options.operands();
  if (operands.values) {
    Option list;
    list.kind = Option::Kind::list;
    list.target = operands.values;
    out += "inputs = " + list.current() + "\n";
  }
  for (auto& option : options.all()) {
    if (!is_transient(option.name)) out += option.name + " = " + option.current() + "\n";
  }
  return out;
}

std::vector<BuiltinConfig> builtin_configs() {
  std::vector<BuiltinConfig> out;
  for (auto& file : embedded_files("config")) {
    size_t slash = file.name.find('/');
    out.push_back({file.name.substr(0, slash), file.name.substr(slash + 1), file.text});
  }
  return out;
}

}  // namespace llmkit::cli
