#include "options.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/json_writer.h"
#include "base/registry.h"
#include "base/units.h"

namespace llmkit::cli {
namespace {

UsageError bad_value(std::string_view where, std::string expected, std::string_view written) {
  return UsageError(ErrorParts{"", std::string(where), std::move(expected), "'" + printable(written) + "'", ""});
}

std::string number_text(double v) {
  char buffer[40];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr};
}

std::string range_text(double min, double max) {
  bool low = min > -9e18, high = max < 9e18;
  if (low && high) return " from " + number_text(min) + " to " + number_text(max);
  if (low) return " of at least " + number_text(min);
  return high ? " of at most " + number_text(max) : "";
}

// Counts may be written 10000, 10k or 1e4; signs are allowed.
bool parse_integer(std::string_view text, int64_t& out) {
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc() && stop == text.data() + text.size()) return true;
  auto count = parse_count(text);
  if (!count || *count > static_cast<uint64_t>(INT64_MAX)) return false;
  out = static_cast<int64_t>(*count);
  return true;
}

}  // namespace

void Option::assign(std::string_view written, std::string_view where) {
  is_set = true;
  switch (kind) {
    case Kind::text:
      *std::get<std::string*>(target) = std::string(written);
      return;
    case Kind::list:
      std::get<std::vector<std::string>*>(target)->emplace_back(written);
      return;
    case Kind::integer: {
      int64_t v = 0;
      if (!parse_integer(written, v) || static_cast<double>(v) < min || static_cast<double>(v) > max) {
        throw bad_value(where, "a whole number" + range_text(min, max), written);
      }
      *std::get<int64_t*>(target) = v;
      return;
    }
    case Kind::real: {
      double v = 0;
      auto [stop, error] = std::from_chars(written.data(), written.data() + written.size(), v);
      if (error != std::errc() || stop != written.data() + written.size() || !(v >= min && v <= max)) {
        throw bad_value(where, "a number" + range_text(min, max), written);
      }
      *std::get<double*>(target) = v;
      return;
    }
    case Kind::boolean:
      if (written == "true" || written == "1" || written == "yes")
        *std::get<bool*>(target) = true;
      else if (written == "false" || written == "0" || written == "no")
        *std::get<bool*>(target) = false;
      else
        throw bad_value(where, "true or false", written);
      return;
    case Kind::size: {
      auto bytes = parse_size(written);
      if (!bytes) throw bad_value(where, "a size such as 512M or 4G", written);
      *std::get<uint64_t*>(target) = *bytes;
      return;
    }
    case Kind::choice: {
      std::vector<std::string_view> names(choices.begin(), choices.end());
      if (std::find(names.begin(), names.end(), written) == names.end()) {
        std::string all, near = nearest(written, names);
        for (auto& c : choices) all += (all.empty() ? "" : ", ") + c;
        throw UsageError(ErrorParts{"", std::string(where), "one of " + all, "'" + printable(written) + "'",
                                    near.empty() ? "" : "did you mean '" + near + "'?"});
      }
      *std::get<std::string*>(target) = std::string(written);
      return;
    }
  }
}

void Option::clear_list() {
  if (auto** values = std::get_if<std::vector<std::string>*>(&target)) (*values)->clear();
}

std::string Option::current() const {
  struct Visitor {
    std::string operator()(const std::string* v) const { return json_quote(*v); }
    std::string operator()(const std::vector<std::string>* v) const {
      std::string out = "[";
      for (auto& item : *v) out += (out.size() > 1 ? ", " : "") + json_quote(item);
      return out + "]";
    }
    std::string operator()(const int64_t* v) const { return std::to_string(*v); }
    std::string operator()(const double* v) const {
      std::string out = number_text(*v);
      return out.find_first_of(".en") == std::string::npos ? out + ".0" : out;  // TOML wants to see a float
    }
    std::string operator()(const bool* v) const { return *v ? "true" : "false"; }
    std::string operator()(const uint64_t* v) const { return json_quote(exact_size(*v)); }
  };
  return std::visit(Visitor{}, target);
}

void Options::positional(std::string_view metavar, std::vector<std::string>* values, std::string_view help,
                         int min_count) {
  operands_ = Operands{std::string(metavar), values, std::string(help), min_count};
}

Option& Options::add(std::string_view flags, Option::Kind kind, Option::Target target, std::string_view metavar,
                     std::string_view help) {
  Option option;
  option.kind = kind;
  option.target = target;
  if (flags.size() > 3 && flags[0] == '-' && flags[2] == ',') {
    option.letter = flags[1];
    flags.remove_prefix(3);
  }
  option.name = std::string(flags.substr(std::min<size_t>(2, flags.size())));
  option.metavar = std::string(metavar);
  option.help = std::string(help);
  option.group = group_;
  options_.push_back(std::move(option));
  return options_.back();
}

void Options::text(std::string_view flags, std::string* value, std::string_view metavar, std::string_view help) {
  add(flags, Option::Kind::text, value, metavar, help).default_text = *value;
}

void Options::list(std::string_view flags, std::vector<std::string>* values, std::string_view metavar,
                   std::string_view help) {
  Option& option = add(flags, Option::Kind::list, values, metavar, help);
  for (auto& v : *values) option.default_text += (option.default_text.empty() ? "" : " ") + v;
}

void Options::integer(std::string_view flags, int64_t* value, std::string_view metavar, std::string_view help,
                      int64_t min, int64_t max) {
  Option& option = add(flags, Option::Kind::integer, value, metavar, help);
  option.default_text = std::to_string(*value);
  option.min = static_cast<double>(min);
  option.max = static_cast<double>(max);
}

void Options::real(std::string_view flags, double* value, std::string_view metavar, std::string_view help, double min,
                   double max) {
  Option& option = add(flags, Option::Kind::real, value, metavar, help);
  option.default_text = number_text(*value);
  option.min = min;
  option.max = max;
}

void Options::boolean(std::string_view flags, bool* value, std::string_view help) {
  add(flags, Option::Kind::boolean, value, "", help).default_text = *value ? "on" : "";
}

void Options::size(std::string_view flags, uint64_t* bytes, std::string_view help) {
  add(flags, Option::Kind::size, bytes, "SIZE", help).default_text = *bytes ? exact_size(*bytes) : "";
}

void Options::choice(std::string_view flags, std::string* value, std::vector<std::string_view> choices,
                     std::string_view help) {
  Option& option = add(flags, Option::Kind::choice, value, "NAME", help);
  option.default_text = *value;
  option.choices.assign(choices.begin(), choices.end());
}

void Options::group(std::string_view title) {
  group_ = std::string(title);
}

Option* Options::find(std::string_view name) {
  auto found = std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.name == name; });
  return found == options_.end() ? nullptr : &*found;
}

bool Options::has(std::string_view name) const {
  return std::any_of(options_.begin(), options_.end(), [&](const Option& o) { return o.name == name; });
}

bool Options::given(std::string_view name) const {
  return std::any_of(options_.begin(), options_.end(), [&](const Option& o) { return o.name == name && o.is_set; });
}

}  // namespace llmkit::cli
