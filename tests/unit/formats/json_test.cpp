#include "formats/json.h"

#include <doctest/doctest.h>

using namespace llmkit;
using namespace llmkit::formats;

namespace {

std::string message(const auto& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("values keep their types, and integers are exact to 64 bits") {
  Json json = parse_json(
      R"({"i": -9223372036854775808, "u": 18446744073709551615, "r": 1.5, "w": 2.0, "s": "x", "n": null, "b": true, "a": [1, [2]]})",
      "f");
  CHECK(json.at("i").as_int() == INT64_MIN);
  CHECK(json.at("u").as_uint() == UINT64_MAX);
  CHECK(json.get_real("r") == 1.5);
  CHECK(json.get_real("i") == -0x1p63);
  CHECK(json.get_bool("b"));
  CHECK(json.get_array("a")[1].as_array()[0].as_int() == 2);
  CHECK(json.get_int("n", 7) == 7);
  CHECK(json.get_int("none", 8) == 8);
  CHECK(json.size() == 8);
  CHECK(message([] { parse_json("[18446744073709551616]", "f"); }).find("not valid JSON") != std::string::npos);
}

TEST_CASE("messages name the file and the path") {
  Json json =
      parse_json(R"({"hidden_size": "768", "rope": {"type": 5}, "layers": [{"x": 1}], "big": 18446744073709551615})",
                 "config.json");
  CHECK(message([&] { json.get_int("hidden_size"); }) ==
        "config.json: hidden_size: wrong type: expected integer, found string \"768\"");
  CHECK(message([&] { json.at("rope").get_string("type"); }) ==
        "config.json: rope.type: wrong type: expected string, found integer");
  CHECK(message([&] { json.get_array("layers")[0].get_int("y"); }) == "config.json: layers[0].y: missing");
  CHECK(message([&] { json.get_int("hidden_size", 5); }).find("expected integer") != std::string::npos);
  CHECK(message([&] { json.get_int("big"); }).find("below 2^63") != std::string::npos);
  CHECK(message([] { parse_json("{", "config.json"); }).starts_with("config.json: is not valid JSON"));
}

TEST_CASE("nesting is capped") {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(message([&] { parse_json(nested(250), "f"); }) == "no error");
  CHECK(message([&] { parse_json(nested(1'000'000), "f"); }) == "f: is nested too deep: expected at most 256 levels");
}

TEST_CASE("of equal keys the last counts, or they are refused") {
  std::string text = "{\"a\": 1, \"b\": 2, \"a\": 3}";
  CHECK(write_json(parse_json(text, "f")) == "{\"a\": 3, \"b\": 2}");
  JsonOptions strict;
  strict.refuse_duplicate_keys = true;
  CHECK(message([&] { parse_json(text, "f", strict); }) == "f: the key \"a\" appears twice");
}

TEST_CASE("large objects are searched by an index") {
  Json json = Json::object();
  for (int i = 0; i < 1000; ++i) json.set("k" + std::to_string(i), i);
  Json parsed = parse_json(write_json(json), "f");
  for (int i = 0; i < 1000; ++i) REQUIRE(parsed.get_int("k" + std::to_string(i)) == i);
  CHECK_FALSE(parsed.has("k1000"));
  parsed.set("k5", "new");
  parsed.set("k1000", 1);
  CHECK(parsed.get_string("k5") == "new");
  CHECK(parsed.get_int("k1000") == 1);
  CHECK(parsed.get_int("k999") == 999);
}

TEST_CASE("what is written reads back equal and stays what it was") {
  for (std::string text : {"{}", "[]", "null", "[1, -2, 18446744073709551615, 0.1, 1.0, -0.0, 1e+300, true]",
                           "{\"a\": {\"b\": [\"\\u0001\\n\\\"\"]}}"})
    CHECK(write_json(parse_json(text, "f")) == text);
  CHECK(write_json(parse_json("{\"a\":[1,2],\"b\":{}}", "f"), 2) ==
        "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}\n");
}
