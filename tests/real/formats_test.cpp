// The parsers against real files: JSONTestSuite, web archives of many writers (also broken ones), chat data.
#include <doctest/doctest.h>

#include <map>

#include "formats/chat.h"
#include "formats/http.h"
#include "formats/json.h"
#include "formats/jsonl.h"
#include "formats/warc.h"
#include "real/real_data.h"

using namespace llmkit;
using namespace llmkit::formats;

TEST_CASE("JSONTestSuite: what must parse parses, what must not is refused") {
  std::string path = real::data_file("json/JSONTestSuite_parsing.tar.zst");
  if (path.empty()) return;
  int must = 0, must_not = 0;
  real::for_each_in_tar(path, [&](const std::string& name, std::string_view content) {
    std::string base = name.substr(name.rfind('/') + 1);
    bool accepted = true;
    try {
      parse_json(content, base);
    } catch (const Error&) {
      accepted = false;
    }
    // The same text as one member of a document line goes the other way through simdjson.
    std::string line = "{\"text\": \"\", \"x\": " + std::string(content) + "}";
    bool accepted_in_line = static_cast<bool>(parse_document(line));
    if (base.starts_with("y_")) {
      ++must;
      CHECK_MESSAGE(accepted, base);
      CHECK_MESSAGE(accepted_in_line, base);
    } else if (base.starts_with("n_")) {
      ++must_not;
      CHECK_MESSAGE(!accepted, base);
    }
  });
  CHECK(must == 95);
  CHECK(must_not == 188);
}

TEST_CASE("web archives of many writers are read, and what is damaged is counted") {
  struct Expected {
    int records, responses;
    int64_t bad, repaired;
  };
  // Counts of records and of responses with a readable HTTP head; the broken files keep what can be kept.
  const std::map<std::string, Expected> files = {
      {"IAH-urls-wget.warc", {36, 16, 0, 0}},
      {"IAH-urls-wget.warc.gz", {36, 16, 0, 0}},
      {"aut-example.arc.gz", {300, 261, 0, 0}},
      {"cc_net-sample.wet.txt", {3, 0, 1, 2}},  // its line ends were changed, so that its lengths are wrong
      {"dolma-sample-0000.warc.gz", {48, 22, 0, 0}},
      {"jwarc-cc.warc.gz", {1, 1, 0, 0}},
      {"jwarc-gzip_extra_sl.warc.gz", {1, 0, 0, 0}},
      {"node-warc-books.toscrape.warc", {60, 30, 0, 0}},
      {"warcio-bad.arc", {1, 0, 2, 0}},  // lengths -1 and "abc"
      {"warcio-example-bad-non-chunked.warc.gz", {6, 2, 0, 0}},
      {"warcio-example-bad.warc.gz.bad", {6, 3, 0, 0}},
      {"warcio-example-iana.org-chunked.warc", {3, 1, 0, 0}},
      {"warcio-example-resource.warc.gz", {3, 0, 0, 0}},
      {"warcio-example-space-in-target-uri.warc.gz", {2, 0, 0, 0}},
      {"warcio-example-space-in-url.arc", {1, 0, 1, 0}},  // its last record is 12 bytes short
      {"warcio-example-trunc.warc", {4, 1, 0, 1}},
      {"warcio-example-wget-bad-target-uri.warc.gz", {6, 1, 0, 0}},
      {"warcio-example-wrong-chunks.warc.gz", {2, 1, 0, 0}},
      {"warcio-example.arc", {2, 1, 0, 0}},
      {"warcio-example.warc.gz", {6, 2, 0, 0}},
      {"warcio-post-test.warc.gz", {6, 3, 0, 0}},
  };
  for (auto& [name, expected] : files) {
    CAPTURE(name);
    std::string path = real::data_file("warc/" + name);
    if (path.empty()) return;
    WarcReader reader(io::open_input(path));
    WarcRecord record;
    int records = 0, responses = 0;
    while (reader.next(record)) {
      ++records;
      if (record.type() == "response" || record.type() == "revisit")
        responses += static_cast<bool>(parse_http_response(record.content));
    }
    CHECK(records == expected.records);
    CHECK(responses == expected.responses);
    CHECK(reader.bad().total() == expected.bad);
    CHECK(reader.repaired().total() == expected.repaired);
  }
}

TEST_CASE("chat data of every format is read") {
  const std::map<std::string, int> files = {{"alpaca_en_demo.json.zst", 999},
                                            {"alpaca_zh_demo.json.zst", 1000},
                                            {"dpo_en_demo.json.zst", 300},
                                            {"identity.json", 91},
                                            {"glaive_toolcall_en_demo.json.zst", 300},
                                            {"gsm8k_train.jsonl.zst", 7473},
                                            {"v1_sft_demo.jsonl.zst", 500},
                                            {"fastchat_dummy_conversation.json.zst", 500}};
  for (auto& [name, expected] : files) {
    CAPTURE(name);
    std::string path = real::data_file("sft/" + name);
    if (path.empty()) return;
    ConversationReader reader({path});
    Conversation conversation;
    int count = 0;
    while (reader.next(conversation)) ++count;
    CHECK(count == expected);
    CHECK(reader.bad().total() == 0);
  }
}
