// A value, or the reason there is none: for bad data that a command counts and skips.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace llmkit {

// Why a record was refused: a stable kebab-case name to count by, and a sentence for the log.
struct Refusal {
  std::string reason;  // "invalid-json"
  std::string detail;  // "unclosed string at byte 17"
};

template <class T>
class Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Refusal refusal) : state_(std::in_place_index<1>, std::move(refusal)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Refusal& refusal() const { return std::get<1>(state_); }

 private:
  std::variant<T, Refusal> state_;
};

}  // namespace llmkit
