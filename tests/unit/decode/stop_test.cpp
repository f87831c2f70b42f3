#include "decode/stop.h"

#include <doctest/doctest.h>

using llmkit::decode::StopMatcher;

namespace {

// All that is shown when `text` arrives in pieces of `size` bytes.
std::string shown(const std::vector<std::string>& stops, const std::string& text, size_t size) {
  StopMatcher m(stops);
  std::string out;
  for (size_t i = 0; i < text.size(); i += size) out += m.push(text.substr(i, size));
  return out + m.flush();
}

}  // namespace

TEST_CASE("a stop string is never shown, however the text is cut") {
  for (size_t size = 1; size < 20; ++size) {
    CAPTURE(size);
    CHECK(shown({"\n\nUser:", "END"}, "hello\nworld\n\nUser: more", size) == "hello\nworld");
    CHECK(shown({"\n\nUser:", "END"}, "the ENcore of ENEND x", size) == "the ENcore of EN");
    CHECK(shown({"abc"}, "aab ababd ab", size) == "aab ababd ab");
  }
}

TEST_CASE("text that cannot begin a stop string is shown at once") {
  StopMatcher m({"###"});
  CHECK(m.push("abc#") == "abc");
  CHECK(m.push("d") == "#d");
  CHECK(m.push("###") == "");
  CHECK(m.stopped());
  CHECK(m.push("x") == "");
}

TEST_CASE("the earliest of several stop strings counts") {
  CHECK(shown({"lo", "he"}, "ab hello", 100) == "ab ");
}
