#include "base/registry.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace llmkit {
namespace {

// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

UsageError bad_value(std::string_view owner, const Param& param, std::string expected, std::string_view written) {
  return UsageError(ErrorParts{"bad parameter", std::string(owner) + ": " + std::string(param.name),
                               std::move(expected), "'" + std::string(written) + "'", ""});
}

}  // namespace

void Values::set(const Param& param, std::string_view written, std::string_view owner) {
  auto range = [&](double v) {
    if (!(v >= param.min && v <= param.max)) {
      auto show = [](double x) {
        return std::abs(x) >= 1e300 ? std::string(x < 0 ? "-inf" : "inf") : std::to_string(x);
      };
      throw bad_value(owner, param, "a value from " + show(param.min) + " to " + show(param.max), written);
    }
  };
  const char* end = written.data() + written.size();
  switch (param.type) {
    case ParamType::boolean:
      if (written != "true" && written != "false") throw bad_value(owner, param, "true or false", written);
      values_.insert_or_assign(std::string(param.name), Value(written == "true"));
      return;
    case ParamType::integer: {
      int64_t v = 0;
      auto [stop, error] = std::from_chars(written.data(), end, v);
      if (error != std::errc() || stop != end) throw bad_value(owner, param, "an integer", written);
      range(static_cast<double>(v));
      values_.insert_or_assign(std::string(param.name), Value(v));
      return;
    }
    case ParamType::real: {
      double v = 0;
      auto [stop, error] = std::from_chars(written.data(), end, v);
      if (error != std::errc() || stop != end || std::isnan(v)) throw bad_value(owner, param, "a number", written);
      range(v);
      values_.insert_or_assign(std::string(param.name), Value(v));
      return;
    }
    case ParamType::text:
      values_.insert_or_assign(std::string(param.name), Value(std::string(written)));
  }
}

const Values::Value& Values::at(std::string_view name) const {
  return values_.find(name)->second;
}

Spec parse_spec(std::string_view text) {
  Spec spec;
  size_t colon = text.find(':');
  spec.name = std::string(text.substr(0, colon));
  if (spec.name.empty())
    throw UsageError(
        ErrorParts{"empty name in a spec", "", "NAME or NAME:key=value,key=value", "'" + std::string(text) + "'", ""});
  if (colon == std::string_view::npos) return spec;
  std::string_view rest = text.substr(colon + 1);
  while (!rest.empty()) {
    size_t equals = rest.find('=');
    if (equals == std::string_view::npos || equals == 0)
      throw UsageError(ErrorParts{"bad spec", std::string(text), "key=value", "'" + std::string(rest) + "'", ""});
    std::string key(rest.substr(0, equals)), value;
    rest.remove_prefix(equals + 1);
    if (rest.starts_with('"')) {
      size_t close = rest.find('"', 1);
      if (close == std::string_view::npos)
        throw UsageError(ErrorParts{"bad spec", std::string(text), "a closing quote", "the end", ""});
      value = rest.substr(1, close - 1);
      rest.remove_prefix(close + 1);
    } else {
      size_t comma = rest.find(',');
      value = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma, rest.size()));
    }
    spec.values.emplace_back(std::move(key), std::move(value));
    if (!rest.empty()) {
      if (rest[0] != ',')
        throw UsageError(
            ErrorParts{"bad spec", std::string(text), "',' after a value", "'" + std::string(rest) + "'", ""});
      rest.remove_prefix(1);
    }
  }
  return spec;
}

Values resolve(const Spec& spec, const Descriptor& entry, std::string_view family) {
  Values values;
  std::string owner = std::string(family) + " " + std::string(entry.name);
  for (auto& param : entry.params) values.set(param, param.fallback, owner);
  for (auto& [key, written] : spec.values) {
    auto found =
        std::find_if(entry.params.begin(), entry.params.end(), [&key = key](const Param& p) { return p.name == key; });
    if (found == entry.params.end()) {
      std::vector<std::string_view> names;
      for (auto& p : entry.params) names.push_back(p.name);
      throw unknown_name("parameter of " + owner, key, names);
    }
    values.set(*found, written, owner);
  }
  return values;
}

std::string nearest(std::string_view word, std::span<const std::string_view> names) {
  size_t best = std::max<size_t>(2, word.size() / 3) + 1;
  std::string_view name;
  for (auto candidate : names) {
    size_t d = edit_distance(word, candidate);
    if (d < best) {
      best = d;
      name = candidate;
    }
  }
  return std::string(name);
}

UsageError unknown_name(std::string_view family, std::string_view word, std::span<const std::string_view> names) {
  std::string message = "unknown " + std::string(family) + " '" + std::string(word) + "'";
  if (std::string near = nearest(word, names); !near.empty()) message += ": did you mean '" + near + "'?";
  message += " (known:";
  for (auto n : names) message += " " + std::string(n);
  return UsageError(message + ")");
}

}  // namespace llmkit
