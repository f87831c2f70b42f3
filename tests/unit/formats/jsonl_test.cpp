#include "formats/jsonl.h"

#include <doctest/doctest.h>

#include "formats/json.h"
#include "io/files.h"
#include "io/output.h"
#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::formats;

namespace {

std::string reason(std::string_view line) {
  auto parsed = parse_document(line);
  return parsed ? "good" : parsed.refusal().reason;
}

std::string rewritten(std::string_view line) {
  auto parsed = parse_document(line);
  REQUIRE(parsed);
  std::string out;
  write_document(out, *parsed);
  return out;
}

}  // namespace

TEST_CASE("the members of a line are read, unescaped") {
  auto parsed =
      parse_document(R"( { "id" : "a", "text":"x\n\u00e9\ud83d\ude00\"","url":"u","source":"s","lang":"en" } )");
  REQUIRE(parsed);
  CHECK(parsed->id == "a");
  CHECK(parsed->text == "x\né😀\"");
  CHECK(parsed->url == "u");
  CHECK(parsed->source == "s");
  CHECK(parsed->lang == "en");
  CHECK(parsed->extra.empty());
}

TEST_CASE("unknown members pass through byte for byte") {
  const std::string extra =
      R"("meta" :  {"a": [1, 2.50, 1e400000, "\u0041}\\\""] , "b":{}}, "n":-0.0, "t": true, "s" : "\/\\", "e\"y": null)";
  // 1e400000 is no number that a double holds, so it is refused; everything else stays as it was written.
  CHECK(reason("{\"text\": \"x\", " + extra + "}") == "invalid-json");
  std::string fine = extra;
  fine.replace(fine.find("1e400000"), 8, "1E+5");
  CHECK(rewritten("{\"text\": \"x\", " + fine + "}") == "{\"text\": \"x\", " + fine + "}\n");
  CHECK(rewritten("{" + fine + ", \"text\": \"x\"}") == "{\"text\": \"x\", " + fine + "}\n");
}

TEST_CASE("an id that is a number stays one, and known members of other types pass through") {
  CHECK(rewritten(R"({"id": 17, "text": ""})") == "{\"id\": 17, \"text\": \"\"}\n");
  CHECK(rewritten(R"({"id": "17", "text": ""})") == "{\"id\": \"17\", \"text\": \"\"}\n");
  CHECK(rewritten(R"({"text": "", "lang": null, "url": ["a"]})") == "{\"text\": \"\", \"url\": [\"a\"]}\n");
}

TEST_CASE("other keys can be named") {
  DocumentKeys keys;
  keys.text = "content";
  auto parsed = parse_document(R"({"content": "x", "text": 1})", keys);
  REQUIRE(parsed);
  CHECK(parsed->text == "x");
  CHECK(parsed->extra == "\"text\": 1");
}

TEST_CASE("each kind of damage has its own reason") {
  CHECK(reason(R"({"text": "x"})") == "good");
  CHECK(reason(R"({"text": "x")") == "invalid-json");
  CHECK(reason(R"({"text": "x"} {})") == "invalid-json");
  CHECK(reason(R"({'text': 'x'})") == "invalid-json");
  CHECK(reason("{\"text\": \"\x01\"}") == "invalid-json");
  CHECK(reason("{\"text\": \"\xff\"}") == "invalid-utf8");
  CHECK(reason("{\"text\": \"\xed\xa0\x80\"}") == "invalid-utf8");
  CHECK(reason("\xff") == "invalid-utf8");
  CHECK(reason(R"(["text"])") == "not-an-object");
  CHECK(reason(R"("text")") == "not-an-object");
  CHECK(reason(R"({"txt": "x"})") == "missing-text");
  CHECK(reason(R"({"text": 5})") == "text-not-a-string");
  CHECK(reason("{\"text\": \"\", \"a\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}") == "too-deep");
  CHECK(reason("") == "invalid-json");
}

TEST_CASE("a string is written so that it reads back equal, invalid bytes as U+FFFD") {
  std::string text;
  for (int c = 0; c < 128; ++c) text += static_cast<char>(c);
  for (size_t shift = 0; shift < 9; ++shift) {
    std::string shifted = std::string(shift, 'a') + text + "é漢😀";
    std::string out = "{\"text\": ";
    append_json_string(out, shifted);
    auto parsed = parse_document(out + "}");
    REQUIRE(parsed);
    CHECK(parsed->text == shifted);
  }
  std::string out;
  append_json_string(out,
                     "a\xff\xe6\xbc"
                     "b\xed\xa0\x80\xf0\x9f\x98\x80\n");
  CHECK(out ==
        "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
        "b\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD😀\\n\"");
}

