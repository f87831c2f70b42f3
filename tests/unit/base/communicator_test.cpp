#include "base/communicator.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/parallel.h"
#include "local_ranks.h"

using namespace llmkit;

TEST_CASE("every rank gets what rank 0 tells, whatever their number and the size") {
  for (int size : {1, 2, 3, 4, 7, 8})
    for (size_t bytes : {size_t{0}, size_t{1}, size_t{100000}, (size_t{16} << 20) + 5})
      LocalRanks::run(size, [&](Communicator& ranks) {
        if (bytes > 200000 && size > 3) return;  // pieces of a large one: two sizes are enough
        std::string text = ranks.leader() ? std::string(bytes, 'x') + "end" : std::string("old");
        broadcast_text(ranks, text);
        if (text != std::string(bytes, 'x') + "end") throw std::runtime_error("not what rank 0 told");
      });
}

TEST_CASE("numbers of all ranks arrive in rank order everywhere") {
  for (int size : {1, 2, 4, 5})
    LocalRanks::run(size, [&](Communicator& ranks) {
      double mine[2] = {ranks.rank() + 0.5, -1.0 * ranks.rank()};
      std::vector<double> all = gather_all(ranks, mine), expected;
      for (int r = 0; r < size; ++r) expected.insert(expected.end(), {r + 0.5, -1.0 * r});
      if (all != expected) throw std::runtime_error("wrong numbers at rank " + std::to_string(ranks.rank()));
    });
}

TEST_CASE("a process that no launcher started is alone") {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) unsetenv(name);
  CHECK(join_ranks() == nullptr);
  CHECK(alone().size() == 1);
  CHECK(alone().leader());
}

TEST_CASE("ranks on one machine share its threads") {
  int all = available_threads();
  CHECK(threads_per_rank(1) == all);
  CHECK(threads_per_rank(4 * all) == 1);
  CHECK(threads_per_rank(2) <= all);
  CHECK(threads_per_rank(2) >= 1);
}
