#include <doctest/doctest.h>

#include <set>

#include "base/rng.h"
#include "io/files.h"
#include "io/input.h"
#include "io/output.h"
#include "temporary_folder.h"
#include "unit/io/faults.h"

using namespace llmkit;
using namespace llmkit::io;

namespace {

std::string pack(std::string_view content, Compression compression, int threads = 1) {
  TemporaryFolder scratch;
  FastSystem system;
  OutputOptions options;
  options.system = &system;
  options.compression = compression;
  options.threads = threads;
  auto output = create_output(scratch.file("x"), options);
  output->write(content);
  output->finish();
  return read_file(scratch.file("x"));
}

// Numbers with some repetition: compresses about 3:1.
std::string text(size_t bytes) {
  Rng rng({1, bytes});
  std::string out;
  while (out.size() < bytes) out += std::to_string(rng.below(50'000)) + " ";
  out.resize(bytes);
  return out;
}

struct Outcome {
  std::string content, error;
};
Outcome unpack(std::string_view packed, const InputLimits& limits = {}, size_t buffer_bytes = 70'001) {
  Outcome out;
  std::string buffer(buffer_bytes, '\0');
  try {
    auto input = open_memory(packed, "test", limits);
    while (size_t got = input->read(buffer)) out.content.append(buffer, 0, got);
  } catch (const Error& error) {
    out.error = error.what();
  }
  return out;
}

}  // namespace

TEST_CASE("members and frames one after another are one stream") {
  std::string a = text(100'000), b = text(50);
  for (Compression c : {Compression::gzip, Compression::zstd}) {
    std::string packed = pack(a, c) + pack("", c) + pack(b, c);
    for (size_t buffer : {size_t{1}, size_t{7}, size_t{1} << 20}) CHECK(unpack(packed, {}, buffer).content == a + b);
  }
  CHECK(unpack(pack(a, Compression::gzip) + std::string(512, '\0')).content == a);  // padding, as tapes have it
}

TEST_CASE("a gzip head with name, comment, extra field and header checksum is read") {
  // RFC 1952: FHCRC 2, FEXTRA 4, FNAME 8, FCOMMENT 16. The body is what zlib wrote behind its ten-byte head.
  std::string packed = pack("hello", Compression::gzip);
  std::string head = packed.substr(0, 10);
  head[3] = 4 | 8 | 16;
  CHECK(unpack(head + std::string("\x03\x00xyz", 5) + std::string("name\0", 5) + std::string("comment\0", 8) +
               packed.substr(10))
            .content == "hello");
  head[3] = static_cast<char>(0xE0);
  CHECK(unpack(head + packed.substr(10)).error.find("damaged") != std::string::npos);
}

TEST_CASE("every cut of a compressed file delivers what came before it and then an error") {
  std::string content = text(3000);
  for (Compression c : {Compression::gzip, Compression::zstd}) {
    std::string packed = pack(content, c);
    for (size_t length = 12; length < packed.size(); ++length) {
      CAPTURE(length);
      Outcome out = unpack(std::string_view(packed).substr(0, length));
      CHECK(out.error.find("cut off") != std::string::npos);
      CHECK(content.starts_with(out.content));
    }
    // zstd delivers whole blocks of 128 KiB.
    std::string large = pack(text(500'000), c);
    CHECK(unpack(std::string_view(large).substr(0, large.size() - 8)).content.size() > 350'000);
  }
}

TEST_CASE("every flipped bit of the data is found by a checksum") {
  std::string content = text(400);
  for (Compression c : {Compression::gzip, Compression::zstd}) {
    std::string packed = pack(content, c);
    int unnoticed = 0;
    for (size_t bit = 16 * 8; bit < packed.size() * 8; ++bit) {
      std::string flipped = packed;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
      Outcome out = unpack(flipped);
      unnoticed += out.error.empty() && out.content != content;
    }
    CHECK(unnoticed == 0);
  }
}

TEST_CASE("after damage in a gzip member reading goes on at the next one") {
  std::string first = pack(text(5000), Compression::gzip), second = pack("second", Compression::gzip);
  for (size_t i = 100; i < 140; ++i) first[i] = static_cast<char>(~first[i]);
  std::string packed = first + second;
  auto input = open_memory(packed, "test");
  std::string buffer(100'000, '\0'), after;
  int damages = 0;
  while (true) {
    try {
      size_t got = input->read(buffer);
      if (got == 0) break;
      after = buffer.substr(0, got);
    } catch (const DamagedInput&) {
      ++damages;
    }
  }
  CHECK(damages == 1);
  CHECK(after == "second");
}

TEST_CASE("a decompression bomb is refused, and ordinary compression is not") {
  std::string zeros(size_t{64} << 20, '\0');
  for (Compression c : {Compression::gzip, Compression::zstd}) {
    std::string packed = pack(zeros, c);
    Outcome out = unpack(packed);
    CHECK(out.error.find("more than 200 times its size") != std::string::npos);
    CHECK(out.content.size() <= (size_t{17} << 20));
    CHECK(unpack(pack(std::string_view(zeros).substr(0, size_t{15} << 20), c)).error.empty());
    InputLimits limits;
    limits.max_bytes = 1000;
    CHECK(unpack(packed, limits).error.find("cap of 1000 bytes") != std::string::npos);
    limits = {};
    limits.max_ratio = 100'000;
    CHECK(unpack(packed, limits).error.empty());
  }
}

TEST_CASE("compressed outputs have the same bytes for any number of threads") {
  std::string content = text(size_t{12} << 20);  // more than one zstd job
  std::string one = pack(content, Compression::zstd, 1);
  for (int threads : {0, 2, 8}) CHECK(pack(content, Compression::zstd, threads) == one);
  CHECK(unpack(one).content == content);
}

TEST_CASE("formats that are not read are named") {
  using namespace std::string_literals;
  for (auto& [bytes, name] :
       std::initializer_list<std::pair<std::string, std::string>>{{"\xfd"
                                                                   "7zXZ\0...."s,
                                                                   "xz"},
                                                                  {"BZh91AY&SY"s, "bzip2"},
                                                                  {"PK\x03\x04......"s, "zip"},
                                                                  {"\x04\x22\x4d\x18......"s, "lz4"}})
    CHECK(unpack(bytes).error.find(name + " files are not read") != std::string::npos);
  CHECK(unpack("BZh").content == "BZh");
}
