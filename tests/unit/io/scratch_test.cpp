#include "io/scratch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "io/input.h"

using namespace llmkit;
using namespace llmkit::io;

TEST_CASE("a scratch array keeps its content when it moves to disk") {
  ScratchArray<uint32_t> memory, disk(1 << 20);
  Rng rng{8};
  for (int i = 0; i < 2000; ++i) {
    std::vector<uint32_t> values(rng.below(1000));
    for (auto& v : values) v = rng.next_u32();
    memory.append(values);
    disk.append(values);
  }
  CHECK_FALSE(memory.on_disk());
  CHECK(disk.on_disk());
  REQUIRE(memory.size() == disk.size());
  CHECK(std::equal(memory.data(), memory.data() + memory.size(), disk.data()));
}

TEST_CASE("a temporary file can be opened again while it lives") {
  TemporaryFile file("");
  file.write("some ");
  file.write("bytes");
  auto input = open_input(file.path());
  CHECK(read_all(*input) == "some bytes");
}

TEST_CASE("a folder that does not exist is an error with a hint") {
  CHECK_THROWS_AS(TemporaryFile("/does/not/exist"), Error);
  ScratchArray<uint32_t> array(0, "/does/not/exist");
  CHECK_THROWS_AS(array.append(std::vector<uint32_t>{1}), Error);
}
