#include "formats/safetensors.h"

#include <doctest/doctest.h>

#include <cstring>

#include "temporary_folder.h"

using namespace llmkit;
using namespace llmkit::formats;

namespace {

std::string file_with(std::string header, size_t data_bytes) {
  std::string out(8, '\0');
  uint64_t length = header.size();
  std::memcpy(out.data(), &length, 8);
  return out + header + std::string(data_bytes, '\0');
}

SafetensorsFile parse(std::string_view bytes) {
  return SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "test.safetensors");
}

std::string refusal(const std::string& bytes) {
  try {
    parse(bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

std::string entry(std::string name, std::string dtype, std::string shape, std::string offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

}  // namespace

TEST_CASE("a file that the Python package wrote is read, and ours is the same byte for byte") {
  // safetensors 0.8.0 (Python): save({"w": arange(6, float32).reshape(2, 3) / 4, "b": [-1, 7] (int64)}, {"format":
  // "pt"})
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[16,40]}})";
  const int64_t b[] = {-1, 7};
  const float w[] = {0, 0.25f, 0.5f, 0.75f, 1, 1.25f};
  std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  std::string golden = file_with(padded, 40);
  std::memcpy(golden.data() + 8 + padded.size(), b, sizeof b);
  std::memcpy(golden.data() + 8 + padded.size() + sizeof b, w, sizeof w);

  SafetensorsFile file = parse(golden);
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.metadata().at("format") == "pt");
  const TensorView* tensor = file.find("w");
  REQUIRE(tensor);
  CHECK(tensor->dtype == DType::f32);
  CHECK(tensor->shape == std::vector<int64_t>{2, 3});
  CHECK(std::memcmp(tensor->data.data(), w, sizeof w) == 0);
  CHECK(file.find("none") == nullptr);

  TemporaryFolder scratch;
  write_safetensors(
      scratch.file("a"),
      {{"b", DType::i64, {2}, std::as_bytes(std::span(b))}, {"w", DType::f32, {2, 3}, std::as_bytes(std::span(w))}},
      {{"format", "pt"}});
  CHECK(io::read_file(scratch.file("a")) == golden);
}

TEST_CASE("an empty file of tensors, a scalar and an empty tensor are fine") {
  CHECK(parse(file_with("{}", 0)).tensors().empty());
  SafetensorsFile file =
      parse(file_with("{" + entry("s", "F32", "[]", "[0,4]") + "," + entry("e", "F32", "[0,5]", "[4,4]") + "}", 4));
  CHECK(file.find("s")->elements() == 1);
  CHECK(file.find("e")->elements() == 0);
}

TEST_CASE("every lie of a header is refused with its reason") {
  std::string huge = file_with("{}", 0);
  uint64_t length = uint64_t{1} << 63;
  std::memcpy(huge.data(), &length, 8);
  CHECK(refusal(huge) ==
        "test.safetensors, byte 0: is no safetensors file: expected a header of at most 100000000 bytes, found "
        "9223372036854775808 (is this the right file?)");
  CHECK(refusal("") == "test.safetensors: is no safetensors file: expected at least 8 bytes, found 0");
  length = 50;
  std::memcpy(huge.data(), &length, 8);
  CHECK(refusal(huge).find("is cut off in its header") != std::string::npos);
  auto refused = [](const std::string& entries, size_t data, const std::string& why) {
    CAPTURE(entries);
    std::string message = refusal(file_with("{" + entries + "}", data));
    CHECK_MESSAGE(message.find(why) != std::string::npos, message);
  };
  auto f32 = [](std::string name, std::string shape, std::string offsets) {
    return entry(name, "F32", shape, offsets);
  };
  refused(f32("a", "[1]", "[0,4]") + "," + f32("a", "[1]", "[4,8]"), 8, "appears twice");
  refused(f32("a", "[1]", "[4,8]"), 8, "leaves a hole before it");
  refused(f32("a", "[2]", "[0,8]") + "," + f32("b", "[1]", "[4,8]"), 8, "overlaps another tensor");
  refused(f32("a", "[1]", "[0,4]"), 8, "bytes that belong to no tensor");
  refused(f32("a", "[1]", "[0,4]"), 3, "outside the data");
  refused(f32("a", "[2]", "[0,4]"), 4, "disagree");
  refused(f32("a", "[1]", "[4,0]"), 4, "outside the data");
  refused(f32("a", "[4294967296,4294967296]", "[0,0]"), 0, "the shape overflows");
  refused(f32("a", "[-1]", "[0,4]"), 4, "at least 0");
  refused(f32("a", "[1.5]", "[0,4]"), 4, "at least 0");
  refused(f32("a", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "too many dimensions");
  refused(entry("a", "F31", "[1]", "[0,4]"), 4, "unknown dtype");
  refused(f32("a", "[1]", "[0]"), 4, "two numbers");
  refused("\"a\":{\"dtype\":\"F32\"}", 4, "unknown entry");
  refused("\"a\":[1]", 4, "unknown entry");
  refused("\"__metadata__\":{\"a\":1}", 0, "wrong type");
  refused("\"a\":", 0, "not valid JSON");
  CHECK(refusal(file_with(" {}", 0)).find("starts with {") != std::string::npos);
}

TEST_CASE("every prefix of a good file is refused, and no single flipped bit crashes the reader") {
  std::string good = file_with("{" + entry("a", "F32", "[2]", "[0,8]") + "}", 8);
  CHECK(refusal(good) == "accepted");
  for (size_t length = 0; length < good.size(); ++length) CHECK(refusal(good.substr(0, length)) != "accepted");
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    refusal(flipped);
  }
}

TEST_CASE("a sharded model is found through its index, which may not leave the folder") {
  TemporaryFolder scratch;
  const float one[] = {1}, two[] = {2};
  write_safetensors(scratch.file("m-1.safetensors"), {{"a", DType::f32, {1}, std::as_bytes(std::span(one))}});
  write_safetensors(scratch.file("m-2.safetensors"), {{"b", DType::f32, {1}, std::as_bytes(std::span(two))}});
  auto index = [&](const std::string& map) {
    io::write_file_atomically(scratch.file("model.safetensors.index.json"), "{\"weight_map\": {" + map + "}}");
  };
  auto open = [&] { return SafetensorsModel::open(scratch.file(".")); };
  index(R"("a": "m-1.safetensors", "b": "m-2.safetensors")");
  CHECK(std::memcmp(open().find("b")->data.data(), two, 4) == 0);
  CHECK(open().tensors().size() == 2);
  index(R"("a": "../m-1.safetensors")");
  CHECK_THROWS_WITH_AS(open(), doctest::Contains("outside the folder"), Error);
  index(R"("a": "m-2.safetensors")");
  CHECK_THROWS_WITH_AS(open(), doctest::Contains("does not hold"), Error);
  index(R"("b": "m-2.safetensors", "a": "m-2.safetensors")");
  CHECK_THROWS_WITH_AS(open(), doctest::Contains("does not hold"), Error);
}

TEST_CASE("a shape that does not fit its data is not written") {
  TemporaryFolder scratch;
  const float one[] = {1};
  CHECK_THROWS_WITH_AS(write_safetensors(scratch.file("m"), {{"a", DType::f32, {2}, std::as_bytes(std::span(one))}}),
                       doctest::Contains("disagree"), Error);
  CHECK(scratch.entries().empty());
}
