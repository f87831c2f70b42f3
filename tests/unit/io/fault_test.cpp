// What lib/io promises when a system call fails, for every call: the old file stays whole or the new one is there
// whole, nothing is left beside it, the failure is told; an interrupted or short call is no failure at all.
#include <doctest/doctest.h>

#include <functional>

#include "io/files.h"
#include "io/input.h"
#include "io/output.h"
#include "temporary_folder.h"
#include "unit/io/faults.h"

using namespace llmkit;
using namespace llmkit::io;

namespace {

const std::string kOld = "old content", kNew(700'000, 'n');

// Runs `write` with the N-th call failing, for N = 0, 1, … until it runs without meeting the fault.
void for_every_call(Fault fault, const std::function<void(System&, const std::string& path)>& write,
                    const std::function<std::string(const std::string&)>& content) {
  int64_t failures = 0;
  for (int64_t n = 0;; ++n) {
    CAPTURE(n);
    REQUIRE(n < 1000);
    TemporaryFolder scratch;
    std::string path = scratch.file("out");
    FastSystem healthy;
    write(healthy, path);  // a first version, then one over it
    std::string before = content(path);
    FaultySystem system(fault, n);
    bool threw = false;
    try {
      write(system, path);
    } catch (const Error& error) {
      threw = true;
      CHECK(std::string(error.what()).find("out") != std::string::npos);
    }
    CHECK(scratch.entries() == std::vector<std::string>{"out"});
    CHECK(content(path) == before);
    if (!system.failed()) {
      CHECK_FALSE(threw);
      break;
    }
    failures += threw;
    if (fault == Fault::short_count) CHECK_FALSE(threw);
  }
  if (fault == Fault::enospc || fault == Fault::eio) CHECK(failures >= 4);
}

std::string file_content(const std::string& path) {
  return read_file(path);
}

}  // namespace

TEST_CASE("a file is replaced whole or not at all, whichever call fails") {
  for (Fault fault : {Fault::enospc, Fault::eio, Fault::eintr, Fault::short_count}) {
    CAPTURE(static_cast<int>(fault));
    for (std::string content : {std::string(), kNew}) {
      for_every_call(
          fault, [&](System& system, const std::string& path) { write_file_atomically(path, content, true, &system); },
          file_content);
    }
  }
}

TEST_CASE("the old file stays when any call before the rename fails") {
  for (Fault fault : {Fault::enospc, Fault::eio}) {
    for (std::string name : {"out", "out.gz", "out.zst"}) {
      bool replaced = false;
      for (int64_t n = 0; !replaced; ++n) {
        CAPTURE(n);
        TemporaryFolder scratch;
        std::string path = scratch.file(name);
        FastSystem healthy;
        write_file_atomically(path, kOld, true, &healthy);
        FaultySystem system(fault, n);
        bool threw = false;
        try {
          OutputOptions options;
          options.replace = true;
          options.system = &system;
          auto output = create_output(path, options);
          for (size_t i = 0; i < kNew.size(); i += 10'000) output->write(std::string_view(kNew).substr(i, 10'000));
          output->finish();
        } catch (const Error& error) {
          threw = true;
          CHECK(std::string(error.what()).find(path) != std::string::npos);
        }
        CHECK(scratch.entries() == std::vector<std::string>{name});
        std::string now = read_all(*open_input(path));
        CHECK((now == kOld || now == kNew));
        if (now == kOld) CHECK(threw);
        if (!threw) {
          CHECK(now == kNew);
          CHECK((!system.failed() || fault == Fault::eio || fault == Fault::enospc));
          replaced = !system.failed();
        }
        REQUIRE(n < 200);
      }
    }
  }
}

