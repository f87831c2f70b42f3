#include "engine/data_parallel.h"

#include <algorithm>

#include "base/error.h"

namespace llmkit::engine {
namespace {

GroupRange groups_of(const Communicator& ranks, int64_t groups) {
  check_ranks(ranks.size(), groups);
  int64_t each = groups / ranks.size();
  return {ranks.rank() * each, each, groups};
}

std::byte* gradient_bytes(nn::ParameterStore& parameters) {
  return dispatch(parameters.dtype(), [&]<class T>() { return static_cast<std::byte*>(static_cast<void*>(parameters.gradients<T>().data())); });
}

// The tree over the ranks' sums, neighbours first.
double tree_sum(std::vector<double> sums) {
  for (size_t width = 1; width < sums.size(); width *= 2)
    for (size_t i = 0; i + width < sums.size(); i += 2 * width) sums[i] += sums[i + width];
  return sums[0];
}

constexpr int kSettingTag = kCollectiveTag + 2;

}  // namespace

void check_ranks(int ranks, int64_t groups) {
  log2_of(ranks, "the number of processes");
  if (ranks > groups)
    throw UsageError(ErrorParts{"more processes than gradient groups", {}, "--grad-groups " + std::to_string(ranks) + " or more",
                                std::to_string(groups), "llmkit help many-machines"});
}

DataParallel::DataParallel(Communicator& ranks, nn::ParameterStore& parameters, int64_t groups)
    : ranks_(ranks),
      parameters_(parameters),
      tree_(parameters, groups_of(ranks, groups)),
      exchange_(ranks, even_tiles(parameters.flat_size(), ranks.size()), parameters.dtype()) {}

void DataParallel::expect_same_everywhere(const Settings& settings) {
  if (ranks_.size() == 1) return;
  std::string mine;
  for (auto& [name, value] : settings) mine += name + '\n' + value + '\n';
  std::string leaders = mine;
  broadcast_text(ranks_, leaders);
  double differs = mine == leaders ? 0 : 1;
  std::vector<double> all = gather_all(ranks_, {&differs, 1});
  auto found = std::find(all.begin(), all.end(), 1.0);
  if (found == all.end()) return;
  // The first rank that differs tells all what it has.
  int other = static_cast<int>(found - all.begin());
  std::string theirs = ranks_.rank() == other ? mine : std::string();
  if (ranks_.rank() == other) {
    size_t size = theirs.size();
    ranks_.send(0, kSettingTag, std::as_bytes(std::span(&size, 1)))->wait();
    ranks_.send(0, kSettingTag, std::as_bytes(std::span(theirs)))->wait();
  } else if (leader()) {
    size_t size = 0;
    ranks_.receive(other, kSettingTag, std::as_writable_bytes(std::span(&size, 1)))->wait();
    theirs.resize(size);
    ranks_.receive(other, kSettingTag, std::as_writable_bytes(std::span(theirs)))->wait();
  }
  broadcast_text(ranks_, theirs);
  auto lines = [](const std::string& text) {
    std::vector<std::string> out;
    for (size_t at = 0; at < text.size();) {
      size_t end = text.find('\n', at);
      out.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return out;
  };
  std::vector<std::string> expected = lines(leaders), has = lines(theirs);
  for (size_t i = 0; i + 1 < expected.size() && i + 1 < has.size(); i += 2)
    if (expected[i] != has[i] || expected[i + 1] != has[i + 1])
      throw UsageError(ErrorParts{"the processes do not run the same thing: rank " + std::to_string(other) + " has another " + has[i],
                                  {}, expected[i + 1], has[i + 1], "the same program, options and data on every machine"});
  throw UsageError("the processes do not run the same program");
}

double DataParallel::accumulate(Objective& objective, int64_t step, int64_t micro_batches, const kernels::Exec& exec) {
  double loss = tree_.accumulate(objective, step, micro_batches, exec);
  if (ranks_.size() == 1) return loss;
  std::byte* gradients = gradient_bytes(parameters_);
  exchange_.reduce(exec, gradients);
  exchange_.share(gradients);
  return tree_sum(gather_all(ranks_, {&loss, 1}));
}

bool DataParallel::any(bool mine) {
  if (ranks_.size() == 1) return mine;
  double vote = mine ? 1 : 0;
  std::vector<double> all = gather_all(ranks_, {&vote, 1});
  return std::find(all.begin(), all.end(), 1.0) != all.end();
}

}  // namespace llmkit::engine
