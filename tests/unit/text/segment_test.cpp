#include "text/segment.h"

#include <doctest/doctest.h>

#include <string>

#include "text/language.h"
#include "text/unicode.h"

using namespace llmkit::text;

namespace {

std::string joined(std::string_view text) {
  std::string out;
  for (const Word& w : split_words(text)) out += (out.empty() ? "" : "|") + std::string(w.text);
  return out;
}

}  // namespace

TEST_CASE("words keep inner apostrophes, numbers inner points, and runs of one sign are a symbol") {
  CHECK(joined("Don't pay $1,234.50 -- ever...") == "Don't|pay|$|1,234.50|--|ever|...");
  CHECK(joined("na\xC3\xAFve cafe\xCC\x81s") == "na\xC3\xAFve|cafe\xCC\x81s");
  CHECK(joined("'quoted' 3rd x2") == "'|quoted|'|3rd|x2");
}

TEST_CASE("each character of a script without spaces is a word") {
  CHECK(joined("我爱Python编程。") == "我|爱|Python|编|程|。");
  std::vector<Word> words = split_words("中a1,");
  REQUIRE(words.size() == 3);
  CHECK(words[0].kind == WordKind::character);
  CHECK(words[1].kind == WordKind::word);
  CHECK(words[2].kind == WordKind::symbol);
}

TEST_CASE("ICU's dictionaries cut Chinese into words") {
  auto words = split_words_icu("我们今天去图书馆");
  CHECK(words.size() < 8);
  CHECK(words.front() == "我们");
}

TEST_CASE("normalisation forms agree with the standard's examples") {
  CHECK(normalize("\xEF\xAC\x81", Form::nfkc) == "fi");
  CHECK(normalize("\xC3\xA9", Form::nfd) == "e\xCC\x81");
  CHECK(normalize("e\xCC\x81", Form::nfc) == "\xC3\xA9");
  CHECK_FALSE(is_normalized("e\xCC\x81", Form::nfc));
  CHECK(to_lower("\xC3\x89 STRA\xE1\xBA\x9E\x45") == "\xC3\xA9 stra\xC3\x9F\x65");
}

TEST_CASE("a paragraph is named in its language, and names of things in none") {
  CHECK(identify_language("The weather was good and we had nothing to do, so all of them went to the river.").code ==
        "en");
  CHECK(identify_language("Das Wetter war gut und wir hatten nichts zu tun, also gingen alle an den Fluss.").code ==
        "de");
  CHECK(identify_language("Il faisait beau et nous n'avions rien à faire, alors tous sont allés à la rivière.").code ==
        "fr");
  CHECK(identify_language("Hacía buen tiempo y no teníamos nada que hacer, así que todos fueron al río.").code == "es");
  CHECK(identify_language("天气很好,我们没有事情可做,所以大家都去了河边。").code == "zh");
  CHECK(identify_language("天気がよくて、することがなかったので、みんなで川へ行きました。").code == "ja");
  CHECK(identify_language("날씨가 좋고 할 일이 없어서 모두 강으로 갔다.").code == "ko");
  CHECK(identify_language("Погода была хорошая, и мы не знали, что делать, поэтому все пошли на реку.").code == "ru");
  CHECK(identify_language("Samsung Galaxy Xperia iPhone Nokia Lumia ThinkPad MacBook").score < 0.3);
  CHECK(identify_language("12345 --- 67").code == "und");
}
