#include "engine/tile_exchange.h"

#include <algorithm>
#include <bit>

#include "kernels/elementwise.h"
#include "kernels/reduce.h"

namespace llmkit::engine {
namespace {

constexpr int64_t kTileElements = int64_t{1} << 20;
constexpr int64_t kTilesPerRank = 4;  // at least, where the model is large enough
constexpr int kTileTag = 1;

int64_t tile_elements(int64_t flat_size, int ranks) {
  return std::clamp<int64_t>(flat_size / (ranks * kTilesPerRank), 1, kTileElements);
}

int64_t round_up(int64_t n, int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

}  // namespace

std::vector<Tile> even_tiles(int64_t flat_size, int ranks) {
  int64_t size = round_up(tile_elements(flat_size, ranks), kernels::kSumBlock);
  std::vector<Tile> tiles;
  for (int64_t begin = 0; begin < flat_size; begin += size)
    tiles.push_back(
        {begin, std::min(size, flat_size - begin), static_cast<int>(static_cast<int64_t>(tiles.size()) % ranks)});
  return tiles;
}

std::vector<Tile> parameter_tiles(const nn::ParameterStore& parameters, int ranks) {
  std::vector<Tile> tiles;
  auto& list = parameters.list();
  for (size_t i = 0; i < list.size(); ++i) {
    int64_t end = i + 1 < list.size() ? list[i + 1].offset : parameters.flat_size();
    if (tiles.empty() || end - tiles.back().begin > tile_elements(parameters.flat_size(), ranks))
      tiles.push_back({list[i].offset, 0, 0});
    tiles.back().size = end - tiles.back().begin;
  }
  // The largest first, each to the rank that has least: rank numbers break ties, so all ranks come to the same answer.
  std::vector<Tile*> by_size;
  for (Tile& tile : tiles) by_size.push_back(&tile);
  std::stable_sort(by_size.begin(), by_size.end(), [](auto* a, auto* b) { return a->size > b->size; });
  std::vector<int64_t> load(static_cast<size_t>(ranks));
  for (Tile* tile : by_size) {
    auto least = std::min_element(load.begin(), load.end());
    tile->owner = static_cast<int>(least - load.begin());
    *least += tile->size;
  }
  return tiles;
}

TileExchange::TileExchange(Communicator& ranks, std::vector<Tile> tiles, DType dtype)
    : ranks_(ranks),
      tiles_(std::move(tiles)),
      dtype_(dtype),
      rounds_(std::countr_zero(static_cast<unsigned>(ranks.size()))) {}

std::span<std::byte> TileExchange::bytes_of(std::byte* block, const Tile& tile) const {
  auto element = static_cast<size_t>(element_bytes(dtype_));
  return {block + static_cast<size_t>(tile.begin) * element, static_cast<size_t>(tile.size) * element};
}

void TileExchange::start_reduce(std::byte* block, Prepare prepare) {
  block_ = block;
  prepare_ = std::move(prepare);
  waiting_ = ranks_.size() == 1 ? 0 : tiles_.size();
  if (waiting_ == 0 || !buffers_.empty()) return;
  int64_t largest = 0;
  for (const Tile& tile : tiles_) largest = std::max(largest, tile.size);
  for (size_t i = 0; i < kTilesOnTheWay; ++i) {
    buffers_.emplace_back(static_cast<size_t>(largest * element_bytes(dtype_)));
    free_.push_back(buffers_.back().data());
  }
}

void TileExchange::next_round(Reduction& reduction) {
  const Tile& tile = tiles_[reduction.tile];
  int bit = 1 << reduction.round, peer = ranks_.rank() ^ bit, tag = kTileTag + static_cast<int>(reduction.tile);
  reduction.sending = ((ranks_.rank() ^ tile.owner) & bit) != 0;
  auto bytes = bytes_of(block_, tile);
  reduction.transfer =
      reduction.sending ? ranks_.send(peer, tag, bytes) : ranks_.receive(peer, tag, {reduction.buffer, bytes.size()});
}

// True once this rank has nothing more to do for the tile.
bool TileExchange::move(const kernels::Exec& exec, Reduction& reduction, bool wait) {
  while (true) {
    if (wait)
      reduction.transfer->wait();
    else if (!reduction.transfer->done())
      return false;
    if (reduction.sending) return true;
    const Tile& tile = tiles_[reduction.tile];
    dispatch(dtype_, [&]<class T>() {
      kernels::add_to<T>(exec, static_cast<T*>(static_cast<void*>(bytes_of(block_, tile).data())),
                         static_cast<const T*>(static_cast<const void*>(reduction.buffer)), tile.size);
    });
    if (++reduction.round == rounds_) return true;
    next_round(reduction);
  }
}

// All ranks start tiles in the same order and a tile waits for no later one, so the first that is unfinished anywhere
// can always go on.
void TileExchange::advance(const kernels::Exec& exec, int64_t final_from) {
  bool moved = true;
  while (moved) {
    moved = false;
    for (auto reduction = active_.begin(); reduction != active_.end();) {
      if (!move(exec, *reduction, false)) {
        ++reduction;
        continue;
      }
      free_.push_back(reduction->buffer);
      reduction = active_.erase(reduction);
      moved = true;
    }
    while (waiting_ > 0 && !free_.empty() && tiles_[waiting_ - 1].begin >= final_from) {
      active_.push_back({--waiting_, 0, free_.back(), nullptr, false});
      free_.pop_back();
      prepare_(tiles_[waiting_]);
      next_round(active_.back());
      moved = true;
    }
  }
}

void TileExchange::finish_reduce(const kernels::Exec& exec) {
  advance(exec, 0);
  while (!active_.empty()) {
    move(exec, active_.front(), true);
    free_.push_back(active_.front().buffer);
    active_.pop_front();
    advance(exec, 0);
  }
}

void TileExchange::share(std::byte* block) {
  struct Path {
    size_t tile;
    int round;  // to send in next, downwards
    std::unique_ptr<Communicator::Transfer> receipt;
  };
  if (ranks_.size() == 1) return;
  std::deque<Path> paths;
  std::vector<std::unique_ptr<Communicator::Transfer>> sends;
  for (size_t i = 0; i < tiles_.size(); ++i) {
    unsigned distance = static_cast<unsigned>(ranks_.rank() ^ tiles_[i].owner);
    int round = distance == 0 ? rounds_ : std::countr_zero(distance);
    Path path{i, round, nullptr};
    if (distance != 0)
      path.receipt =
          ranks_.receive(ranks_.rank() ^ (1 << round), kTileTag + static_cast<int>(i), bytes_of(block, tiles_[i]));
    paths.push_back(std::move(path));
  }
  auto pass_on = [&](const Path& path) {
    for (int round = path.round - 1; round >= 0; --round)
      sends.push_back(ranks_.send(ranks_.rank() ^ (1 << round), kTileTag + static_cast<int>(path.tile),
                                  bytes_of(block, tiles_[path.tile])));
  };
  for (Path& path : paths)
    if (!path.receipt) pass_on(path);
  std::erase_if(paths, [](const Path& path) { return !path.receipt; });
  while (!paths.empty()) {
    paths.front().receipt->wait();
    pass_on(paths.front());
    paths.pop_front();
    std::erase_if(paths, [&](const Path& path) {
      bool arrived = path.receipt->done();
      if (arrived) pass_on(path);
      return arrived;
    });
  }
  for (auto& send : sends) send->wait();
}

void TileExchange::collect(std::byte* block) {
  std::vector<std::unique_ptr<Communicator::Transfer>> transfers;
  for (size_t i = 0; i < tiles_.size(); ++i) {
    int owner = tiles_[i].owner, tag = kTileTag + static_cast<int>(i);
    if (owner == 0) continue;
    if (ranks_.leader())
      transfers.push_back(ranks_.receive(owner, tag, bytes_of(block, tiles_[i])));
    else if (mine(tiles_[i]))
      transfers.push_back(ranks_.send(0, tag, bytes_of(block, tiles_[i])));
  }
  for (auto& transfer : transfers) transfer->wait();
}

void TileExchange::hand_out(std::byte* block) {
  std::vector<std::unique_ptr<Communicator::Transfer>> transfers;
  for (size_t i = 0; i < tiles_.size(); ++i) {
    int owner = tiles_[i].owner, tag = kTileTag + static_cast<int>(i);
    if (owner == 0) continue;
    if (ranks_.leader())
      transfers.push_back(ranks_.send(owner, tag, bytes_of(block, tiles_[i])));
    else if (mine(tiles_[i]))
      transfers.push_back(ranks_.receive(0, tag, bytes_of(block, tiles_[i])));
  }
  for (auto& transfer : transfers) transfer->wait();
}

}  // namespace llmkit::engine
