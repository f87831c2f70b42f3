#include "eval/tasks/choices.h"

#include <fmt/format.h>

namespace llmkit::eval {

std::vector<Request> ChoiceTask::requests(const Item& item) const {
  ChoiceQuestion q = question(item);
  std::vector<Request> out;
  for (auto& choice : q.choices) out.push_back({Request::Kind::loglikelihood, q.context, delimiter_ + choice, {}, 0});
  return out;
}

std::vector<Score> ChoiceTask::score(const Item& item, const std::vector<Response>& responses) const {
  ChoiceQuestion q = question(item);
  return score_choices(responses, q.choices, q.gold);
}

ChoiceQuestion choice_question(const Item& item, std::string context, std::string_view choices_key,
                               std::string_view gold_key) {
  ChoiceQuestion q{std::move(context), text_list(item, choices_key), integer_field(item, gold_key)};
  if (q.choices.size() < 2 || q.gold < 0 || q.gold >= static_cast<int64_t>(q.choices.size())) {
    throw Error({"not a multiple-choice item", item.id,
                 fmt::format("at least two {} and 0 <= {} < their number", choices_key, gold_key),
                 fmt::format("{} choices and {} = {}", q.choices.size(), gold_key, q.gold), ""});
  }
  return q;
}

}  // namespace llmkit::eval
