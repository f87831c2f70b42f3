#include "base/communicator.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/mpi_communicator.h"
#include "base/parallel.h"

namespace llmkit {
namespace {

class Alone final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int ranks_here() const override { return 1; }
  std::unique_ptr<Transfer> send(int, int, std::span<const std::byte>) override {
    throw Error("there is no other rank");
  }
  std::unique_ptr<Transfer> receive(int, int, std::span<std::byte>) override { throw Error("there is no other rank"); }
  void abort(int) override {}
};

// How many processes a launcher says it has started; 0 = none has. The names are those of Open MPI, MPICH and Slurm.
int launched_processes() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"})
    if (const char* value = std::getenv(name)) return std::atoi(value);
  return 0;
}

constexpr size_t kPiece = size_t{16} << 20;  // of a large broadcast: the next rank sends it on while the rest comes

}  // namespace

Communicator& alone() {
  static Alone one;
  return one;
}

std::unique_ptr<Communicator> join_ranks() {
  int processes = launched_processes();
  if (processes <= 1) return nullptr;
  auto ranks = join_mpi();
  if (!ranks)
    throw UsageError(ErrorParts{
        "started as one of " + std::to_string(processes) + " processes, but this llmkit was built without MPI",
        {},
        {},
        {},
        "./apps/setup --mpi and build again, or start one process"});
  if (ranks->size() == 1)
    throw UsageError(ErrorParts{"started as one of " + std::to_string(processes) + " processes that MPI does not join",
                                {},
                                {},
                                {},
                                "use mpirun, or srun --mpi=pmix"});
  return ranks;
}

int threads_per_rank(int ranks_here) {
  cpu_set_t set;
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  long mine = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : online;
  // Bound to a part of the machine, a rank shares it with those bound to the same part alone.
  long sharing = std::max(1L, (ranks_here * mine + online / 2) / std::max(1L, online));
  return std::max(
      1, static_cast<int>(std::min<long>(mine / sharing, available_threads() / (mine == online ? ranks_here : 1))));
}

void broadcast(Communicator& ranks, std::span<std::byte> bytes) {
  int rank = ranks.rank(), size = ranks.size();
  if (size == 1) return;
  // Rank r hears from r without its lowest set bit, and tells those that differ from it in a lower bit.
  int lowest = rank == 0 ? size : rank & -rank;
  std::vector<std::unique_ptr<Communicator::Transfer>> sends;
  for (size_t at = 0; at < bytes.size(); at += kPiece) {
    auto piece = bytes.subspan(at, std::min(kPiece, bytes.size() - at));
    if (rank != 0) ranks.receive(rank - lowest, kCollectiveTag, piece)->wait();
    for (int bit = 1; bit < lowest; bit *= 2)
      if (rank + bit < size) sends.push_back(ranks.send(rank + bit, kCollectiveTag, piece));
  }
  for (auto& send : sends) send->wait();
}

std::vector<double> gather_all(Communicator& ranks, std::span<const double> values) {
  size_t n = values.size();
  std::vector<double> all(n * static_cast<size_t>(ranks.size()));
  std::copy(values.begin(), values.end(), all.begin());
  if (ranks.leader()) {
    for (int r = 1; r < ranks.size(); ++r)
      ranks
          .receive(r, kCollectiveTag + 1, std::as_writable_bytes(std::span(all).subspan(static_cast<size_t>(r) * n, n)))
          ->wait();
  } else {
    ranks.send(0, kCollectiveTag + 1, std::as_bytes(values))->wait();
  }
  broadcast(ranks, std::as_writable_bytes(std::span(all)));
  return all;
}

}  // namespace llmkit
