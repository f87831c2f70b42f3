#include "formats/warc.h"

#include <doctest/doctest.h>

#include "formats/http.h"
#include "io/files.h"
#include "io/output.h"
#include "temporary_folder.h"
#include "unit/io/faults.h"

using namespace llmkit;
using namespace llmkit::formats;

namespace {

std::string record(std::string_view uri, std::string_view content, std::string length = {}) {
  if (length.empty()) length = std::to_string(content.size());
  return "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: " + std::string(uri) + "\r\nContent-Length: " + length +
         "\r\n\r\n" + std::string(content) + "\r\n\r\n";
}

// One gzip member, as WARC files have one a record.
std::string member(const std::string& content) {
  TemporaryFolder scratch;
  FastSystem system;
  io::OutputOptions options;
  options.system = &system;
  auto output = io::create_output(scratch.file("m.gz"), options);
  output->write(content);
  output->finish();
  return io::read_file(scratch.file("m.gz"));
}

struct Read {
  std::vector<std::string> uris, contents;
  std::map<std::string, int64_t> bad, repaired;
};

Read read(std::string_view bytes, WarcOptions options = {}) {
  WarcReader reader(io::open_memory(bytes, "test.warc"), options);
  Read out;
  WarcRecord r;
  while (reader.next(r)) {
    out.uris.emplace_back(r.target_uri());
    out.contents.push_back(r.content);
  }
  out.bad = reader.bad().by_reason();
  out.repaired = reader.repaired().by_reason();
  return out;
}

using Strings = std::vector<std::string>;
using Counts = std::map<std::string, int64_t>;

}  // namespace

TEST_CASE("records are read plain and gzipped, with the fields as they are written") {
  std::string plain = record("<http://a/>", "one\r\n\r\ntwo") + record("http://b/", "");
  CHECK(read(plain).uris == Strings{"http://a/", "http://b/"});
  CHECK(read(plain).contents == Strings{"one\r\n\r\ntwo", ""});
  CHECK(read(plain).bad.empty());
  Read packed = read(member(record("http://a/", "one")) + member(record("http://b/", "two")));
  CHECK(packed.contents == Strings{"one", "two"});
  CHECK(packed.bad.empty());
  CHECK(read("").uris.empty());

  WarcReader reader(io::open_memory("WARC/1.1\nwarc-type: conversion\nX:  a\n  b\nContent-Length: 2\n\nhi\n\n", "t"));
  WarcRecord r;
  REQUIRE(reader.next(r));
  CHECK(r.version == "WARC/1.1");
  CHECK(r.type() == "conversion");
  CHECK(r.header("x") == "a b");
  CHECK(r.content == "hi");
}

