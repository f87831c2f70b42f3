// Errors that stop a command. An Error says what went wrong, where, what was expected, what was found and what
// to do about it; the command line prints it on one line and turns its code into the exit status (design.md 7).
// For bad data that is expected and skipped (a damaged line), use Result<T> instead of throwing.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace llmkit {

enum class ExitCode : int {
  done = 0,
  failed = 1,        // bad data, bad model, input/output
  usage = 2,         // command line or config file
  too_many_bad = 3,  // finished, but more bad records than --max-bad
  gate_failed = 4,   // a --min NAME=VALUE gate was not met
  interrupted = 130  // stopped by a signal; the run can be resumed
};

// The parts of a message. Empty parts are left out of the text.
struct ErrorParts {
  std::string what;      // "not a safetensors file"
  std::string where;     // "model.safetensors, byte 8"
  std::string expected;  // "a header length below 100 MB"
  std::string found;     // "9223372036854775808"
  std::string hint;      // "is this the right file?"
};

class Error : public std::exception {
 public:
  explicit Error(ErrorParts parts, ExitCode code = ExitCode::failed);
  explicit Error(std::string what, ExitCode code = ExitCode::failed)
      : Error(ErrorParts{std::move(what), {}, {}, {}, {}}, code) {}

  // "WHERE: WHAT: expected E, found F (HINT)", control characters escaped.
  const char* what() const noexcept override { return message_.c_str(); }
  const ErrorParts& parts() const { return parts_; }
  ExitCode code() const { return code_; }

 private:
  ErrorParts parts_;
  std::string message_;
  ExitCode code_;
};

// A mistake on the command line or in a config file: exit code 2.
class UsageError : public Error {
 public:
  explicit UsageError(ErrorParts parts) : Error(std::move(parts), ExitCode::usage) {}
  explicit UsageError(std::string what) : Error(std::move(what), ExitCode::usage) {}
};

// `text` with control and non-UTF-8 bytes escaped, cut after `max_chars` with an ellipsis: safe for a terminal.
std::string printable(std::string_view text, size_t max_chars = 80);

}  // namespace llmkit
