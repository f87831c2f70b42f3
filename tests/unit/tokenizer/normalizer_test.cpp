#include "tokenizer/normalizer.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace llmkit::tokenizer;

namespace {

std::string normal(std::vector<std::string> specs, std::string_view text, TextStart start = TextStart::document) {
  std::string out, again;
  std::vector<size_t> origins;
  NormalizerChain chain(specs);
  chain.normalize(text, start, out, nullptr);
  chain.normalize(text, start, again, &origins);
  CHECK(out == again);
  CHECK(origins.size() == out.size());
  CHECK(std::is_sorted(origins.begin(), origins.end()));
  for (size_t at : origins) CHECK(at <= text.size());
  return out;
}

}  // namespace

TEST_CASE("metaspace marks spaces and puts one mark in front") {
  CHECK(normal({"metaspace"}, "a  b") == "▁a▁▁b");
  CHECK(normal({"metaspace"}, " a") == "▁a");
  CHECK(normal({"metaspace"}, "") == "");
  CHECK(normal({"metaspace:prepend=first"}, "a", TextStart::segment) == "a");
  CHECK(normal({"metaspace:prepend=never"}, "a b") == "a▁b");
  CHECK(normal({"metaspace"}, "a b", TextStart::inside) == "a▁b");
}

TEST_CASE("a chain applies its steps in order and maps every byte to where it came from") {
  CHECK(normal({"prepend", "replace"}, " a b") == "▁▁a▁b");
  CHECK(normal({"prepend", "replace"}, "a", TextStart::inside) == "a");
  CHECK(normal({"replace:from=aa,to=b", "replace:from=b,to=cc"}, "aaab") == "ccacc");
  std::string out;
  std::vector<size_t> origins;
  NormalizerChain({"prepend", "replace"}).normalize("a b", TextStart::document, out, &origins);
  CHECK(origins == std::vector<size_t>{0, 0, 0, 0, 1, 1, 1, 2});
}