TEST_CASE("a reader goes through many inputs, counts bad lines and says where the first ones are") {
  TemporaryFolder scratch;
  std::string lines;
  for (int i = 0; i < 1000; ++i) {
    lines += "{\"text\": \"" + std::to_string(i) + "\"}\n";
    if (i % 50 == 7) lines += "broken\n\n";
  }
  io::write_file_atomically(scratch.file("a.jsonl"), lines);
  auto packed = io::create_output(scratch.file("b.jsonl.zst"));
  packed->write("\xEF\xBB\xBF{\"text\": \"z\"}\r\n{\"text\": \"last\"}");
  packed->finish();
  io::write_file_atomically(scratch.file("c.txt"), "plain\ntext\n");
  io::write_file_atomically(scratch.file("empty.jsonl"), "");
  DocumentReader reader({scratch.file(".")});
  Document document;
  std::vector<std::string> texts;
  while (reader.next(document)) texts.push_back(document.text);
  CHECK(texts.size() == 1003);
  CHECK(texts[1000] == "z");
  CHECK(texts[1001] == "last");
  CHECK(texts[1002] == "plain\ntext\n");
  CHECK(reader.bad().total() == 20);
  CHECK(reader.bad().by_reason().at("invalid-json") == 20);
  REQUIRE(reader.bad().first().size() == 10);
  CHECK(reader.bad().first()[0].find("a.jsonl:9: invalid-json") != std::string::npos);
  CHECK(reader.bytes_in() == reader.total_bytes_in());
}

TEST_CASE("text files can be read a document a line") {
  TemporaryFolder scratch;
  io::write_file_atomically(scratch.file("c.txt"), "\xEF\xBB\xBFone\n\n\xff\n\xEF\xBB\xBFtwo");
  DocumentReaderOptions options;
  options.text_files = TextFiles::lines;
  DocumentReader reader({scratch.file("c.txt")}, options);
  Document document;
  REQUIRE(reader.next(document));
  CHECK(document.text == "one");
  CHECK(document.id == scratch.file("c.txt") + ":1");
  REQUIRE(reader.next(document));
  CHECK(document.text == "\xEF\xBB\xBFtwo");  // a mark only at the start of the file, text here
  CHECK_FALSE(reader.next(document));
  CHECK(reader.bad().by_reason().at("invalid-utf8") == 1);
}

TEST_CASE("all lines before the cut of a truncated gzip file are read, then comes an error") {
  TemporaryFolder scratch;
  auto packed = io::create_output(scratch.file("a.jsonl.gz"));
  for (int i = 0; i < 20'000; ++i) packed->write("{\"text\": \"" + std::to_string(i * 48271 % 65537) + "\"}\n");
  packed->finish();
  std::string bytes = io::read_file(scratch.file("a.jsonl.gz"));
  io::write_file_atomically(scratch.file("cut.jsonl.gz"), bytes.substr(0, bytes.size() / 2));
  DocumentReader reader({scratch.file("cut.jsonl.gz")});
  Document document;
  int count = 0;
  CHECK_THROWS_WITH_AS(
      [&] {
        while (reader.next(document)) ++count;
      }(),
      doctest::Contains("cut off"), Error);
  CHECK(count > 8'000);
  CHECK(count < 12'000);
  CHECK(reader.bad().total() == 0);
}

TEST_CASE("a line over the cap is counted and skipped") {
  TemporaryFolder scratch;
  io::write_file_atomically(scratch.file("a.jsonl"),
                            "{\"text\": \"" + std::string(5000, 'x') + "\"}\n{\"text\": \"ok\"}\n");
  DocumentReaderOptions options;
  options.max_line_bytes = 1000;
  DocumentReader reader({scratch.file("a.jsonl")}, options);
  Document document;
  REQUIRE(reader.next(document));
  CHECK(document.text == "ok");
  CHECK(reader.bad().by_reason().at("line-too-long") == 1);
}

TEST_CASE("a hundred thousand damaged lines among good ones are counted by reason and cost no good line") {
  TemporaryFolder scratch;
  const std::vector<std::pair<std::string, std::string>> damage = {{"{\"text\": \"cut", "invalid-json"},
                                                                   {"\xff\xfe\x00", "invalid-utf8"},
                                                                   {"[1, 2]", "not-an-object"},
                                                                   {"{\"txt\": 1}", "missing-text"},
                                                                   {"{\"text\": {}}", "text-not-a-string"},
                                                                   {"{\"text\": \"a\"}}", "invalid-json"},
                                                                   {"{\"text\": \"\xc3(\"}", "invalid-utf8"},
                                                                   {"plain text", "invalid-json"},
                                                                   {"{\"text\": \"a\", \"n\": 01}", "invalid-json"},
                                                                   {"{\"text\": \"\\ud800\"}", "invalid-json"}};
  std::string lines, good;
  for (size_t i = 0; i < 100'000; ++i) {
    lines += damage[i % damage.size()].first + "\n";
    std::string line = "{\"text\": \"" + std::to_string(i) + "\", \"n\": " + std::to_string(i) + "}\n";
    lines += line;
    good += line;
  }
  io::write_file_atomically(scratch.file("a.jsonl"), lines);
  DocumentReader reader({scratch.file("a.jsonl")});
  Document document;
  std::string out;
  while (reader.next(document)) write_document(out, document);
  CHECK((out == good));
  CHECK(reader.bad().total() == 100'000);
  std::map<std::string, int64_t> expected;
  for (auto& [line, why] : damage) expected[why] += 10'000;
  CHECK(reader.bad().by_reason() == expected);
}
