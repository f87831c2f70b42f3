// What a command declares about its command line. From this one table come the parser, --help, the man page, the shell
// completions, the config keys (the long name without dashes) and the environment variables (LLMKIT_NAME).
// The value that a pointer holds when it is declared is the default that --help prints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace llmkit::cli {

struct Option {
  enum class Kind { text, list, integer, real, boolean, size, choice };
  using Target = std::variant<std::string*, std::vector<std::string>*, int64_t*, double*, bool*, uint64_t*>;

  Kind kind = Kind::text;
  Target target;
  char letter = 0;           // 'o', or 0
  std::string name;          // "output"; for a positional the metavar
  std::string metavar;       // "FILE"
  std::string help;          // one line, with the unit
  std::string group;         // title under which help shows it
  std::string default_text;  // as one would write it; empty = nothing to show
  double min = 0, max = 0;   // integer, real
  std::vector<std::string> choices;
  bool common = false;  // declared by the framework
  bool is_set = false;  // given by a flag, the environment or a config file

  // Parses one written value into the target; lists append. Throws UsageError naming `where` ("--threads").
  void assign(std::string_view written, std::string_view where);
  void clear_list();            // a source of higher precedence replaces the whole list
  std::string current() const;  // the value now, as TOML
};

class Options {
 public:
  // Operands. At most one list; `min_count` of them are required.
  void positional(std::string_view metavar, std::vector<std::string>* values, std::string_view help, int min_count = 0);
  // `flags` is "--long" or "-l,--long".
  void text(std::string_view flags, std::string* value, std::string_view metavar, std::string_view help);
  void list(std::string_view flags, std::vector<std::string>* values, std::string_view metavar, std::string_view help);
  void integer(std::string_view flags, int64_t* value, std::string_view metavar, std::string_view help,
               int64_t min = INT64_MIN, int64_t max = INT64_MAX);
  void real(std::string_view flags, double* value, std::string_view metavar, std::string_view help, double min = -1e300,
            double max = 1e300);
  void boolean(std::string_view flags, bool* value, std::string_view help);   // also --no-NAME
  void size(std::string_view flags, uint64_t* bytes, std::string_view help);  // 4G, 512M (1024-based)
  void choice(std::string_view flags, std::string* value, std::vector<std::string_view> choices, std::string_view help);
  void group(std::string_view title);  // options declared after it appear under it

  struct Operands {
    std::string metavar;
    std::vector<std::string>* values = nullptr;
    std::string help;
    int min_count = 0;
  };
  const Operands& operands() const { return operands_; }
  std::vector<Option>& all() { return options_; }
  const std::vector<Option>& all() const { return options_; }
  Option* find(std::string_view name);  // nullptr where there is none
  bool has(std::string_view name) const;
  bool given(std::string_view name) const;  // set by flag, environment or config: not the default

 private:
  Option& add(std::string_view flags, Option::Kind kind, Option::Target target, std::string_view metavar,
              std::string_view help);

  Operands operands_;
  std::vector<Option> options_;
  std::string group_;
};

}  // namespace llmkit::cli
