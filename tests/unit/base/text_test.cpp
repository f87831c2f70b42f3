// Units, JSON, escaping, hashes, registries, errors: what turns values into text and back.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/error.h"
#include "base/hash.h"
#include "base/json_numbers.h"
#include "base/json_writer.h"
#include "base/progress.h"
#include "base/registry.h"
#include "base/result.h"
#include "base/rng.h"
#include "base/units.h"

using namespace llmkit;

TEST_CASE("sizes are 1024-based and exact") {
  CHECK(parse_size("4096") == 4096u);
  CHECK(parse_size("4k") == 4096u);
  CHECK(parse_size("1.5G") == 1610612736u);
  CHECK(parse_size("2MiB") == 2u << 20);
  CHECK(parse_size("18446744073709551615") == std::numeric_limits<uint64_t>::max());
  for (auto bad : {"", "-1", "4X", "G", "1e30", "4 G", "nan", "99999999999G", "1Gx"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_size(bad));
  }
  for (uint64_t bytes :
       {uint64_t{0}, uint64_t{1}, uint64_t{1000}, uint64_t{1} << 30, uint64_t{1536} << 20, ~uint64_t{0}})
    CHECK(parse_size(exact_size(bytes)) == bytes);
}

TEST_CASE("counts are 1000-based and whole") {
  CHECK(parse_count("10k") == 10000u);
  CHECK(parse_count("1e6") == 1000000u);
  CHECK(parse_count("2.5M") == 2500000u);
  for (auto bad : {"1.5", "-3", "1.0001k", "k", "", "1e", "inf"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_count(bad));
  }
}

TEST_CASE("percentages are shares of one") {
  CHECK(*parse_percent("1%") == doctest::Approx(0.01));
  CHECK(*parse_percent("100%") == 1.0);
  for (auto bad : {"1", "101%", "-1%", "%", "x%"}) CHECK_FALSE(parse_percent(bad));
}

TEST_CASE("bytes, counts and seconds are written for people") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(999) == "999 B");
  CHECK(format_bytes(1000) == "1.00 kB");
  CHECK(format_bytes(999950) == "1.00 MB");
  CHECK(format_bytes(3.42e9) == "3.42 GB");
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(1234567) == "1,234,567");
  CHECK(format_seconds(0.418) == "0.42 s");
  CHECK(format_seconds(59.99) == "1 min 00 s");
  CHECK(format_seconds(185) == "3 min 05 s");
  CHECK(format_seconds(8040) == "2 h 14 min");
}

TEST_CASE("JSON is written with separators, escapes and shortest numbers") {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("a", 1).member("b", 0.1).member("c", "x\n\"\\\x01").key("d").begin_array();
  json.value(true).null().value(std::nan("")).value(INFINITY).value(int64_t{-5}).value(~uint64_t{0}).end_array();
  json.key("e").begin_object().end_object().key("f").raw("[1]").end_object();
  CHECK(
      out ==
      R"({"a": 1, "b": 0.1, "c": "x\n\"\\\u0001", "d": [true, null, null, null, -5, 18446744073709551615], "e": {}, "f": [1]})");
}

TEST_CASE("indented JSON puts each member on its line") {
  std::string out;
  JsonWriter(out, 2).begin_object().member("a", 1).key("b").begin_array().value(2).end_array().end_object();
  CHECK(out == "{\n  \"a\": 1,\n  \"b\": [\n    2\n  ]\n}");
}

TEST_CASE("a list of numbers is written as one by one") {
  Rng rng({4});
  for (size_t count : {0, 1, 2, 255, 256, 257, 700}) {
    std::vector<int32_t> numbers(count);
    for (int32_t& n : numbers) n = static_cast<int32_t>(rng.below(uint64_t{1} << 32)) >> rng.below(32);
    if (count > 1) numbers[0] = INT32_MIN, numbers[1] = INT32_MAX;
    std::string one_by_one, list = "ids: ";
    JsonWriter json(one_by_one);
    json.begin_array();
    for (int32_t n : numbers) json.value(n);
    json.end_array();
    append_json_numbers(list, numbers);
    CHECK(list == "ids: " + one_by_one);
  }
}

