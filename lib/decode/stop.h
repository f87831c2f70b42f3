// Stop strings on a stream of text: what may still turn out to be the beginning of a stop string is held back, so that
// no part of a stop string is ever shown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llmkit::decode {

class StopMatcher {
 public:
  explicit StopMatcher(std::vector<std::string> stops);

  // Takes the next piece of text and returns what can be shown. After a stop string was met, stopped() holds and
  // nothing more comes.
  std::string push(std::string_view text);
  // The stream has ended: what was held back.
  std::string flush();
  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace llmkit::decode
