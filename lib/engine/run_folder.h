// The folder of a training run and the rules about who may write in it.
//   config.toml  metrics.jsonl  timings.jsonl  samples.txt  events.out.tfevents.llmkit  checkpoints/step-000500/…
//   model/  report.html
// One process at a time holds it (an advisory lock on the file `lock`). metrics.jsonl and samples.txt are append-only
// and hold no clock: a checkpoint records their lengths and a resumed run cuts them there, so they too end up with the
// bytes of an uninterrupted run. The event file (TensorBoard's) is cut in the same way; clocks are in it, but the sizes
// of its records do not depend on them. timings.jsonl keeps what every process measured.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace llmkit::engine {

// An append-only text file that can be cut back to a recorded length. Without a path it only counts.
class AppendFile {
 public:
  AppendFile(std::string path, int64_t keep_bytes);  // throws if the file is shorter than `keep_bytes`
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void append(std::string_view text);  // in the file when it returns (not yet on the disk)
  void sync();                         // on the disk when it returns
  int64_t bytes() const { return bytes_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  int64_t bytes_;
};

// Of the logs that a checkpoint speaks of; 0 = a new run.
struct LogLengths {
  int64_t metrics = 0, samples = 0, events = 0;
  bool operator==(const LogLengths&) const = default;
};

enum class RunMode {
  fresh,    // the folder must not hold a run
  replace,  // what a run left there is removed
  resume,   // continue; an empty or missing folder starts a new run
  follow    // another rank of this run has the folder: nothing is read or written here
};

class RunFolder {
 public:
  RunFolder(std::string path, RunMode mode);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  std::string checkpoints() const { return file("checkpoints"); }

  // Opens the logs, cut to what the checkpoint in use recorded. A log that was removed or shortened since goes on with
  // the whole lines that are left (events: with none) and a warning. Returns the lengths at which they were opened.
  LogLengths open_logs(const LogLengths& lengths);
  LogLengths sync_logs();  // on the disk when it returns
  AppendFile& metrics() { return *metrics_; }
  AppendFile& samples() { return *samples_; }
  AppendFile& events() { return *events_; }
  AppendFile& timings() { return *timings_; }

 private:
  std::string path_;
  bool follow_;
  int lock_ = -1;
  std::unique_ptr<AppendFile> metrics_, samples_, events_, timings_;
};

}  // namespace llmkit::engine