TEST_CASE("doubles in JSON read back as the same value") {
  Rng rng({3});
  for (int i = 0; i < 2000; ++i) {
    double v = std::ldexp(rng.normal(), static_cast<int>(rng.below(600)) - 300);
    std::string out;
    JsonWriter(out).value(v);
    REQUIRE(std::strtod(out.c_str(), nullptr) == v);
  }
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD, one each") {
  CHECK(json_quote("a\xff"
                   "b") ==
        "\"a\xEF\xBF\xBD"
        "b\"");
  CHECK(json_quote("\xe4\xbd\xa0") == "\"\xe4\xbd\xa0\"");
  CHECK(json_quote("\xed\xa0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // a surrogate
  CHECK(json_quote("\xc0\x80\xf5") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // overlong, beyond U+10FFFF
}

TEST_CASE("text for a terminal holds no control characters and is cut") {
  CHECK(printable("a\x1b[31mb\n\t\x7f") == "a\\x1b[31mb\\n\\t\\x7f");
  CHECK(printable("\xc2\x9b"
                  "x") == "\\xc2\\x9bx");  // the one-byte CSI of C1
  CHECK(printable("你好", 1) == "你…");
  CHECK(printable("ok\xff") == "ok\\xff");
}

TEST_CASE("an error reads as where, what, expected, found and hint") {
  CHECK(
      std::string(
          Error(ErrorParts{"bad header", "m.bin, byte 8", "at most 100 MB", "8 EB", "is it the right file?"}).what()) ==
      "m.bin, byte 8: bad header: expected at most 100 MB, found 8 EB (is it the right file?)");
  CHECK(std::string(Error(ErrorParts{"", "--threads", "a number", "'x'", ""}).what()) ==
        "--threads: expected a number, found 'x'");
  CHECK(std::string(Error("plain").what()) == "plain");
  CHECK(UsageError("x").code() == ExitCode::usage);
}

TEST_CASE("a result holds a value or a reason") {
  Result<int> good(3), bad(Refusal{"invalid-json", "at byte 3"});
  CHECK(good);
  CHECK(*good == 3);
  CHECK_FALSE(bad);
  CHECK(bad.refusal().reason == "invalid-json");
}

// Values of xxHash 0.8's own sanity checks for empty input, and agreement of streaming with one call.
TEST_CASE("XXH3 gives the published value for no input, and pieces give what the whole gives") {
  CHECK(hex(xxh3_64(std::string_view())) == "2d06800538d394c2");
  CHECK(hex(xxh3_128(std::string_view())) == "99aa06d3014798d86001c324468d497f");
  std::string text;
  for (int i = 0; i < 5000; ++i) text += static_cast<char>(i * 7);
  Xxh3 pieces;
  for (size_t i = 0; i < text.size(); i += 37) pieces.update(std::string_view(text).substr(i, 37));
  CHECK(pieces.digest64() == xxh3_64(text));
  CHECK(pieces.digest128() == xxh3_128(text));
  CHECK(xxh3_64(text, 1) != xxh3_64(text));
}

namespace {

struct Thing {
  double p;
  int64_t k;
  bool flag;
  std::string name;
};

Registry<Thing> things() {
  Entry<Thing> entry;
  entry.name = "top-p";
  entry.summary = "a thing";
  entry.params = {{"p", ParamType::real, "0.9", "share", 0, 1},
                  {"k", ParamType::integer, "40", "count", 1, 1000},
                  {"flag", ParamType::boolean, "false", "switch"},
                  {"name", ParamType::text, "", "a text"}};
  entry.make = [](const Values& v) {
    return std::make_unique<Thing>(Thing{v.real("p"), v.integer("k"), v.boolean("flag"), v.text("name")});
  };
  return Registry<Thing>("thing", {entry});
}

std::string complaint(const std::string& spec) {
  try {
    things().make(spec);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a spec gives declared parameters their values and the others their defaults") {
  auto thing = things().make("top-p:p=0.5,flag=true,name=\"a,b=c\"");
  CHECK(thing->p == 0.5);
  CHECK(thing->k == 40);
  CHECK(thing->flag);
  CHECK(thing->name == "a,b=c");
  CHECK(things().make("top-p")->p == 0.9);
}

TEST_CASE("a wrong spec names the entry, the parameter and what was written") {
  CHECK(complaint("top-q").find("did you mean 'top-p'") != std::string::npos);
  CHECK(complaint("top-p:kk=1").find("'k'") != std::string::npos);
  CHECK(complaint("top-p:p=2").find("top-p: p") != std::string::npos);
  CHECK(complaint("top-p:k=1.5").find("an integer") != std::string::npos);
  CHECK(complaint("top-p:flag=yes").find("true or false") != std::string::npos);
  for (auto bad : {"", ":p=1", "top-p:p", "top-p:=1", "top-p:name=\"x", "top-p:name=\"x\"y=1", "top-p:p=nan"}) {
    CAPTURE(bad);
    CHECK(complaint(bad) != "");
  }
}

TEST_CASE("suggestions are near or none") {
  constexpr std::string_view kNames[] = {"dedup", "pretrain", "eval"};
  CHECK(nearest("dedpu", kNames) == "dedup");
  CHECK(nearest("pre-train", kNames) == "pretrain");
  CHECK(nearest("zzzzzzzz", kNames) == "");
}

TEST_CASE("a progress line fits its width and tells amount, rate and time left") {
  ProgressState state{"dedup", 5e8, 1e9, 10, "bytes", ""};
  CHECK(progress_line(state, 200, false) == "dedup 50% 500 MB of 1.00 GB, 50.0 MB/s, 10.0 s left");
  for (int width : {20, 40, 79}) {
    std::string line = progress_line(state, width, true);
    size_t columns = 0;
    for (unsigned char c : line) columns += (c & 0xC0) != 0x80;
    CHECK(columns <= static_cast<size_t>(width));
  }
  CHECK(progress_line({"x", 30, 60, 10, "steps", ""}, 68, true) ==
        "x 50% ██████████░░░░░░░░░░ 30 of 60 steps, 3.0 steps/s, 10.0 s left");
  CHECK(progress_line({"x", 30, 60, 10, "steps", ""}, 67, true) == "x 50% 30 of 60 steps, 3.0 steps/s, 10.0 s left");
  CHECK(progress_line({"x", 30, 0, 10, "steps", "loss 2.1"}, 200, true) == "x: 30 steps, 3.0 steps/s, loss 2.1");
}
