// Ranks that are threads of the test, with mailboxes for messages: what a test of several processes needs without MPI.
#pragma once

#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <vector>

#include "base/communicator.h"

namespace llmkit {

class LocalRanks {
 public:
  // Runs `body` once for each rank, all at the same time; rethrows what the lowest rank threw.
  static void run(int size, const std::function<void(Communicator&)>& body) {
    Mail mail;
    std::vector<std::exception_ptr> failures(static_cast<size_t>(size));
    std::vector<std::thread> threads;
    for (int rank = 0; rank < size; ++rank)
      threads.emplace_back([&, rank] {
        Rank communicator(mail, rank, size);
        try {
          body(communicator);
        } catch (...) {
          failures[static_cast<size_t>(rank)] = std::current_exception();
          communicator.abort(1);
        }
      });
    for (auto& thread : threads) thread.join();
    // A rank that was told of another's end is not the cause.
    for (auto& failure : failures) {
      try {
        if (failure) std::rethrow_exception(failure);
      } catch (const Aborted&) {
      }
    }
    if (mail.aborted) throw std::runtime_error("a rank aborted");
    if (!mail.boxes.empty()) throw std::runtime_error("a message was never received");
  }

 private:
  struct Aborted : std::runtime_error {
    Aborted() : std::runtime_error("another rank aborted") {}
  };
  struct Mail {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::tuple<int, int, int>, std::deque<std::vector<std::byte>>> boxes;  // (from, to, tag)
    bool aborted = false;
  };

  class Sent final : public Communicator::Transfer {
   public:
    bool done() override { return true; }
    void wait() override {}
  };
  class Receipt final : public Communicator::Transfer {
   public:
    Receipt(Mail& mail, std::tuple<int, int, int> box, std::span<std::byte> target)
        : mail_(mail), box_(box), target_(target) {}
    bool done() override {
      std::lock_guard lock(mail_.mutex);
      return take();
    }
    void wait() override {
      std::unique_lock lock(mail_.mutex);
      mail_.changed.wait(lock, [&] { return mail_.aborted || take(); });
      if (!arrived_) throw Aborted();
    }

   private:
    bool take() {
      auto box = mail_.boxes.find(box_);
      if (arrived_ || box == mail_.boxes.end()) return arrived_;
      if (box->second.front().size() != target_.size())
        throw std::runtime_error("a message of another size was expected");
      std::memcpy(target_.data(), box->second.front().data(), target_.size());
      box->second.pop_front();
      if (box->second.empty()) mail_.boxes.erase(box);
      return arrived_ = true;
    }
    Mail& mail_;
    std::tuple<int, int, int> box_;
    std::span<std::byte> target_;
    bool arrived_ = false;
  };

  class Rank final : public Communicator {
   public:
    Rank(Mail& mail, int rank, int size) : mail_(mail), rank_(rank), size_(size) {}
    int rank() const override { return rank_; }
    int size() const override { return size_; }
    int ranks_here() const override { return size_; }
    std::unique_ptr<Transfer> send(int to, int tag, std::span<const std::byte> bytes) override {
      if (to < 0 || to >= size_ || to == rank_) throw std::runtime_error("no such rank to send to");
      std::lock_guard lock(mail_.mutex);
      mail_.boxes[{rank_, to, tag}].emplace_back(bytes.begin(), bytes.end());
      mail_.changed.notify_all();
      return std::make_unique<Sent>();
    }
    std::unique_ptr<Transfer> receive(int from, int tag, std::span<std::byte> bytes) override {
      return std::make_unique<Receipt>(mail_, std::tuple{from, rank_, tag}, bytes);
    }
    void abort(int) override {
      std::lock_guard lock(mail_.mutex);
      mail_.aborted = true;
      mail_.changed.notify_all();
    }

   private:
    Mail& mail_;
    int rank_, size_;
  };
};

}  // namespace llmkit
