#include "base/apart.h"

#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <string>

namespace llmkit {
namespace {

// What the program may use: the mask of its first thread, which no pool narrows.
bool allowed_processors(cpu_set_t& set) {
  return sched_getaffinity(getpid(), sizeof set, &set) == 0;
}

// A core is named by its first hardware thread. Empty where the system does not say.
std::vector<int> read_cores(const cpu_set_t& allowed) {
  std::vector<int> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    std::ifstream list("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
    int first = 0;
    if (!(list >> first)) return {};
    cores.resize(static_cast<size_t>(cpu) + 1, -1);
    cores.back() = first;
  }
  return cores;
}

}  // namespace

Apart::Apart(int members) : place_(static_cast<size_t>(members)), active_(false) {
  for (auto& place : place_) place.store(-1, std::memory_order_relaxed);
  cpu_set_t allowed;
  if (members < 2 || !allowed_processors(allowed) || CPU_COUNT(&allowed) < members) return;
  active_ = true;
  core_of_ = read_cores(allowed);
  std::set<int> cores(core_of_.begin(), core_of_.end());
  cores.erase(-1);
  if (cores.size() < place_.size()) core_of_.clear();
}

int Apart::here() {
  return sched_getcpu();
}

int Apart::place_of(int processor) const {
  const auto at = static_cast<size_t>(processor);
  return at < core_of_.size() && core_of_[at] >= 0 ? core_of_[at] : processor;
}

bool Apart::taken(int member, int place) const {
  for (int earlier = 0; earlier < member; ++earlier)
    if (place_[static_cast<size_t>(earlier)].load(std::memory_order_relaxed) == place) return true;
  return false;
}

void Apart::settle(int member) {
  if (!active_.load(std::memory_order_relaxed)) return;
  const int place = place_of(here());
  auto& own = place_[static_cast<size_t>(member)];
  if (own.load(std::memory_order_relaxed) != place) own.store(place, std::memory_order_relaxed);
  if (taken(member, place)) move_away(member);
}

void Apart::move_away(int member) {
  cpu_set_t set;
  bool moved = allowed_processors(set);
  for (int cpu = 0; moved && cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set) && taken(member, place_of(cpu))) CPU_CLR(cpu, &set);
  // In vain where the program's mask was narrowed meanwhile, or the system ignores the wish: then never again.
  moved = moved && CPU_COUNT(&set) > 0 && sched_setaffinity(0, sizeof set, &set) == 0 && CPU_ISSET(here(), &set);
  if (!moved) {
    active_.store(false, std::memory_order_relaxed);
    return;
  }
  place_[static_cast<size_t>(member)].store(place_of(here()), std::memory_order_relaxed);
}

}  // namespace llmkit
