// What an evaluation task is: it turns items of a data file into requests to a model and the model's answers into
// scores. Semantics follow lm-evaluation-harness (Gao et al. 2021) where a task has its counterpart there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/registry.h"
#include "formats/json.h"

namespace llmkit::eval {

// One question to the model.
struct Request {
  enum class Kind {
    loglikelihood,  // log p(continuation | context)
    rolling,        // log p(continuation), each token seen once, in windows of the model's context
    generate        // greedy continuation of the context until a stop string
  };
  Kind kind = Kind::loglikelihood;
  std::string context;  // empty: the model's document separator stands for it
  std::string continuation;
  std::vector<std::string> stop;
  int64_t max_tokens = 0;
};

struct Response {
  double logprob = 0;      // natural log, summed over the tokens of the continuation
  int64_t tokens = 0;      // how many those were
  bool is_greedy = false;  // every one of them was the most probable
  std::string text;        // generate: what came before the stop string
};

// A number that one item contributes to a metric; the metric is Σ value·weight / Σ weight.
struct Score {
  std::string metric;
  double value;
  double weight = 1;
};

struct Item {
  std::string id;  // unique within the task
  formats::Json data;
};

class Task {
 public:
  virtual ~Task() = default;
  // Whether a data file with this name belongs to the task when a folder is searched (--task-data).
  virtual bool recognises(std::string_view file_name) const = 0;
  // Reads one data file. Most tasks read JSON Lines and keep this default.
  virtual std::vector<Item> load(const std::string& path) const;
  virtual std::vector<Request> requests(const Item& item) const = 0;
  virtual std::vector<Score> score(const Item& item, const std::vector<Response>& responses) const = 0;
  // Metrics that are exp(mean) of their scores (token perplexity).
  virtual bool exponential(std::string_view metric) const { return metric.ends_with("perplexity"); }
  // Raised when the semantics change, so that old and new results are not compared by mistake.
  virtual int version() const { return 1; }
};

const Registry<Task>& tasks();  // eval_tasks.def

// Multiple choice by log-likelihood. acc: the gold choice has the largest log-likelihood; acc_norm: the same after
// division by the choice's length in characters (the harness's normalisation). Ties go to the first choice.
std::vector<Score> score_choices(const std::vector<Response>& responses, const std::vector<std::string>& choices,
                                 int64_t gold);

// Fields of an item, with its place in the message when they are missing or of another type.
std::string text_field(const Item& item, std::string_view key);
int64_t integer_field(const Item& item, std::string_view key);
std::vector<std::string> text_list(const Item& item, std::string_view key);  // a list of texts, or one text

// Items of a data file: JSON Lines with one object a line, or documents (JSON Lines with text; a .txt file is one).
std::vector<Item> load_json_lines(const std::string& path);
std::vector<Item> load_documents(const std::string& path);

}  // namespace llmkit::eval
