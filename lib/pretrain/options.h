// Everything `llmkit pretrain` can be told; the defaults are those that the help shows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llmkit::pretrain {

struct ModelOptions {
  std::string arch = "llama";  // llama or gpt2
  int64_t layers = 6, heads = 6;
  int64_t kv_heads = 0;  // 0 = as many as heads
  int64_t width = 384;
  int64_t ffn = 0;  // 0 = 4 x width for gpt2; 8/3 x width, rounded up to a multiple of 64, for llama
  int64_t context = 256;
  bool tied = true;           // one matrix for the embedding and the output
  bool bias = true;           // gpt2 only: biases in linear layers and norms
  double rope_base = 10000;   // llama only
  double dropout = 0;         // of embeddings, attention and residual branches alike
  std::string model{};        // folder of a model to go on with; the shape is then its own
  std::string init = "gpt2";  // rule of init.h
  int64_t base_width = 256;   // of --init mup: the width that the learning rate was found for
};

struct DataOptions {
  // Folders of token shards, or text (.txt, .jsonl, compressed or not); several as NAME=PATH:WEIGHT.
  std::vector<std::string> data;
  std::string
      validation_data;  // the same, kept apart; empty = DATA/validation where mix left one, else the end of `data`
  double validation_share = 0.05;  // of the tokens, from the end of `data`
  std::string tokenizer;           // for text: byte, char, or a tokenizer folder; for shards only where they carry none
  std::string order = "windows";
  bool document_mask = false;  // attention stays inside a document
  std::string probe;           // texts whose perplexity is followed
};

struct TrainOptions {
  int64_t batch = 16;        // sequences of a micro-batch
  int64_t accumulation = 1;  // micro-batches of a step
  int64_t batch_warmup = 0;  // steps over which a step grows from one micro-batch (of each group) to `accumulation`
  int64_t grad_groups = 1;   // groups of them whose gradients add in a tree: as many processes may share a step
  int64_t steps = 0;         // one of the four; 0 = not given
  double tokens = 0;
  double epochs = 0;
  double minutes = 0;
  std::string optimizer = "adamw";
  double lr = 1e-3, min_lr = -1;  // -1 = a tenth of lr
  std::string schedule = "cosine";
  int64_t warmup = -1;  // steps; -1 = a fiftieth of the run, at most 2000
  double weight_decay = 0.1, beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8;
  double clip = 1.0;
  double z_loss = 0;  // weight of log²Σe^logit
  double ema = 0;     // decay of an average of the weights; 0 = none
  std::string precision = "f32";
  std::string recompute = "none";  // none, attention, block: what is computed again in the backward
  double peak_gflops = 0;          // what MFU is a share of; 0 = measure it (a second)
};

struct RunOptions {
  std::string output;  // the run folder
  int64_t eval_every = 500;
  double eval_tokens = 0;  // of the validation data, at most; 0 = all
  int64_t checkpoint_every = 500;
  int64_t keep = 2;
  int64_t milestone_every = 0;     // steps whose checkpoints stay for good; 0 = none
  int64_t statistics_every = 100;  // steps between statistics by layer; 0 = none
  int64_t sample_every = 0;        // 0 = at the end only
  std::string prompt;              // samples start with it; empty = with a document's start
  int64_t sample_tokens = 200;
  std::string anomaly = "log";
  double spike_sigmas = 8;
  int64_t rewind_around = 2;  // data steps skipped on either side of the bad one
  bool resume = false, dry_run = false;
  int64_t stop_after = 0;  // end behind this step, saved or not: what --verify-resume does; 0 = never
  bool save_at_stop = true;
};

struct PretrainOptions {
  ModelOptions model;
  DataOptions data;
  TrainOptions train;
  RunOptions run;
};

}  // namespace llmkit::pretrain
