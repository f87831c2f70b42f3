#include "rl/prediction.h"

#include <cmath>

namespace llmkit::rl {

std::vector<Param> prediction_params(std::string_view alpha, std::vector<Param> more) {
  std::vector<Param> params{{"alpha", ParamType::real, alpha, "step size", 0, 1},
                            {"initial", ParamType::real, "0", "first value of every state", -1e9, 1e9}};
  params.insert(params.end(), more.begin(), more.end());
  return params;
}

std::vector<double> initial_values(const Mdp& mdp, double initial) {
  std::vector<double> values;
  for (int32_t s = 0; s < mdp.states(); ++s) values.push_back(mdp.terminal(s) ? 0 : initial);
  return values;
}

double rms_error(const Mdp& mdp, const std::vector<double>& values, const std::vector<double>& truth) {
  double sum = 0;
  int states = 0;
  for (int32_t s = 0; s < mdp.states(); ++s) {
    if (mdp.terminal(s)) continue;
    double error = values[static_cast<size_t>(s)] - truth[static_cast<size_t>(s)];
    sum += error * error;
    ++states;
  }
  return std::sqrt(sum / states);
}

}  // namespace llmkit::rl
