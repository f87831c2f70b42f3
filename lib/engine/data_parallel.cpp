#include "engine/data_parallel.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "kernels/reduce.h"

namespace llmkit::engine {
namespace {

GroupRange groups_of(const Communicator& ranks, int64_t groups) {
  check_ranks(ranks.size(), groups);
  int64_t each = groups / ranks.size();
  return {ranks.rank() * each, each, groups};
}

template <class T>
std::byte* bytes_of(std::span<T> block) {
  return static_cast<std::byte*>(static_cast<void*>(block.data()));
}

// The tree over the ranks' sums, neighbours first.
double tree_sum(std::vector<double> sums) {
  for (size_t width = 1; width < sums.size(); width *= 2)
    for (size_t i = 0; i + width < sums.size(); i += 2 * width) sums[i] += sums[i + width];
  return sums[0];
}

std::vector<Tile> update_tiles(const optim::Optimizer& optimizer, const nn::ParameterStore& parameters, int ranks) {
  return optimizer.takes_whole_parameters(parameters) ? parameter_tiles(parameters, ranks)
                                                      : even_tiles(parameters.flat_size(), ranks);
}

std::vector<optim::Span> share_of(int rank, const std::vector<Tile>& tiles) {
  std::vector<optim::Span> share;
  for (const Tile& tile : tiles)
    if (tile.owner == rank) share.push_back({tile.begin, tile.end()});
  return share;
}

constexpr int kSettingTag = kCollectiveTag + 2;

}  // namespace

void check_ranks(int ranks, int64_t groups) {
  log2_of(ranks, "the number of processes");
  if (ranks > groups)
    throw UsageError(ErrorParts{"more processes than gradient groups",
                                {},
                                "--grad-groups " + std::to_string(ranks) + " or more",
                                std::to_string(groups),
                                "llmkit help many-machines"});
}

SharedMemory planned_memory(const optim::Optimizer& optimizer, const nn::ParameterStore& parameters, double ema_decay,
                            int ranks) {
  SharedMemory most;
  std::vector<Tile> tiles = update_tiles(optimizer, parameters, ranks);
  for (int rank = 0; rank < ranks; ++rank)
    most.optimizer = std::max(most.optimizer, optimizer.planned_bytes(parameters, ema_decay, share_of(rank, tiles)));
  if (ranks > 1) {
    const optim::Span all{0, parameters.flat_size()};
    most.assembled = optimizer.planned_bytes(parameters, ema_decay, {&all, 1}) - most.optimizer;
    int64_t buffer = 0;
    for (const Tile& tile : even_tiles(parameters.flat_size(), ranks)) buffer = std::max(buffer, tile.size);
    most.messages = kTilesOnTheWay * static_cast<size_t>(buffer * element_bytes(parameters.dtype()));
  }
  return most;
}

DataParallel::DataParallel(Communicator& ranks, nn::ParameterStore& parameters, int64_t groups,
                           const optim::Optimizer& optimizer)
    : ranks_(ranks),
      parameters_(parameters),
      tree_(parameters, groups_of(ranks, groups)),
      sums_(ranks, even_tiles(parameters.flat_size(), ranks.size()), parameters.dtype()),
      updates_(ranks, update_tiles(optimizer, parameters, ranks.size()), parameters.dtype()),
      whole_parameters_(optimizer.takes_whole_parameters(parameters)) {}

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
      throw UsageError(ErrorParts{
          "the processes do not run the same thing: rank " + std::to_string(other) + " has another " + has[i],
          {},
          expected[i + 1],
          has[i + 1],
          "the same program, options and data on every machine"});
  throw UsageError("the processes do not run the same program");
}

double DataParallel::accumulate(Objective& objective, int64_t step, int64_t micro_batches, const kernels::Exec& exec) {
  if (ranks_.size() == 1) return tree_.accumulate(objective, step, micro_batches, exec);
  exec_ = &exec;
  running_ = false;
  double loss = tree_.accumulate(objective, step, micro_batches, exec, this);
  if (running_) learn_order();
  dispatch(parameters_.dtype(), [&]<class T>() { parameters_.gradients<T>(); });  // untouched ones become zero
  if (!running_) start_sum();
  sums_.finish_reduce(exec);
  if (whole_parameters_) share_gradients();
  return tree_sum(gather_all(ranks_, {&loss, 1}));
}

void DataParallel::share_gradients() {
  if (ranks_.size() > 1) sums_.share(parameters_.gradient_block());
}

