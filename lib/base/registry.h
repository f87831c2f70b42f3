// Families of named things (filters, samplers, optimisers, tasks, environments, …). Each thing is one file that
// defines its descriptor, and one line in the family's .def file. The descriptor is the single source for spec
// strings ("gopher-quality:min-words=50,max-words=1000"), config keys, help, man pages, completions and "did you mean".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace llmkit {

enum class ParamType { boolean, integer, real, text };

struct Param {
  std::string_view name;  // kebab-case
  ParamType type;
  std::string_view fallback;  // the default, as one would write it
  std::string_view help;      // one line, with the unit
  double min = -1e300, max = 1e300;
};

// The checked parameter values of one entry: every declared name has a value.
class Values {
 public:
  bool boolean(std::string_view name) const { return std::get<bool>(at(name)); }
  int64_t integer(std::string_view name) const { return std::get<int64_t>(at(name)); }
  double real(std::string_view name) const { return std::get<double>(at(name)); }
  const std::string& text(std::string_view name) const { return std::get<std::string>(at(name)); }

  using Value = std::variant<bool, int64_t, double, std::string>;
  void set(const Param& param, std::string_view written, std::string_view owner);  // throws UsageError

 private:
  const Value& at(std::string_view name) const;
  std::map<std::string, Value, std::less<>> values_;
};

struct Descriptor {
  std::string_view name;     // kebab-case
  std::string_view summary;  // one line
  std::string_view paper;    // source, may be empty
  std::vector<Param> params{};
  std::string_view note{};  // declared exceptions, for example "decode: none (bidirectional)"
};

// A descriptor with the factory of its interface.
template <class Interface>
struct Entry : Descriptor {
  std::unique_ptr<Interface> (*make)(const Values&) = nullptr;
};

// "name" or "name:key=value,key=value"; a value may be quoted with "…" to hold a comma.
struct Spec {
  std::string name;
  std::vector<std::pair<std::string, std::string>> values;
};
Spec parse_spec(std::string_view text);                                              // throws UsageError
Values resolve(const Spec& spec, const Descriptor& entry, std::string_view family);  // throws UsageError

// The nearest of `names` by edit distance, or "" where none is near.
std::string nearest(std::string_view word, std::span<const std::string_view> names);
// "unknown FAMILY 'WORD': did you mean 'X'? (llmkit help FAMILYs lists N)"
UsageError unknown_name(std::string_view family, std::string_view word, std::span<const std::string_view> names);

template <class Interface>
class Registry {
 public:
  Registry(std::string_view family, std::vector<Entry<Interface>> entries)
      : family_(family), entries_(std::move(entries)) {}

  std::string_view family() const { return family_; }
  const std::vector<Entry<Interface>>& entries() const { return entries_; }
  std::vector<std::string_view> names() const {
    std::vector<std::string_view> out;
    for (auto& e : entries_) out.push_back(e.name);
    return out;
  }
  const Entry<Interface>& find(std::string_view name) const {
    for (auto& e : entries_)
      if (e.name == name) return e;
    throw unknown_name(family_, name, names());
  }
  std::unique_ptr<Interface> make(std::string_view spec_text) const {
    Spec spec = parse_spec(spec_text);
    auto& entry = find(spec.name);
    return entry.make(resolve(spec, entry, family_));
  }
  std::vector<Descriptor> descriptors() const { return {entries_.begin(), entries_.end()}; }

 private:
  std::string_view family_;
  std::vector<Entry<Interface>> entries_;
};

}  // namespace llmkit
