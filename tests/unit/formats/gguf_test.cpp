#include "formats/gguf.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "formats/wire.h"

using namespace llmkit;
using namespace llmkit::formats;

namespace {

GgufMetadata sample() {
  GgufMetadata m;
  m.entries = {{"a.text", {std::string("x\0y", 3)}},
               {"a.number", {int64_t{7}}},
               {"a.flag", {true}},
               {"a.real", {0.5}},
               {"a.texts", {std::vector<std::string>{"", "▁the"}}},
               {"a.numbers", {std::vector<int64_t>{-1, 2}}},
               {"a.reals", {std::vector<double>{-1.5, 1e10}}}};
  return m;
}

std::string refusal(const std::string& bytes) {
  try {
    parse_gguf_metadata(bytes, "x.gguf");
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("metadata come back as they were written") {
  GgufMetadata read = parse_gguf_metadata(write_gguf_metadata(sample()), "x.gguf");
  CHECK(read.entries.size() == 7);
  CHECK(read.text("a.text") == std::string("x\0y", 3));
  CHECK(read.integer("a.number") == 7);
  CHECK(read.boolean("a.flag") == true);
  CHECK(*read.texts("a.texts") == std::vector<std::string>{"", "▁the"});
  CHECK(*read.integers("a.numbers") == std::vector<int64_t>{-1, 2});
  CHECK(*read.reals("a.reals") == std::vector<double>{-1.5, 1e10});
  CHECK_FALSE(read.integer("absent"));
  CHECK_THROWS_AS(read.integer("a.text"), Error);
}

TEST_CASE("a file cut off anywhere is refused, and so are counts that it cannot hold") {
  std::string whole = write_gguf_metadata(sample());
  for (size_t size = 0; size < whole.size(); ++size) CHECK(refusal(whole.substr(0, size)) != "");
  CHECK(refusal(whole) == "");
  std::string huge = whole;
  huge[16 + 4] = 1;  // four billion more values
  CHECK(refusal(huge).find("bytes that are left") != std::string::npos);
  std::string wrong = whole;
  wrong[4] = 9;
  CHECK(refusal(wrong).find("version") != std::string::npos);
}

TEST_CASE("protocol buffers: what is written is read, what is cut off is refused") {
  WireWriter w;
  w.integer(1, 300);
  w.real(2, -1.5f);
  w.bytes(16, "abc");
  WireReader in(w.str(), "x");
  auto a = in.next(), b = in.next(), c = in.next();
  CHECK(a->integer == 300);
  CHECK(b->real() == -1.5f);
  CHECK(c->number == 16);
  CHECK(c->bytes == "abc");
  CHECK_FALSE(in.next());
  auto last_of = [](std::string_view bytes) {
    WireReader reader(bytes, "x");
    while (reader.next()) {
    }
  };
  CHECK_THROWS_AS(last_of(std::string_view(w.str()).substr(0, w.str().size() - 1)), Error);
  CHECK_THROWS_AS(last_of("\x0A\xFF\xFF\xFF\xFF\x0F"), Error);  // 4 GB claimed
  CHECK_THROWS_AS(last_of("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), Error);
  CHECK_THROWS_AS(last_of("\x03"), Error);
}
