#include <doctest/doctest.h>

#include <filesystem>

#include "io/files.h"
#include "io/input.h"
#include "io/line_reader.h"
#include "io/output.h"
#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::io;

namespace {

std::string sample(size_t lines) {
  std::string out;
  for (size_t i = 0; i < lines; ++i) out += "line " + std::to_string(i * 7919 % 10007) + "\n";
  return out;
}

std::string write_and_read(const std::string& path, const std::string& content) {
  auto output = create_output(path);
  // In uneven pieces, so that buffers fill at odd places.
  for (size_t i = 0, piece = 1; i < content.size(); i += piece, piece = piece * 3 % 100'003 + 1)
    output->write(content.substr(i, piece));
  output->finish();
  auto input = open_input(path);
  return read_all(*input);
}

}  // namespace

TEST_CASE("what is written plain, as gzip and as zstd is read back") {
  TemporaryFolder scratch;
  for (size_t lines : {size_t{0}, size_t{1}, size_t{200'000}}) {
    std::string content = sample(lines);
    for (std::string name : {"a.txt", "a.txt.gz", "a.txt.zst"}) {
      std::string path = scratch.file(name + std::to_string(lines) + std::filesystem::path(name).extension().string());
      CHECK(write_and_read(path, content) == content);
    }
  }
}

TEST_CASE("the first bytes say what a file is, not its name") {
  TemporaryFolder scratch;
  create_output(scratch.file("x.gz"))->finish();
  write_file_atomically(scratch.file("y.gz"), "plain text");
  CHECK(read_all(*open_input(scratch.file("x.gz"))).empty());
  CHECK(read_all(*open_input(scratch.file("y.gz"))) == "plain text");
}

TEST_CASE("an existing file is only replaced when asked") {
  TemporaryFolder scratch;
  write_file_atomically(scratch.file("a"), "old");
  CHECK_THROWS_WITH_AS(create_output(scratch.file("a")), doctest::Contains("already exists"), Error);
  OutputOptions replace;
  replace.replace = true;
  auto output = create_output(scratch.file("a"), replace);
  output->write("new");
  CHECK(read_file(scratch.file("a")) == "old");
  output->finish();
  CHECK(read_file(scratch.file("a")) == "new");
}

TEST_CASE("an output that is not finished leaves nothing behind") {
  TemporaryFolder scratch;
  { create_output(scratch.file("a.zst"))->write("half"); }
  CHECK(scratch.entries().empty());
}

TEST_CASE("lines of every ending, and the last one without any") {
  auto input = open_memory("\xEF\xBB\xBFone\ntwo\r\n\nfour", "test");
  LineReader reader(*input);
  std::string_view line;
  std::vector<std::string> lines;
  std::vector<uint64_t> offsets;
  while (reader.next(line)) {
    lines.emplace_back(line);
    offsets.push_back(reader.offset());
  }
  CHECK(lines == std::vector<std::string>{"one", "two", "", "four"});
  CHECK(offsets == std::vector<uint64_t>{0, 7, 12, 13});
  CHECK(reader.line_number() == 4);
}

TEST_CASE("a line over the cap is cut and flagged, and the next one is whole") {
  std::string data = std::string(1'000'000, 'x') + "\nshort\n" + std::string(11, 'y') + "\n" + std::string(10, 'z');
  auto input = open_memory(data, "test");
  LineReader reader(*input, 10);
  std::string_view line;
  REQUIRE(reader.next(line));
  CHECK(reader.line_too_long());
  CHECK(line == "xxxxxxxxxx");
  REQUIRE(reader.next(line));
  CHECK_FALSE(reader.line_too_long());
  CHECK(line == "short");
  REQUIRE(reader.next(line));
  CHECK(reader.line_too_long());
  REQUIRE(reader.next(line));
  CHECK_FALSE(reader.line_too_long());
  CHECK(line == "zzzzzzzzzz");
  CHECK_FALSE(reader.next(line));
}

TEST_CASE("a folder is expanded to its files in sorted order") {
  TemporaryFolder scratch;
  std::filesystem::create_directories(scratch.file("d/b"));
  for (std::string name : {"d/z.jsonl", "d/a.jsonl.gz", "d/b/c.jsonl.zst", "d/.hidden.jsonl", "d/x.html"})
    write_file_atomically(scratch.file(name), "");
  auto found = list_inputs({"-", scratch.file("d"), scratch.file("d/x.html")}, {".jsonl"});
  CHECK(found == std::vector<std::string>{"-", scratch.file("d/a.jsonl.gz"), scratch.file("d/b/c.jsonl.zst"),
                                          scratch.file("d/z.jsonl"), scratch.file("d/x.html")});
  CHECK_THROWS_WITH_AS(list_inputs({scratch.file("none")}, {".jsonl"}), doctest::Contains("No such file"), Error);
}

TEST_CASE("a folder appears whole or not at all") {
  TemporaryFolder scratch;
  {
    AtomicFolder folder(scratch.file("run"));
    write_file_atomically(folder.file("a"), "1");
    CHECK_FALSE(std::filesystem::exists(scratch.file("run")));
  }
  CHECK(scratch.entries().empty());
  for (std::string content : {"1", "2"}) {
    AtomicFolder folder(scratch.file("run"), true);
    write_file_atomically(folder.file("a"), content);
    folder.finish();
    CHECK(read_file(scratch.file("run/a")) == content);
    CHECK(scratch.entries() == std::vector<std::string>{"run"});
  }
  CHECK_THROWS_WITH_AS(AtomicFolder(scratch.file("run")), doctest::Contains("already exists"), Error);
}
