// Keeps threads that work together on processors of their own. A scheduler may leave two of them on one for seconds
// while another idles, and what they do together then takes twice as long. Only the masks of the members other than the
// first are narrowed, never the caller's, which threads and processes to come inherit.
#pragma once

#include <atomic>
#include <vector>

namespace llmkit {

class Apart {
 public:
  // Member 0 is the caller. Nothing is done where the members outnumber the processors.
  explicit Apart(int members);

  // Called by a member before a piece of work: on the processor of an earlier member it moves to another, within what
  // the program is allowed. Where there are enough cores, hardware threads of one core count as one processor.
  void settle(int member);

  static int here();  // the processor that the calling thread is on

 private:
  void move_away(int member);
  bool taken(int member, int place) const;
  int place_of(int processor) const;

  std::vector<int> core_of_;             // by processor; empty: each is a place of its own
  std::vector<std::atomic<int>> place_;  // where a member was last seen; -1: nowhere yet
  std::atomic<bool> active_;
};

}  // namespace llmkit
