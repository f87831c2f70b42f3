#include "pretrain/verify_resume.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/log.h"
#include "formats/safetensors.h"
#include "io/files.h"
#include "pretrain/pretrain.h"

namespace llmkit::pretrain {
namespace {

namespace fs = std::filesystem;

std::string checkpoint_name(int64_t step) {
  char name[48];
  std::snprintf(name, sizeof name, "checkpoints/step-%06lld/", static_cast<long long>(step));
  return name;
}

// The same run, but only its first `steps`, without what would take time and proves nothing.
PretrainOptions shortened(const PretrainOptions& options, const std::string& folder, int64_t steps) {
  PretrainOptions out = options;
  out.run.output = folder;
  out.run.resume = out.run.dry_run = false;
  out.run.stop_after = steps;
  out.run.checkpoint_every = std::max<int64_t>(1, steps / 5);
  out.run.eval_every = out.run.sample_every = std::max<int64_t>(1, steps / 2);
  out.run.eval_tokens = static_cast<double>(options.train.batch * options.model.context * 2);
  out.run.sample_tokens = std::min<int64_t>(options.run.sample_tokens, 16);
  out.run.statistics_every = std::max<int64_t>(1, steps / 4);
  out.run.keep = 2;
  out.train.peak_gflops = 1;  // MFU is of no interest here
  return out;
}

engine::FitResult leg(PretrainOptions& options, int64_t until, bool resume, bool save, Context& context, int threads,
                      const std::function<std::string()>& config) {
  options.run.resume = resume;
  options.run.stop_after = until;
  options.run.save_at_stop = save;
  Parallel parallel(threads);
  Context own{parallel, context.stop, context.progress, context.seed, context.memory_bytes, false};
  return pretrain(options, own, config).fit;
}

}  // namespace

bool ResumeVerdict::equal() const {
  return std::all_of(files.begin(), files.end(), [](auto& file) { return file.difference.empty(); });
}

std::string first_difference(const std::string& one, const std::string& other) {
  io::MappedFile a = io::map_file(one), b = io::map_file(other);
  std::string_view x = a.text(), y = b.text();
  if (x == y) return {};
  if (one.ends_with(".safetensors") && x.size() == y.size()) {
    auto first = formats::SafetensorsFile::open(one), second = formats::SafetensorsFile::open(other);
    for (auto& tensor : first.tensors()) {
      const formats::TensorView* same = second.find(tensor.name);
      if (!same) return "tensor " + std::string(tensor.name) + " is missing";
      if (tensor.data.size() != same->data.size() ||
          std::memcmp(tensor.data.data(), same->data.data(), tensor.data.size()) != 0)
        return "tensor " + std::string(tensor.name);
    }
  }
  auto at = static_cast<size_t>(
      std::mismatch(x.begin(), x.begin() + static_cast<int64_t>(std::min(x.size(), y.size())), y.begin()).first -
      x.begin());
  if (one.ends_with(".jsonl") || one.ends_with(".txt"))
    return "line " + std::to_string(1 + std::count(x.begin(), x.begin() + static_cast<int64_t>(at), '\n'));
  return "byte " + std::to_string(at + 1);
}

ResumeVerdict verify_resume(const PretrainOptions& options, int64_t steps, const std::string& folder, Context& context,
                            const std::function<std::string()>& resolved_config) {
  if (context.ranks.size() > 1)
    throw UsageError("--verify-resume runs in one process: the result is the same for any number");
  if (fs::exists(folder) && !context.force)
    throw UsageError(ErrorParts{"the scratch folder exists", folder, {}, {}, "--force replaces it"});
  fs::remove_all(folder);
  if (steps < 4)
    throw UsageError(ErrorParts{"--verify-resume needs some steps", {}, "4 or more", std::to_string(steps), {}});
  ResumeVerdict verdict;
  verdict.steps = steps;
  int64_t every = std::max<int64_t>(1, steps / 5);
  verdict.broken_off_at =
      std::max<int64_t>(1, steps * 2 / 5 + (every > 1));  // between two checkpoints where there is room
  verdict.stopped_at = std::max(verdict.broken_off_at + 1, steps * 7 / 10);
  int threads = context.parallel.threads(), others = threads == 1 ? 2 : threads / 2;
  std::string whole = folder + "/whole", pieces = folder + "/pieces";
  log::info("verify-resume: " + std::to_string(steps) + " steps in one piece, " + std::to_string(threads) + " threads");
  PretrainOptions unbroken = shortened(options, whole, steps);
  int64_t done = leg(unbroken, steps, false, true, context, threads, resolved_config).step;
  if (done < steps && !context.stop.requested())
    throw UsageError(ErrorParts{"--verify-resume takes more steps than the run has",
                                {},
                                "at most " + std::to_string(done),
                                std::to_string(steps),
                                {}});
  PretrainOptions broken = shortened(options, pieces, steps);
  broken.train = unbroken.train;  // --minutes measures once, not once a piece
  log::info("verify-resume: broken off behind step " + std::to_string(verdict.broken_off_at) + ", nothing saved");
  leg(broken, verdict.broken_off_at, false, false, context, threads, resolved_config);
  log::info("verify-resume: resumed with " + std::to_string(others) + " threads, stopped behind step " +
            std::to_string(verdict.stopped_at));
  verdict.resumed_from = leg(broken, verdict.stopped_at, true, true, context, others, resolved_config).resumed_from;
  log::info("verify-resume: resumed to step " + std::to_string(steps));
  leg(broken, steps, true, true, context, threads, resolved_config);
  if (context.stop.requested()) {
    verdict.interrupted = true;
    fs::remove_all(folder);
    return verdict;
  }
  std::string last = checkpoint_name(steps);
  for (const std::string& name : {std::string("metrics.jsonl"), std::string("samples.txt"), last + "state.json",
                                  last + "model.safetensors", last + "optimizer.safetensors", last + "manifest.json"}) {
    verdict.files.push_back(
        {name, fs::file_size(whole + "/" + name), first_difference(whole + "/" + name, pieces + "/" + name)});
  }
  if (verdict.equal()) fs::remove_all(folder);
  return verdict;
}

}  // namespace llmkit::pretrain
