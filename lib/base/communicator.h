// Several processes of one job, called ranks, that pass messages: `mpirun -n 4 llmkit pretrain …`. One process is a job
// of one rank and passes none. Only point-to-point messages are asked of a backend; who adds what to what, and in which
// order, is decided here and in engine/data_parallel.h, so that the same bits come out for every number of ranks.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace llmkit {

class Communicator {
 public:
  // A message on its way. The memory it was given must stay until it has arrived.
  class Transfer {
   public:
    virtual ~Transfer() = default;
    virtual bool done() = 0;  // moves it on; true once it has arrived (receive) or its memory is free again (send)
    virtual void wait() = 0;
  };

  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual int ranks_here() const = 0;          // on this machine, this one included
  bool leader() const { return rank() == 0; }  // the one that reads checkpoints and writes files

  // Messages from one rank to another with the same tag arrive in the order they were started in. Sizes agree on both
  // sides.
  virtual std::unique_ptr<Transfer> send(int to, int tag, std::span<const std::byte> bytes) = 0;
  virtual std::unique_ptr<Transfer> receive(int from, int tag, std::span<std::byte> bytes) = 0;

  // Ends all processes of the job at once, with this exit code.
  virtual void abort(int exit_code) = 0;
};

Communicator& alone();  // a job of one rank

// The ranks that a launcher (mpirun, srun --mpi=pmix) has started this process among; null where none has. UsageError
// where it was started among others and cannot join them.
std::unique_ptr<Communicator> join_ranks();

// Threads for each of `ranks_here` processes on this machine: what this process may use, shared with those that may use
// the same processors.
int threads_per_rank(int ranks_here);

// ---- what every rank calls together; tags from kCollectiveTag on are theirs ----
inline constexpr int kCollectiveTag = 1 << 20;
void broadcast(Communicator& ranks, std::span<std::byte> bytes);  // from rank 0, along a binary tree
// The values of all ranks in rank order; all pass the same number.
std::vector<double> gather_all(Communicator& ranks, std::span<const double> values);

template <class T>
void broadcast_value(Communicator& ranks, T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  broadcast(ranks, std::as_writable_bytes(std::span(&value, 1)));
}
template <class Text>  // std::string
void broadcast_text(Communicator& ranks, Text& text) {
  size_t size = text.size();
  broadcast_value(ranks, size);
  text.resize(size);
  broadcast(ranks, std::as_writable_bytes(std::span(text.data(), size)));
}

}  // namespace llmkit
