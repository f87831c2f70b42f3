#include "sft/dataset.h"

#include <doctest/doctest.h>

#include "base/rng.h"

using namespace llmkit;
using namespace llmkit::sft;

namespace {

tokenizer::Tokenizer byte_tokenizer() {
  auto parts = tokenizer::Tokenizer::load("byte").parts();
  tokenizer::AddedToken token;
  for (auto content : {"<|im_start|>", "<|im_end|>"}) {
    token.content = content;
    parts.add(token);
  }
  return tokenizer::Tokenizer(parts);
}

formats::Conversation talk(std::initializer_list<std::pair<const char*, std::string>> turns) {
  formats::Conversation c;
  for (auto& [role, content] : turns) {
    formats::Message m;
    m.role = role;
    m.content = content;
    c.messages.push_back(m);
  }
  return c;
}

std::string targets(const tokenizer::Tokenizer& t, const Example& e) {
  std::string out;
  for (size_t i = 0; i < e.tokens.size(); ++i)
    if (e.trained[i]) out += t.bytes(e.tokens[i]);
  return out;
}

struct Setup {
  std::unique_ptr<Parallel> parallel = std::make_unique<Parallel>(1);
  tokenizer::Tokenizer tokenizer = byte_tokenizer();
  std::unique_ptr<tokenizer::ChatTemplate> chat = tokenizer::chat_templates().make("chatml");
  Dataset build(std::vector<formats::Conversation> c, DatasetOptions options = {}) {
    return build_dataset(*parallel, tokenizer, *chat, c, options);
  }
};

}  // namespace

TEST_CASE("an example ends with its last target, and the end of a turn is one") {
  Setup s;
  auto data = s.build({talk({{"user", "Hi"}, {"assistant", "Yo"}, {"user", "never answered"}})});
  REQUIRE(data.examples.size() == 1);
  CHECK(targets(s.tokenizer, data.examples[0]) == "Yo<|im_end|>");
  CHECK(data.examples[0].trained.back());
  CHECK(data.coverage.targets == 3);
  CHECK(data.coverage.tokens == static_cast<int64_t>(data.examples[0].tokens.size()));
}

TEST_CASE("only the last turn is trained on when asked for") {
  Setup s;
  auto data = s.build({talk({{"user", "a"}, {"assistant", "b"}, {"user", "c"}, {"assistant", "d"}})},
                      {.train_on = TrainOn::last_turn});
  CHECK(targets(s.tokenizer, data.examples[0]) == "d<|im_end|>");
}

TEST_CASE("a long conversation keeps the whole turns that fit, or is cut where told, and both are counted") {
  Setup s;
  std::string reply(20, 'x');
  auto two = talk({{"user", "a"}, {"assistant", reply}, {"user", "b"}, {"assistant", reply}});
  int64_t first_turn = s.build({talk({{"user", "a"}, {"assistant", reply}})}).coverage.tokens;

  auto turns = s.build({two}, {.max_length = first_turn + 5});
  CHECK(turns.coverage.shortened == 1);
  CHECK(targets(s.tokenizer, turns.examples[0]) == reply + "<|im_end|>");
  CHECK(static_cast<int64_t>(turns.examples[0].tokens.size()) == first_turn);

  auto cut = s.build({two}, {.max_length = first_turn - 5, .overlong = Overlong::cut});
  CHECK(cut.examples[0].inputs() == first_turn - 5);
  CHECK(targets(s.tokenizer, cut.examples[0]) == std::string(17, 'x'));

  auto mixed = s.build({two, talk({{"user", "a"}, {"assistant", "b"}})}, {.max_length = first_turn - 2});
  CHECK(mixed.coverage.too_long == 1);
  CHECK(mixed.coverage.kept == 1);
}

TEST_CASE("a turn that fits exactly stays whole") {
  Setup s;
  auto one = talk({{"user", "a"}, {"assistant", "bcd"}});
  int64_t tokens = s.build({one}).coverage.tokens;
  CHECK(s.build({one}, {.max_length = tokens - 1}).coverage.shortened == 0);
  CHECK_THROWS_AS(s.build({one}, {.max_length = tokens - 2}), Error);
}

TEST_CASE("data without any target is refused with the counts") {
  Setup s;
  CHECK_THROWS_WITH_AS(s.build({talk({{"user", "a"}}), talk({{"human", "a"}, {"gpt", "b"}})}),
                       doctest::Contains("2 dropped without an assistant turn"), Error);
}

TEST_CASE("the transcript marks targets") {
  Setup s;
  auto data = s.build({talk({{"user", "é"}, {"assistant", "b\nc\x1B[m"}})});
  CHECK(show_mask(s.tokenizer, data.examples[0], false) ==
        "<|im_start|>user\né<|im_end|>\n<|im_start|>assistant\n[b\nc\\x1b[m][<|im_end|>]\n");
  CHECK(show_mask(s.tokenizer, data.examples[0], true).find("\x1B[32mb\nc") != std::string::npos);
}

TEST_CASE("examples are the same for one and eight threads") {
  Setup s;
  std::vector<formats::Conversation> conversations;
  Rng rng({4});
  for (int i = 0; i < 4000; ++i)
    conversations.push_back(
        talk({{"user", std::string(rng.below(300), 'u')}, {"assistant", std::string(1 + rng.below(300), 'a')}}));
  auto serial = s.build(conversations);
  s.parallel.reset();  // two pools at once would limit each other
  Parallel eight(8);
  for (int round = 0; round < 20; ++round) {
    auto parallel = build_dataset(eight, s.tokenizer, *s.chat, conversations, {});
    REQUIRE(parallel.examples.size() == serial.examples.size());
    for (size_t i = 0; i < serial.examples.size(); ++i) {
      REQUIRE(parallel.examples[i].tokens == serial.examples[i].tokens);
      REQUIRE(parallel.examples[i].trained == serial.examples[i].trained);
    }
    if (eight.stats().workers >= 2 && eight.stats().least_tiles >= 3) break;
  }
  CHECK(eight.stats().workers >= 2);
  CHECK(eight.stats().least_tiles >= 3);
}