TEST_CASE("an interrupted or short call changes nothing") {
  for (Fault fault : {Fault::eintr, Fault::short_count}) {
    bool reached_end = false;
    for (int64_t n = 0; !reached_end; ++n) {
      CAPTURE(n);
      TemporaryFolder scratch;
      FaultySystem writing(fault, n);
      OutputOptions options;
      options.system = &writing;
      // rename, stat and ftruncate are not interruptible on a local disk; whatever happens, it is whole or absent.
      bool threw = false;
      try {
        auto output = create_output(scratch.file("a.zst"), options);
        output->write(kNew);
        output->finish();
      } catch (const Error&) {
        threw = true;
      }
      if (!threw) {
        FaultySystem reading(fault, n);
        InputLimits limits;
        limits.system = &reading;
        std::string content;
        try {
          content = read_all(*open_input(scratch.file("a.zst"), limits));
          CHECK(content == kNew);
        } catch (const Error&) {
          CHECK(fault == Fault::eintr);
        }
      }
      if (fault == Fault::short_count) CHECK_FALSE(threw);
      CHECK(scratch.entries().size() <= 1);
      reached_end = !writing.failed();
      REQUIRE(n < 200);
    }
  }
}

TEST_CASE("a read that fails is an error that names the file") {
  TemporaryFolder scratch;
  write_file_atomically(scratch.file("a"), kNew);
  int closes_unseen = 0;
  for (int64_t n = 0;; ++n) {
    FaultySystem system(Fault::eio, n);
    InputLimits limits;
    limits.system = &system;
    bool threw = false;
    try {
      std::string content = read_all(*open_input(scratch.file("a"), limits));
      CHECK(content == kNew);
    } catch (const Error& error) {
      threw = true;
      CHECK(std::string(error.what()).find("a: cannot") != std::string::npos);
    }
    if (!system.failed()) break;
    closes_unseen += !threw;  // that a file which was only read fails to close is no loss
    REQUIRE(n < 100);
  }
  CHECK(closes_unseen <= 2);
}

TEST_CASE("a folder is replaced whole or not at all, whichever call fails") {
  for (Fault fault : {Fault::enospc, Fault::eio}) {
    bool reached_end = false;
    for (int64_t n = 0; !reached_end; ++n) {
      CAPTURE(n);
      TemporaryFolder scratch;
      std::string path = scratch.file("run");
      auto write = [&](System& system, const std::string& content) {
        AtomicFolder folder(path, true, &system);
        write_file_atomically(folder.file("a"), content, true, &system);
        write_file_atomically(folder.file("b"), content, true, &system);
        folder.finish();
      };
      FastSystem healthy;
      write(healthy, "old");
      FaultySystem system(fault, n);
      bool threw = false;
      try {
        write(system, "new");
      } catch (const Error&) {
        threw = true;
      }
      CHECK(scratch.entries() == std::vector<std::string>{"run"});
      std::string a = read_file(path + "/a"), b = read_file(path + "/b");
      CHECK(a == b);
      CHECK((a == "new" || threw));
      reached_end = !system.failed();
      REQUIRE(n < 200);
    }
  }
}

TEST_CASE("a full disk is one clear line") {
  TemporaryFolder scratch;
  FaultySystem system(Fault::enospc, 4);
  OutputOptions options;
  options.system = &system;
  try {
    auto output = create_output(scratch.file("docs.jsonl"), options);
    output->write(kNew);
    output->finish();
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(
        std::string(error.what()) ==
        scratch.file("docs.jsonl") +
            ": cannot write: No space left on device (free some space or write elsewhere; the old file is untouched)");
  }
}

TEST_CASE("the full device and a closed pipe are told apart") {
  if (std::filesystem::exists("/dev/full")) {
    auto output = create_output("/dev/full");
    output->write("x");
    CHECK_THROWS_WITH_AS(output->finish(), doctest::Contains("No space left"), Error);
  }
  struct Closed : System {
    ssize_t write(int, const void*, size_t) override {
      errno = EPIPE;
      return -1;
    }
  } closed;
  OutputOptions options;
  options.system = &closed;
  auto output = create_output("-", options);
  output->write("x");
  CHECK_THROWS_AS(output->finish(), ReaderGone);
}

TEST_CASE("a second writer of the same file is refused, and what a killed one left is reused") {
  TemporaryFolder scratch;
  std::string path = scratch.file("a");
  {
    auto first = create_output(path);
    CHECK_THROWS_WITH_AS(create_output(path), doctest::Contains("being written by another process"), Error);
    first->write("one");
    first->finish();
  }
  std::filesystem::remove(path);
  write_file_atomically(scratch.file(".a.llmkit-tmp"), "left over and longer");
  write_file_atomically(path, "two");
  CHECK(read_file(path) == "two");
  CHECK(scratch.entries() == std::vector<std::string>{"a"});
}