void DataParallel::start_sum() {
  std::byte* gradients = parameters_.gradient_block();
  sums_.start_reduce(gradients,
                     [this, gradients](const Tile& tile) { tree_.add_held(*exec_, gradients, tile.begin, tile.size); });
}

void DataParallel::begins() {
  running_ = true;
  not_final_ = parameters_.list().size();
  for (size_t i = 0; i < not_final_; ++i) parameters_.tensor(static_cast<nn::ParameterId>(i)).node().grad_used = -1;
  start_sum();
}

void DataParallel::ran(int64_t record) {
  if (final_after_.empty()) return;
  while (not_final_ > 0 && final_after_[not_final_ - 1] <= record) --not_final_;
  auto& list = parameters_.list();
  sums_.advance(*exec_, not_final_ < list.size() ? list[not_final_].offset : parameters_.flat_size());
}

void DataParallel::learn_order() {
  std::vector<int64_t> used;
  for (size_t i = 0; i < parameters_.list().size(); ++i) {
    int64_t record = parameters_.tensor(static_cast<nn::ParameterId>(i)).node().grad_used;
    used.push_back(record < 0 ? INT64_MAX : record);  // nobody wrote it: it is cleared at the end
  }
  if (final_after_.empty()) final_after_ = used;
  for (size_t i = 0; i < used.size(); ++i)
    if (used[i] > final_after_[i])
      throw Error(ErrorParts{"the backward pass took another order than in the first step", parameters_.list()[i].name,
                             std::to_string(final_after_[i]), std::to_string(used[i]),
                             "gradients may have been added up too early"});
}

double DataParallel::gradient_norm(const kernels::Exec& exec) {
  if (ranks_.size() == 1) return optim::gradient_norm(exec, parameters_);
  auto blocks = static_cast<size_t>((parameters_.flat_size() + kernels::kSumBlock - 1) / kernels::kSumBlock);
  std::vector<double> partial(blocks);
  auto first_block = [](const Tile& tile) { return static_cast<size_t>(tile.begin / kernels::kSumBlock); };
  auto end_block = [](const Tile& tile) {
    return static_cast<size_t>((tile.end() + kernels::kSumBlock - 1) / kernels::kSumBlock);
  };
  dispatch(parameters_.dtype(), [&]<class T>() {
    const T* gradients = parameters_.gradients<T>().data();
    for (const Tile& tile : sums_.tiles())
      if (sums_.mine(tile))
        kernels::sum_of_squares_blocks<T>(exec, gradients + tile.begin, tile.size, partial.data() + first_block(tile));
  });
  std::vector<double> all = gather_all(ranks_, partial);
  for (const Tile& tile : sums_.tiles())
    for (size_t block = first_block(tile); block < end_block(tile); ++block)
      partial[block] = all[static_cast<size_t>(tile.owner) * blocks + block];
  return std::sqrt(kernels::add_blocks(partial.data(), static_cast<int64_t>(blocks)));
}

void DataParallel::attach(optim::Optimizer& optimizer, double ema_decay) {
  optimizer.attach(parameters_, ema_decay, share_of(ranks_.rank(), updates_.tiles()));
}

void DataParallel::share_values() {
  if (ranks_.size() == 1) return;
  dispatch(parameters_.dtype(), [&]<class T>() { updates_.share(bytes_of(parameters_.values<T>())); });
  parameters_.values_changed();
}

void DataParallel::collect_state(optim::Optimizer& optimizer) {
  if (ranks_.size() == 1) return;
  dispatch(parameters_.dtype(), [&]<class T>() {
    for (size_t slot = 0; slot < optimizer.slots().size(); ++slot) updates_.collect(bytes_of(optimizer.state<T>(slot)));
  });
}

void DataParallel::hand_out_state(optim::Optimizer& optimizer) {
  if (ranks_.size() == 1) return;
  dispatch(parameters_.dtype(), [&]<class T>() {
    for (size_t slot = 0; slot < optimizer.slots().size(); ++slot)
      updates_.hand_out(bytes_of(optimizer.state<T>(slot)));
  });
  optimizer.forget_others();
}

Asked DataParallel::any(const Asked& mine) {
  if (ranks_.size() == 1) return mine;
  Asked someone;
  std::array<double, 2> votes{mine.stop ? 1.0 : 0.0, mine.save ? 1.0 : 0.0};
  std::vector<double> all = gather_all(ranks_, votes);
  for (size_t i = 0; i < all.size(); i += votes.size()) {
    someone.stop |= all[i] != 0;
    someone.save |= all[i + 1] != 0;
  }
  return someone;
}

}  // namespace llmkit::engine
