#include "base/apart.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include <thread>

using namespace llmkit;

namespace {

cpu_set_t mask_of(pid_t thread) {
  cpu_set_t set;
  REQUIRE(sched_getaffinity(thread, sizeof set, &set) == 0);
  return set;
}

void put_on(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  REQUIRE(sched_setaffinity(0, sizeof set, &set) == 0);
}

int first_of(const cpu_set_t& set) {
  int processor = 0;
  while (!CPU_ISSET(processor, &set)) ++processor;
  return processor;
}

}  // namespace

TEST_CASE("a member leaves the processor of an earlier one, and only its own mask is narrowed") {
  const cpu_set_t whole = mask_of(getpid());
  if (CPU_COUNT(&whole) < 2) {
    MESSAGE("one processor: skipped");
    return;
  }
  const int shared = first_of(whole);
  Apart apart(2);
  std::thread([&] {
    put_on(shared);
    apart.settle(0);
  }).join();
  std::thread([&] {
    put_on(shared);
    apart.settle(1);
    CHECK(Apart::here() != shared);
    const cpu_set_t own = mask_of(0);
    CHECK(!CPU_ISSET(shared, &own));
    cpu_set_t both;
    CPU_AND(&both, &own, &whole);
    CHECK(CPU_EQUAL(&both, &own));
  }).join();
  // The first member stays where it is put, whoever else is there.
  std::thread([&] {
    put_on(shared);
    apart.settle(0);
    CHECK(Apart::here() == shared);
  }).join();
  const cpu_set_t after = mask_of(getpid());
  CHECK(CPU_EQUAL(&after, &whole));
}

TEST_CASE("members that outnumber the processors stay where they are") {
  const cpu_set_t whole = mask_of(getpid());
  const int shared = first_of(whole);
  Apart apart(CPU_COUNT(&whole) + 1);
  std::thread([&] {
    put_on(shared);
    apart.settle(0);
    apart.settle(1);
    CHECK(Apart::here() == shared);
  }).join();
}
