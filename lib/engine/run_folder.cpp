#include "engine/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/log.h"
#include "io/files.h"

namespace llmkit::engine {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what, const std::string& where, std::string hint = {}) {
  throw Error(ErrorParts{what + ": " + std::strerror(errno), where, {}, {}, std::move(hint)});
}

constexpr const char* kEvents = "events.out.tfevents.llmkit";  // TensorBoard looks for "tfevents"

// What a run leaves in its folder, and nothing else: --force removes these alone.
constexpr const char* kRunFiles[] = {"config.toml", "metrics.jsonl", "timings.jsonl", "samples.txt",  kEvents,
                                     "checkpoints", "model",         "report.html",   "manifest.json"};

// Where to go on in a log that has been `said` bytes long.
int64_t usable_bytes(const std::string& path, int64_t said, bool lines) {
  std::error_code error;
  auto there = static_cast<int64_t>(fs::exists(path, error) ? fs::file_size(path, error) : 0);
  if (there >= said) return said;
  log::warning(path + " is shorter than at the checkpoint: what is missing stays missing");
  return lines ? static_cast<int64_t>(io::read_file(path, static_cast<uint64_t>(there)).rfind('\n') + 1) : 0;
}

}  // namespace

AppendFile::AppendFile(std::string path, int64_t keep_bytes) : path_(std::move(path)), bytes_(keep_bytes) {
  if (path_.empty()) return;
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("cannot open", path_);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail("cannot read the size", path_);
  if (status.st_size < keep_bytes) {
    ::close(descriptor_);
    throw Error(ErrorParts{"shorter than the checkpoint says", path_, std::to_string(keep_bytes) + " bytes or more",
                           std::to_string(status.st_size) + " bytes", "was the file changed by hand?"});
  }
  if (::ftruncate(descriptor_, keep_bytes) != 0) fail("cannot cut", path_);
  if (::lseek(descriptor_, keep_bytes, SEEK_SET) < 0) fail("cannot seek", path_);
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AppendFile::append(std::string_view text) {
  if (descriptor_ < 0) {
    bytes_ += static_cast<int64_t>(text.size());
    return;
  }
  while (!text.empty()) {
    ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write", path_, "the newest checkpoint is intact: make room and use --resume");
    bytes_ += written;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

void AppendFile::sync() {
  if (descriptor_ >= 0 && ::fsync(descriptor_) != 0)
    fail("cannot write", path_, "the newest checkpoint is intact: make room and use --resume");
}

RunFolder::RunFolder(std::string path, RunMode mode) : path_(std::move(path)), follow_(mode == RunMode::follow) {
  if (follow_) return;
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw Error(ErrorParts{"cannot create the run folder: " + error.message(), path_, {}, {}, {}});
  lock_ = ::open(file("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0) fail("cannot create the run folder's lock", file("lock"));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    throw Error(
        ErrorParts{"another process is writing this run", path_, {}, {}, "wait for it, or choose another folder"});
  }
  if (mode == RunMode::resume) return;
  for (const char* name : kRunFiles) {
    if (!fs::exists(file(name))) continue;
    if (mode == RunMode::fresh) {
      ::close(lock_);
      throw UsageError(ErrorParts{"the folder already holds a run",
                                  path_,
                                  {},
                                  std::string(name),
                                  "--resume continues it, --force starts anew"});
    }
    fs::remove_all(file(name), error);
    if (error) {
      ::close(lock_);
      throw Error(ErrorParts{"cannot remove the earlier run: " + error.message(), file(name), {}, {}, {}});
    }
  }
}

RunFolder::~RunFolder() {
  if (lock_ >= 0) ::close(lock_);
}

LogLengths RunFolder::open_logs(const LogLengths& lengths) {
  if (follow_) {
    metrics_ = std::make_unique<AppendFile>("", lengths.metrics);
    samples_ = std::make_unique<AppendFile>("", lengths.samples);
    events_ = std::make_unique<AppendFile>("", lengths.events);
    timings_ = std::make_unique<AppendFile>("", 0);
    return lengths;
  }
  bool again = timings_ != nullptr;  // after a rewind
  const LogLengths usable{usable_bytes(file("metrics.jsonl"), lengths.metrics, true),
                          usable_bytes(file("samples.txt"), lengths.samples, true),
                          usable_bytes(file(kEvents), lengths.events, false)};
  metrics_ = std::make_unique<AppendFile>(file("metrics.jsonl"), usable.metrics);
  samples_ = std::make_unique<AppendFile>(file("samples.txt"), usable.samples);
  events_ = std::make_unique<AppendFile>(file(kEvents), usable.events);
  if (again) return usable;
  // A new run starts new timings; a resumed one adds to them, the last record of a step being the one that counts.
  std::error_code error;
  auto kept = lengths.metrics == 0 ? 0 : fs::file_size(file("timings.jsonl"), error);
  timings_ = std::make_unique<AppendFile>(file("timings.jsonl"), error ? 0 : static_cast<int64_t>(kept));
  return usable;
}

LogLengths RunFolder::sync_logs() {
  for (AppendFile* log : {metrics_.get(), samples_.get(), events_.get()}) log->sync();
  return {metrics_->bytes(), samples_->bytes(), events_->bytes()};
}

}  // namespace llmkit::engine
