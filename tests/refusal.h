// What a call is refused with.
#pragma once

#include <string>

#include "base/error.h"

// The text of the Error that f() throws, empty where it throws none.
template <class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const llmkit::Error& e) {
    return e.what();
  }
  return {};
}
