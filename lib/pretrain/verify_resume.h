// Proves bit-exact resume on the user's own configuration: the first steps of the run are trained twice in a scratch
// folder, once in one piece and once broken off as by kill -9, resumed with another thread count, stopped as by SIGTERM
// and resumed again; then every file that must be equal is compared byte for byte.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "pretrain/options.h"

namespace llmkit::pretrain {

struct ResumeVerdict {
  struct File {
    std::string name;
    uint64_t bytes = 0;
    std::string difference;  // empty = equal; else where: "tensor layers.0.attention.qkv.weight", "line 12", "byte 77"
  };
  std::vector<File> files;
  int64_t steps = 0, broken_off_at = 0, resumed_from = 0, stopped_at = 0;
  bool interrupted = false;  // by a signal, before there was a verdict
  bool equal() const;
};

// `folder` is created, and removed again where all is equal.
ResumeVerdict verify_resume(const PretrainOptions& options, int64_t steps, const std::string& folder, Context& context,
                            const std::function<std::string()>& resolved_config);

// Where two files differ, or nothing; safetensors by tensor, .jsonl and .txt by line.
std::string first_difference(const std::string& one, const std::string& other);

}  // namespace llmkit::pretrain
