#include "tokenizer/inspect.h"

#include <doctest/doctest.h>

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

// The bytes, "th" and "the".
Tokenizer small() {
  TokenizerParts parts;
  for (int b = 0; b < 256; ++b) parts.tokens.push_back(std::string(1, static_cast<char>(b)));
  parts.tokens.push_back("th");
  parts.tokens.push_back("the");
  parts.merges = {{'t', 'h', 256}, {256, 'e', 257}};
  return Tokenizer(parts);
}

}  // namespace

TEST_CASE("visible text has nothing that a terminal would obey") {
  CHECK(visible_text("a\x1B[31m\x7F\xC2\x9B\xFF\u200E\u00E9\u2028") ==
        "a<1B>[31m<7F><C2><9B><FF><E2><80><8E>\u00E9<E2><80><A8>");
}

TEST_CASE("tokens are set apart") {
  Tokenizer tokenizer = small();
  CHECK(paint_tokens(tokenizer, tokenizer.encode("the t\n\xC3\xA9"), Paint::bars) == "the| |t|\u23CE\n|<C3>|<A9>");
  CHECK(paint_tokens(tokenizer, tokenizer.encode("the"), Paint::colours) == "\x1B[30;48;5;153mthe\x1B[0m");
  CHECK(paint_tokens(tokenizer, {}, Paint::bars) == "");
}

TEST_CASE("the merges of a token in their order") {
  Tokenizer tokenizer = small();
  auto steps = merge_history(tokenizer.parts(), 257);
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].rank == 0);
  CHECK(steps[1].rank == 1);
  CHECK(steps[1].left == 256);
  CHECK(merge_history(tokenizer.parts(), 'x').empty());
}
