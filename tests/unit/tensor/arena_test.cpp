#include "tensor/arena.h"

#include <doctest/doctest.h>

#include <cstring>

using namespace llmkit;

TEST_CASE("an arena gives aligned memory that does not overlap, also across blocks") {
  Arena arena(1024);
  std::vector<unsigned char*> parts;
  for (int i = 0; i < 40; ++i) {
    auto* p = static_cast<unsigned char*>(arena.allocate(100));
    CHECK(reinterpret_cast<uintptr_t>(p) % 64 == 0);
    std::memset(p, i, 100);
    parts.push_back(p);
  }
  for (int i = 0; i < 40; ++i) CHECK((parts[static_cast<size_t>(i)][0] == i && parts[static_cast<size_t>(i)][99] == i));
  CHECK(arena.used() == 40 * 128);
}

TEST_CASE("releasing to a mark gives the same memory again, and the peak stays known") {
  Arena arena(1024);
  arena.allocate(64);
  Arena::Mark mark = arena.mark();
  void* first = arena.allocate(500);
  void* big = arena.allocate(5000);
  arena.release(mark);
  CHECK(arena.used() == 64);
  CHECK(arena.peak() == 64 + 512 + 5056);
  CHECK(arena.allocate(500) == first);
  CHECK(arena.allocate(5000) == big);
}

TEST_CASE("a counting arena counts what a real one would use") {
  Arena real(1024), counting(1024, true);
  for (size_t bytes : {1u, 64u, 65u, 3000u, 0u}) {
    real.allocate(bytes);
    CHECK(counting.allocate(bytes) == nullptr);
  }
  CHECK(counting.used() == real.used());
}

TEST_CASE("a reserved arena serves from one block") {
  Arena arena(64);
  arena.reserve(4096);
  auto* a = static_cast<std::byte*>(arena.allocate(2048));
  CHECK(arena.allocate(2048) == a + 2048);
}

TEST_CASE("a pool hands a returned buffer out again, to requests it fits well") {
  BufferPool pool;
  auto a = pool.take(1000);
  CHECK(pool.held() == 1024);
  pool.give_back(a);
  auto tiny = pool.take(100);  // would waste most of the 1024
  CHECK(tiny.data != a.data);
  auto b = pool.take(600);
  CHECK(b.data == a.data);
  CHECK(pool.held() == 1024 + 128);
}