TEST_CASE("a damaged gzip member costs its record and no other") {
  std::string text(20'000, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i * i % 23);
  std::string first = member(record("http://a/", "one")), second = member(record("http://b/", text)),
              third = member(record("http://c/", "three"));
  for (size_t at : {size_t{12}, second.size() / 3, second.size() / 2, second.size() - 60}) {
    CAPTURE(at);
    std::string damaged = second;
    for (size_t i = 0; i < 8; ++i) damaged[at + i] = static_cast<char>(~damaged[at + i]);
    Read got = read(first + damaged + third);
    CHECK(got.uris.front() == "http://a/");
    CHECK(got.uris.back() == "http://c/");
    CHECK(got.bad == Counts{{"damaged-compression", 1}});
  }
  Read cut = read(first + second.substr(0, second.size() / 2));
  CHECK(cut.uris == Strings{"http://a/"});
  CHECK(cut.bad == Counts{{"damaged-compression", 1}});
  Read junk = read(first + "some junk" + third);
  CHECK(junk.uris == Strings{"http://a/", "http://c/"});
  CHECK(junk.bad == Counts{{"damaged-compression", 1}});
}

TEST_CASE("reading goes on at the next record after junk and lying lengths") {
  std::string good = record("http://z/", "last");
  CHECK(read("junk\r\njunk\r\n" + good).bad == Counts{{"not-a-record", 1}});
  CHECK(read("junk\r\njunk\r\n" + good).uris == Strings{"http://z/"});
  for (std::string length : {"9223372036854775807", "18446744073709551616", "-1", "abc", "0x10", "+3"}) {
    CAPTURE(length);
    Read got = read(record("http://a/", "one", length) + good);
    CHECK(got.uris == Strings{"http://z/"});
    CHECK(got.bad == Counts{{"bad-length", 1}});
  }
  Read small = read(record("http://a/", "one\r\nmore", "3") + good);
  CHECK(small.uris == Strings{"http://a/", "http://z/"});
  Read wrong = read(record("http://a/", "one more", "3") + good);
  CHECK(wrong.contents == Strings{"one more", "last"});
  CHECK(wrong.repaired == Counts{{"wrong-length", 1}});
  Read large = read(record("http://a/", "one", "60") + record("http://b/", "two") + good);
  CHECK(large.contents == Strings{"one", "two", "last"});
  CHECK(large.repaired == Counts{{"wrong-length", 1}});
  Read cut = read(good + record("http://a/", "one", "1000"));
  CHECK(cut.uris == Strings{"http://z/"});
  CHECK(cut.bad == Counts{{"cut-off", 1}});
  Read head = read(good + "WARC/1.0\r\nContent-Le");
  CHECK(head.bad == Counts{{"cut-off", 1}});
}

TEST_CASE("content over the cap is cut and flagged, and the next record is found") {
  WarcOptions options;
  options.max_content_bytes = 10;
  std::string bytes = record("http://a/", std::string(1'000'000, 'x')) + record("http://b/", "two");
  WarcReader reader(io::open_memory(bytes, "t"), options);
  WarcRecord r;
  REQUIRE(reader.next(r));
  CHECK(r.truncated);
  CHECK(r.content == "xxxxxxxxxx");
  REQUIRE(reader.next(r));
  CHECK(r.content == "two");
}

TEST_CASE("ARC records come as if they were WARC records") {
  std::string body = "HTTP/1.1 200 OK\r\n\r\nhi";
  std::string arc =
      "filedesc://x.arc 0.0.0.0 20140216050221 text/plain 5\n1 0 X\n\nhttp://a/?q=b c 1.2.3.4 20140216050221 "
      "text/html " +
      std::to_string(body.size()) + "\n" + body + "\n" +
      "http://b/ 1.2.3.4 20140216050221 text/html abc\n\nhttp://c/ 1.2.3.4 2014021605 text/html 1\nx\n";
  Read got = read(arc);
  CHECK(got.uris == Strings{"filedesc://x.arc", "http://a/?q=b c", "http://c/"});
  CHECK(got.contents[1] == body);
  CHECK(got.bad == Counts{{"bad-length", 1}});
  WarcReader reader(io::open_memory(arc, "t"));
  WarcRecord r;
  REQUIRE((reader.next(r) && reader.next(r)));
  CHECK(r.type() == "response");
  CHECK(r.date() == "2014-02-16T05:02:21Z");
}

TEST_CASE("every prefix of an archive is read without a crash, and what is missing is counted") {
  std::string bytes = member(record("http://a/", "one")) + member(record("http://b/", "two"));
  size_t boundary = member(record("http://a/", "one")).size();
  for (size_t length = 1; length < bytes.size(); ++length) {
    CAPTURE(length);
    Read got = read(std::string_view(bytes).substr(0, length));
    CHECK(got.uris.size() <= 2);
    if (length != boundary) CHECK_FALSE(got.bad.empty());
  }
}

TEST_CASE("an HTTP response is split and its encodings undone") {
  auto response = parse_http_response("HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nBroken line\r\n\r\nbody");
  REQUIRE(response);
  CHECK(response->status == 404);
  CHECK(response->header("content-type") == "text/html");
  CHECK(response->body == "body");
  CHECK(parse_http_response("HTTP/1.0 200\n\nx")->body == "x");
  CHECK(parse_http_response("HTTP/2 200 \nA: b")->body.empty());
  for (std::string_view bad : {"", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 20x OK\r\n\r\n", "HTTP/1.1"})
    CHECK(parse_http_response(bad).refusal().reason == "not-http");

  auto body = [](const std::string& fields, const std::string& stored) {
    return parse_http_response("HTTP/1.1 200 OK\r\n" + fields + "\r\n\r\n" + stored);
  };
  const std::string chunked = "Transfer-Encoding: Chunked";
  CHECK(body(chunked, "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")->body == "abcde");
  CHECK(body(chunked, "<html>")->body == "<html>");
  CHECK_FALSE(body(chunked, "<html>")->damaged);
  CHECK(body(chunked, "3\r\nabc\r\nzz\r\nde")->body == "abc");
  CHECK(body(chunked, "3\r\nabc\r\nzz\r\nde")->damaged);
  CHECK(body(chunked, "ffffffffffffffff\r\nabc")->body == "abc");
  CHECK(body(chunked, "ffffffffffffffff\r\nabc")->damaged);
  std::string packed = member("hello hello");
  CHECK(body("Content-Encoding: gzip", packed)->body == "hello hello");
  CHECK(body("Content-Encoding: x-gzip, identity", packed)->body == "hello hello");
  CHECK(body("Content-Encoding: gzip", "plain already")->body == "plain already");
  CHECK(body("Content-Encoding: gzip\r\nTransfer-Encoding: chunked",
             std::string("5\r\n") + packed.substr(0, 5) + "\r\n64\r\n" + packed.substr(5))
            ->body == "hello hello");
  CHECK(body("Content-Encoding: gzip", packed.substr(0, packed.size() - 4))->damaged);
  CHECK(body("Content-Encoding: br", "x").refusal().reason == "unsupported-encoding");
  // zlib.compress(b"hello") and the same without head and checksum, from Python 3.11.
  const std::string zlib("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15", 13);
  CHECK(body("Content-Encoding: deflate", zlib)->body == "hello");
  CHECK(body("Content-Encoding: deflate", zlib.substr(2, 7))->body == "hello");
  std::string bomb = member(std::string(10'000'000, 'x'));
  CHECK(parse_http_response("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + bomb, 1'000'000).refusal().reason ==
        "body-too-large");
}
