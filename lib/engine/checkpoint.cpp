#include "engine/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "formats/json.h"
#include "io/files.h"

namespace llmkit::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "manifest.json";
constexpr uint64_t kMaxManifestBytes = 1 << 20;

std::string folder_name(int64_t step) {
  char name[32];
  std::snprintf(name, sizeof name, "step-%06lld", static_cast<long long>(step));
  return name;
}

std::optional<int64_t> step_of(const std::string& name) {
  constexpr std::string_view kPrefix = "step-";
  if (name.rfind(kPrefix, 0) != 0) return std::nullopt;
  int64_t step = 0;
  auto [end, error] = std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), step);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return step;
}

std::string hash_of(const std::string& path, uint64_t& bytes) {
  io::MappedFile file = io::map_file(path);
  file.will_read_in_order();
  bytes = file.bytes().size();
  constexpr size_t kAtOnce = size_t{1} << 22;  // the state of a large model is not to count as memory once more
  Xxh3 hash;
  for (size_t begin = 0; begin < bytes; begin += kAtOnce) {
    std::string_view part = file.text().substr(begin, kAtOnce);
    hash.update(part);
    file.done_with(begin, part.size());
  }
  return hex(hash.digest64());
}

std::string manifest_of(const std::string& folder) {
  std::vector<std::string> names;
  for (auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  std::string text;
  JsonWriter json(text, 1);
  json.begin_object().key("files").begin_array();
  for (auto& name : names) {
    uint64_t bytes = 0;
    std::string hash = hash_of(folder + "/" + name, bytes);
    json.begin_object().member("name", name).member("bytes", bytes).member("xxh3", hash).end_object();
  }
  json.end_array().end_object();
  return text + "\n";
}

// The manifest goes first, so that what is half removed after a kill is no checkpoint.
void remove_checkpoint(const std::string& path) {
  std::error_code ignored;
  fs::remove(path + "/" + kManifest, ignored);
  fs::remove_all(path, ignored);
}

void remove_unwanted(const std::string& folder, int64_t newest, const Retention& retention) {
  auto all = list_checkpoints(folder);
  int64_t kept = 0;
  for (auto checkpoint = all.rbegin(); checkpoint != all.rend(); ++checkpoint) {
    int64_t step = checkpoint->step;
    // Those of a later step belong to a run that was rewound: they are not newer than this one.
    bool stays = step == newest || (step < newest && retention.milestone(step));
    if (step <= newest && retention.scheduled(step) && kept < std::max<int64_t>(retention.keep, 1)) {
      ++kept;
      stays = true;
    }
    if (!stays) remove_checkpoint(checkpoint->path);
  }
  std::error_code ignored;
  for (auto& entry : fs::directory_iterator(folder, ignored)) {
    auto extension = entry.path().extension();
    if (extension == ".tmp" || extension == ".old") fs::remove_all(entry.path(), ignored);
  }
}

std::optional<Checkpoint> newest_valid(std::vector<Checkpoint> all, std::vector<std::string>& notes) {
  for (auto checkpoint = all.rbegin(); checkpoint != all.rend(); ++checkpoint) {
    std::string wrong = verify_checkpoint(*checkpoint);
    if (wrong.empty()) return *checkpoint;
    notes.push_back("checkpoint of step " + std::to_string(checkpoint->step) + " is damaged and passed over: " + wrong);
  }
  return std::nullopt;
}

}  // namespace

Checkpoint save_checkpoint(const std::string& folder, int64_t step,
                           const std::function<void(const std::string& folder)>& write, const Retention& retention,
                           io::System* system) {
  Checkpoint saved{step, folder + "/" + folder_name(step)};
  io::make_folders(folder);
  io::AtomicFolder output(saved.path, true, system);
  write(output.work_path());
  io::write_file_atomically(output.file(kManifest), manifest_of(output.work_path()), true, system);
  output.finish();

  remove_unwanted(folder, step, retention);
  return saved;
}

std::vector<Checkpoint> list_checkpoints(const std::string& folder) {
  std::vector<Checkpoint> found;
  std::error_code error;
  for (auto& entry : fs::directory_iterator(folder, error))
    if (auto step = step_of(entry.path().filename().string())) found.push_back({*step, entry.path().string()});
  std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.step < b.step; });
  return found;
}

std::string verify_checkpoint(const Checkpoint& checkpoint) try {
  std::string where = checkpoint.path + "/" + kManifest;
  formats::Json manifest = formats::parse_json(io::read_file(where, kMaxManifestBytes), where);
  const formats::JsonArray& files = manifest.get_array("files");
  if (files.empty()) return where + " names no files";
  for (auto& entry : files) {
    std::string name = entry.get_string("name");
    if (name.find('/') != std::string::npos) return where + " names a file outside the checkpoint";
    uint64_t bytes = 0;
    std::string hash = hash_of(checkpoint.path + "/" + name, bytes);
    auto expected = static_cast<uint64_t>(entry.get_int("bytes"));
    if (bytes != expected)
      return name + " has " + std::to_string(bytes) + " bytes instead of " + std::to_string(expected);
    if (hash != entry.get_string("xxh3")) return name + " differs from its checksum";
  }
  return {};
} catch (const Error& error) {
  return error.what();
}

std::optional<Checkpoint> newest_valid_checkpoint(const std::string& folder, std::vector<std::string>& notes) {
  return newest_valid(list_checkpoints(folder), notes);
}

std::optional<Checkpoint> newest_scheduled_checkpoint(const std::string& folder, const Retention& retention,
                                                      int64_t step, std::vector<std::string>& notes) {
  auto all = list_checkpoints(folder);
  std::erase_if(all, [&](const Checkpoint& c) { return c.step > step || !retention.scheduled(c.step); });
  return newest_valid(std::move(all), notes);
}

}  // namespace llmkit::engine
