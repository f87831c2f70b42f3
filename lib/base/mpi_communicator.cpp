#include "base/mpi_communicator.h"

#ifdef LLMKIT_MPI

#define OMPI_SKIP_MPICXX 1  // the C++ bindings of MPI 2 would need their own library
#include <mpi.h>
#include <sched.h>
#include <time.h>

#include <climits>
#include <exception>
#include <string>

#include "base/error.h"

namespace llmkit {
namespace {

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(
      ErrorParts{std::string("MPI could not ") + what, {}, {}, std::string(text, static_cast<size_t>(length)), {}});
}

int count_of(size_t bytes) {
  if (bytes > INT_MAX) throw Error("a message of more than 2 GB");
  return static_cast<int>(bytes);
}

class MpiTransfer final : public Communicator::Transfer {
 public:
  ~MpiTransfer() override {
    if (request != MPI_REQUEST_NULL) MPI_Request_free(&request);  // only when an error ends the job
  }
  bool done() override {
    int finished = 0;
    if (request != MPI_REQUEST_NULL) check(MPI_Test(&request, &finished, MPI_STATUS_IGNORE), "pass a message on");
    return request == MPI_REQUEST_NULL;
  }
  // MPI_Wait would keep a processor busy that another rank or thread may need, for as long as rank 0 writes a
  // checkpoint.
  void wait() override {
    constexpr int kSpins = 2000, kYields = 2000;
    for (int tries = 0; !done(); ++tries) {
      if (tries > kSpins + kYields) {
        timespec pause{0, 50'000};
        nanosleep(&pause, nullptr);
      } else if (tries > kSpins) {
        sched_yield();
      }
    }
  }
  MPI_Request request = MPI_REQUEST_NULL;
};

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator() {
    check(MPI_Init(nullptr, nullptr), "start");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Comm machine;
    check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine),
          "find the ranks of this machine");
    MPI_Comm_size(machine, &ranks_here_);
    MPI_Comm_free(&machine);
  }
  ~MpiCommunicator() override { MPI_Finalize(); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int ranks_here() const override { return ranks_here_; }

  std::unique_ptr<Transfer> send(int to, int tag, std::span<const std::byte> bytes) override {
    auto transfer = std::make_unique<MpiTransfer>();
    check(MPI_Isend(bytes.data(), count_of(bytes.size()), MPI_BYTE, to, tag, MPI_COMM_WORLD, &transfer->request),
          "send");
    return transfer;
  }
  std::unique_ptr<Transfer> receive(int from, int tag, std::span<std::byte> bytes) override {
    auto transfer = std::make_unique<MpiTransfer>();
    check(MPI_Irecv(bytes.data(), count_of(bytes.size()), MPI_BYTE, from, tag, MPI_COMM_WORLD, &transfer->request),
          "receive");
    return transfer;
  }
  void abort(int exit_code) override { MPI_Abort(MPI_COMM_WORLD, exit_code); }

 private:
  int rank_ = 0, size_ = 1, ranks_here_ = 1;
};

}  // namespace

bool built_with_mpi() {
  return true;
}
std::unique_ptr<Communicator> join_mpi() {
  return std::make_unique<MpiCommunicator>();
}

}  // namespace llmkit

#else

namespace llmkit {

bool built_with_mpi() {
  return false;
}
std::unique_ptr<Communicator> join_mpi() {
  return nullptr;
}

}  // namespace llmkit

#endif
