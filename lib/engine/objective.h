// What the fit loop trains: anything with gradients in a ParameterStore. Pre-training, instruction tuning and
// preference learning each are one objective; the loop knows nothing about tokens or rewards.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tape.h"

namespace llmkit::engine {

struct NamedValue {
  std::string name;  // "val_loss"
  double value;
  // One of many of a kind, for curves: not among the figures that sum up a run.
  bool detail() const { return name.find("probe_perplexity_") != std::string::npos; }
};

// What one optimiser step consists of, known before its first forward pass.
struct StepShape {
  int64_t micro_batches = 1;
  int64_t tokens = 0;   // tokens that the model reads
  int64_t targets = 0;  // tokens that carry loss: the loss of the step is the mean over them
};

class Objective {
 public:
  virtual ~Objective() = default;

  // Everything below must be a pure function of (parameters, step, micro, seed): a resumed run asks again.
  virtual StepShape begin(int64_t step) = 0;  // steps count from 0

  // Forward and backward of one micro-batch. Adds d(loss)/d(parameters) to the gradients of the store, where loss is
  // the mean over all targets of the *step*, and returns this micro-batch's share of it.
  virtual double accumulate(int64_t step, int64_t micro) = 0;

  // What accumulate() multiplies its gradients by from now on (not the loss that it returns): the fit loop divides
  // again.
  virtual void set_loss_scale(double /*scale*/) {}

  // Whom to tell how far forward and backward are, where the objective knows; null: nobody.
  virtual void observe_backward(BackwardObserver* /*observer*/) {}

  // The parameters as files of a checkpoint folder, read back bit for bit.
  virtual void save_weights(const std::string& folder) = 0;
  virtual void load_weights(const std::string& folder) = 0;

  // Of the states behind the layers in a forward pass, for the statistics; whoever asks takes the steps one at a time.
  struct Activation {
    double sum_of_squares = 0, largest = 0;  // of absolute values
    int64_t count = 0;
  };
  // Collects into `layers` (by index) what micro-batch 0 shows, until it is called with null. Must change no result.
  virtual void observe(std::vector<Activation>* /*layers*/) {}

  virtual std::vector<NamedValue> validate() { return {}; }
  virtual std::string sample(int64_t /*step*/) { return {}; }  // a text that shows what the model does by now
};

}  // namespace llmkit::engine
