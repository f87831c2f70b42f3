#include "formats/token_shards.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "base/rng.h"
#include "temporary_folder.h"
#include "unit/io/faults.h"

using namespace llmkit;
using namespace llmkit::formats;

namespace {

struct Data {
  std::vector<std::vector<int32_t>> documents;
  std::vector<int32_t> all;
};

Data make_data(int64_t vocab_size, size_t documents) {
  Data data;
  Rng rng({7, static_cast<uint64_t>(vocab_size)});
  for (size_t i = 0; i < documents; ++i) {
    std::vector<int32_t> tokens(rng.below(40));
    for (auto& t : tokens) t = static_cast<int32_t>(rng.below(static_cast<uint64_t>(vocab_size)));
    data.all.insert(data.all.end(), tokens.begin(), tokens.end());
    data.documents.push_back(std::move(tokens));
  }
  return data;
}

void write(const std::string& folder, const Data& data, int64_t vocab_size, int64_t tokens_per_shard) {
  TokenShardOptions options;
  options.vocab_size = vocab_size;
  options.tokenizer_hash = 0xFEDCBA9876543210;
  options.max_tokens_per_shard = tokens_per_shard;
  options.sources = {"web", "books"};
  TokenShardWriter writer(folder, options);
  for (size_t i = 0; i < data.documents.size(); ++i) writer.add_document(data.documents[i], i % 2);
  writer.finish();
}

}  // namespace

TEST_CASE("tokens and documents are read back across shards, 2 and 4 bytes a token") {
  for (int64_t vocab_size : {int64_t{65536}, int64_t{65537}, int64_t{1} << 31}) {
    CAPTURE(vocab_size);
    TemporaryFolder scratch;
    Data data = make_data(vocab_size, 300);
    write(scratch.file("d"), data, vocab_size, 100);
    TokenShards shards = TokenShards::open(scratch.file("d"));
    shards.verify();
    CHECK(shards.total_tokens() == static_cast<int64_t>(data.all.size()));
    CHECK(shards.total_documents() == 300);
    CHECK(shards.tokenizer_hash() == 0xFEDCBA9876543210);
    std::vector<int32_t> out(data.all.size());
    shards.read(0, out);
    CHECK(out == data.all);
    int64_t start = 0;
    for (int64_t i = 0; i < 300; ++i) {
      auto range = shards.document(i);
      auto size = static_cast<int64_t>(data.documents[static_cast<size_t>(i)].size());
      REQUIRE(range.start == start);
      REQUIRE(range.end == start + size);
      if (size > 0) REQUIRE(shards.document_at(range.start) == i);
      if (size > 0) REQUIRE(shards.document_at(range.end - 1) == i);
      start += size;
    }
    std::vector<int32_t> piece(123);
    shards.read(77, piece);
    CHECK(std::equal(piece.begin(), piece.end(), data.all.begin() + 77));
    CHECK_THROWS_AS(shards.read(shards.total_tokens() - 1, std::span(piece).first(2)), Error);
    CHECK(shards.sources()[1].name == "books");
    CHECK(shards.sources()[0].documents == 150);
    CHECK(shards.sources()[0].tokens + shards.sources()[1].tokens == shards.total_tokens());
  }
}

TEST_CASE("a token out of range is not written and the folder does not appear") {
  TemporaryFolder scratch;
  TokenShardOptions options;
  options.vocab_size = 10;
  {
    TokenShardWriter writer(scratch.file("d"), options);
    const int32_t good[] = {9}, bad[] = {10}, negative[] = {-1};
    writer.add_document(good);
    CHECK_THROWS_WITH_AS(writer.add_document(bad), doctest::Contains("out of range"), Error);
    CHECK_THROWS_AS(writer.add_document(negative), Error);
  }
  CHECK(scratch.entries().empty());
}

TEST_CASE("no documents at all is a valid folder") {
  TemporaryFolder scratch;
  write(scratch.file("d"), {}, 10, 10);
  CHECK(TokenShards::open(scratch.file("d")).total_tokens() == 0);
}

TEST_CASE("every truncation and every flipped bit of a shard is found") {
  TemporaryFolder scratch;
  Data data = make_data(300, 6);
  write(scratch.file("d"), data, 300, 1000);
  std::string path = scratch.file("d/shard-00000.tok"), good = io::read_file(path);
  auto found = [&](const std::string& bytes) {
    FastSystem system;
    io::write_file_atomically(path, bytes, true, &system);
    try {
      TokenShards::open(scratch.file("d")).verify();
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  CHECK_FALSE(found(good));
  for (size_t length = 0; length < good.size(); length += 3) CHECK(found(good.substr(0, length)));
  CHECK(found(good + std::string(8, '\0')));
  for (size_t bit = 0; bit < good.size() * 8; bit += 5) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    CAPTURE(bit);
    REQUIRE(found(flipped));
  }
}

TEST_CASE("a manifest may not name files outside its folder") {
  TemporaryFolder scratch;
  write(scratch.file("d"), make_data(10, 3), 10, 1000);
  std::string path = scratch.file("d/manifest.json"), manifest = io::read_file(path);
  manifest.replace(manifest.find("shard-00000.tok"), 15, "../shard-00.tok");
  io::write_file_atomically(path, manifest);
  CHECK_THROWS_WITH_AS(TokenShards::open(scratch.file("d")), doctest::Contains("outside the folder"), Error);
}
