// How ranks add up and hand out flat blocks (gradients, weights, optimiser state).
//
// A block is cut into tiles; each tile has an owner. reduce() leaves at the owner the sum over all ranks, added along
// the binary tree over the rank numbers, neighbours first: ((r0 + r1) + (r2 + r3)) + … In round l, of the ranks that
// are still in it, those that differ from the owner in bit l send their sum to the one that does not. Over all tiles
// that is recursive halving (Thakur, Rabenseifner, Gropp, "Optimization of collective communication operations in
// MPICH", 2005): every rank sends and receives (R - 1)/R of the block. share() goes the same way back, recursive
// doubling.
//
// What a sum is does not depend on the tiles or their owners, only on the ranks' order: with the groups of
// gradient_tree.h below it, a job of any number of ranks gets the bits of one process.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/communicator.h"
#include "kernels/exec.h"
#include "nn/parameters.h"

namespace llmkit::engine {

struct Tile {
  int64_t begin = 0, size = 0;  // elements
  int owner = 0;
  int64_t end() const { return begin + size; }
};

// Tiles of about a million elements (4 MB: what the caches hold while it is passed on), fewer in a small model; each a
// whole number of the blocks that the gradient norm is summed in. Owners take turns.
std::vector<Tile> even_tiles(int64_t flat_size, int ranks);
// Tiles that cut no parameter, shared out so that the ranks have about as many elements each.
std::vector<Tile> parameter_tiles(const nn::ParameterStore& parameters, int ranks);

// Tiles of one sum that are on their way at once, each with a buffer.
inline constexpr size_t kTilesOnTheWay = 4;

class TileExchange {
 public:
  TileExchange(Communicator& ranks, std::vector<Tile> tiles, DType dtype);

  const std::vector<Tile>& tiles() const { return tiles_; }
  bool mine(const Tile& tile) const { return tile.owner == ranks_.rank(); }

  // reduce() in three parts, so that it can go on beside a backward pass, which finishes gradients from the end of the
  // block to its start: start; then, as often as wanted, `advance` with the first element from which on all are final;
  // finish. `prepare` is called for every tile before any of it is sent or added to.
  using Prepare = std::function<void(const Tile&)>;
  void start_reduce(std::byte* block, Prepare prepare);
  void advance(const kernels::Exec& exec, int64_t final_from);
  void finish_reduce(const kernels::Exec& exec);

  void share(std::byte* block);     // every tile from its owner to all
  void collect(std::byte* block);   // every tile from its owner to rank 0
  void hand_out(std::byte* block);  // every tile from rank 0 to its owner

 private:
  struct Reduction {  // of one tile
    size_t tile = 0;
    int round = 0;
    std::byte* buffer = nullptr;  // what is being received
    std::unique_ptr<Communicator::Transfer> transfer;
    bool sending = false;
  };

  std::span<std::byte> bytes_of(std::byte* block, const Tile& tile) const;
  void next_round(Reduction& reduction);
  bool move(const kernels::Exec& exec, Reduction& reduction, bool wait);

  Communicator& ranks_;
  std::vector<Tile> tiles_;
  DType dtype_;
  int rounds_;
  // The running reduction: tiles from the last to the first, a few at a time.
  std::byte* block_ = nullptr;
  Prepare prepare_;
  size_t waiting_ = 0;  // tiles [0, waiting_) have not been started
  std::deque<Reduction> active_;
  std::vector<MemoryBlock> buffers_;
  std::vector<std::byte*> free_;
};

}  // namespace llmkit::engine
