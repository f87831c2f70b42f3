#include "engine/checkpoint.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "io/files.h"
#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::engine;
namespace fs = std::filesystem;

namespace {

std::function<void(const std::string&)> files_with(const std::string& content, io::System* system = nullptr) {
  return [=](const std::string& folder) {
    io::write_file_atomically(folder + "/model.safetensors", content, true, system);
    io::write_file_atomically(folder + "/state.json", "{\"content\": \"" + content + "\"}", true, system);
  };
}

std::vector<int64_t> steps_in(const std::string& folder) {
  std::vector<int64_t> steps;
  for (auto& c : list_checkpoints(folder)) steps.push_back(c.step);
  return steps;
}

void damage(const std::string& path, int64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  char c = static_cast<char>(file.get() ^ 1);
  file.seekp(at);
  file.put(c);
}

// Fails the n-th call that can run out of space, and every one after it, like a full disk.
class FullDisk final : public io::System {
 public:
  explicit FullDisk(int calls) : left_(calls) {}
  bool hit() const { return left_ < 0; }
  ssize_t write(int fd, const void* buffer, size_t bytes) override {
    return full() ? -1 : System::write(fd, buffer, bytes);
  }
  int fsync(int fd) override { return full() ? -1 : System::fsync(fd); }
  int rename(const char* from, const char* to) override { return full() ? -1 : System::rename(from, to); }

 private:
  bool full() {
    if (--left_ >= 0) return false;
    errno = ENOSPC;
    return true;
  }
  int left_;
};

}  // namespace

TEST_CASE("a saved checkpoint verifies, and the newest so many are kept") {
  TemporaryFolder folder;
  for (int64_t step : {5, 10, 999999, 1000000}) {
    auto saved = save_checkpoint(folder.path, step, files_with(std::to_string(step)), {.keep = 3});
    CHECK(verify_checkpoint(saved).empty());
  }
  CHECK(steps_in(folder.path) == std::vector<int64_t>{10, 999999, 1000000});
  std::vector<std::string> notes;
  CHECK(newest_valid_checkpoint(folder.path, notes)->step == 1000000);
  CHECK(notes.empty());
}

TEST_CASE("the schedule's newest stay beside a newer one off the schedule") {
  TemporaryFolder folder;
  Retention retention{.keep = 1, .every = 10, .milestone_every = 20};
  for (int64_t step : {0, 10, 20, 30, 33}) save_checkpoint(folder.path, step, files_with("x"), retention);
  CHECK(steps_in(folder.path) == std::vector<int64_t>{20, 30, 33});
  std::vector<std::string> notes;
  CHECK(newest_valid_checkpoint(folder.path, notes)->step == 33);
  CHECK(newest_scheduled_checkpoint(folder.path, retention, 33, notes)->step == 30);
  CHECK(newest_scheduled_checkpoint(folder.path, retention, 29, notes)->step == 20);
  save_checkpoint(folder.path, 35, files_with("x"), retention);
  CHECK(steps_in(folder.path) == std::vector<int64_t>{20, 30, 35});
  save_checkpoint(folder.path, 40, files_with("x"), retention);
  CHECK(steps_in(folder.path) == std::vector<int64_t>{20, 40});
}

TEST_CASE("a damaged checkpoint is passed over for the one before it, whatever the damage") {
  TemporaryFolder folder;
  auto newest = folder.path + "/step-000020";
  struct Case {
    const char* name;
    std::function<void()> spoil;
  };
  const Case cases[] = {
      {"a flipped bit", [&] { damage(newest + "/model.safetensors", 3); }},
      {"a file cut short", [&] { fs::resize_file(newest + "/model.safetensors", 2); }},
      {"a missing file", [&] { fs::remove(newest + "/state.json"); }},
      {"a manifest of nothing", [&] { io::write_file_atomically(newest + "/manifest.json", "{\"files\": []}"); }},
      {"a missing manifest", [&] { fs::remove(newest + "/manifest.json"); }},
      {"an empty manifest", [&] { fs::resize_file(newest + "/manifest.json", 0); }},
      {"a manifest of another kind", [&] { std::ofstream(newest + "/manifest.json") << "[1, 2]"; }},
      {"a path out of the folder",
       [&] { std::ofstream(newest + "/manifest.json") << R"({"files":[{"name":"../x","bytes":1,"xxh3":""}]})"; }},
  };
  for (auto& c : cases) {
    CAPTURE(c.name);
    save_checkpoint(folder.path, 10, files_with("older"), {.keep = 2});
    save_checkpoint(folder.path, 20, files_with("newer"), {.keep = 2});
    c.spoil();
    std::vector<std::string> notes;
    auto found = newest_valid_checkpoint(folder.path, notes);
    REQUIRE(found);
    CHECK(found->step == 10);
    CHECK(notes.size() == 1);
    fs::remove_all(newest);
  }
}

TEST_CASE("no checkpoint, no folder and foreign names are no checkpoints") {
  TemporaryFolder folder;
  std::vector<std::string> notes;
  CHECK_FALSE(newest_valid_checkpoint(folder.path + "/none", notes));
  for (const char* name : {"step-", "step-12x", "step-000007.tmp", "other"})
    fs::create_directory(folder.path + "/" + name);
  CHECK_FALSE(newest_valid_checkpoint(folder.path, notes));
  CHECK(notes.empty());
}

TEST_CASE("a disk that is full at any point of a save leaves the old checkpoint as the newest valid one") {
  TemporaryFolder folder;
  save_checkpoint(folder.path, 10, files_with("older"), {.keep = 1});
  int failures = 0;
  for (int calls = 0;; ++calls) {
    FullDisk disk(calls);
    try {
      save_checkpoint(folder.path, 20, files_with("newer", &disk), {.keep = 1}, &disk);
    } catch (const Error&) {
    }
    std::vector<std::string> notes;
    auto found = newest_valid_checkpoint(folder.path, notes);
    REQUIRE(found);
    CHECK(notes.empty());
    if (!disk.hit()) {
      CHECK(found->step == 20);
      break;
    }
    ++failures;
    // The last calls come after the rename that makes the checkpoint visible; until then the old one stands.
    if (found->step == 20)
      fs::remove_all(found->path), save_checkpoint(folder.path, 10, files_with("older"), {.keep = 1});
    REQUIRE(steps_in(folder.path) == std::vector<int64_t>{10});
  }
  CHECK(failures >= 9);  // write, fsync and rename of three files
}

TEST_CASE("saving an earlier step drops the later ones: a rewound run does not resume from its abandoned future") {
  TemporaryFolder folder;
  for (int64_t step : {10, 20, 30}) save_checkpoint(folder.path, step, files_with("a"), {.keep = 5});
  save_checkpoint(folder.path, 15, files_with("b"), {.keep = 5});
  CHECK(steps_in(folder.path) == std::vector<int64_t>{10, 15});
}
