// Tiny models against PyTorch and transformers: golden.json holds their numbers, make_golden.py wrote it. Weights come
// from a formula, through a safetensors file, so that the import is on the path too.
#include "golden.h"

#include "optim/optimizer.h"
#include "temporary_folder.h"

namespace llmkit::test {
namespace {

std::vector<int32_t> rows(const Json& array) {
  std::vector<int32_t> out;
  for (const Json& row : array.as_array())
    for (const Json& v : row.as_array()) out.push_back(static_cast<int32_t>(v.as_int()));
  return out;
}

double largest_difference(std::span<const double> a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (size_t i = 0; i < b.size(); ++i) worst = std::max(worst, std::fabs(a[i] - b[i]));
  return worst;
}

struct Golden {
  Json file = formats::load_json(std::string(LLMKIT_SOURCE_DIR) + "/tests/parity/golden.json");
  std::vector<int32_t> tokens = rows(file.at("tokens")), targets = rows(file.at("targets"));
  std::vector<float> weights;
  int64_t sequences = 2, length = 6;
  double counted = 0;

  Golden() {
    for (int32_t t : targets) counted += t >= 0;
    // 1 each: 1/11 is no float, and the comparison is in double. The loss is divided afterwards.
    weights.assign(targets.size(), 1.0f);
  }
  models::TokenBatch batch() const {
    models::TokenBatch b;
    b.sequences = sequences;
    b.length = length;
    b.tokens = tokens;
    return b;
  }
};

}  // namespace

TEST_CASE("logits, loss and gradients in double equal PyTorch's") {
  Golden golden;
  Parallel parallel(2);
  for (const auto& [kind, expected] : golden.file.at("models").as_object().members) {
    INFO("model ", kind);
    TemporaryFolder folder;
    write_folder(folder.path, expected);
    auto model = models::Model::load(folder.path, parallel, {.dtype = DType::f64});
    Tape tape(parallel);
    tape.begin();
    Tensor logits = model->logits(tape, golden.batch());
    CHECK(largest_difference({logits.data<double>(), static_cast<size_t>(logits.size())},
                             numbers(expected.at("logits"))) < 1e-12);

    tape.begin();
    Tensor loss = model->loss(tape, golden.batch(), golden.targets, golden.weights);
    CHECK(*loss.data<double>() / golden.counted == doctest::Approx(expected.get_real("loss")).epsilon(1e-12));
    tape.backward(loss);
    std::vector<double> scaled;
    for (double g : model->parameters().gradients<double>()) scaled.push_back(g / golden.counted);
    for (const auto& [name, gradient] : by_their_names(*model, scaled)) {
      INFO(name);
      check_probe(gradient, numbers(expected.at("gradients").at(name)), 1e-10);
    }
  }
}

TEST_CASE("logits in float equal those of transformers to 1e-5, also after saving and loading") {
  Golden golden;
  Parallel parallel(2);
  for (const auto& [kind, expected] : golden.file.at("models").as_object().members) {
    INFO("model ", kind);
    TemporaryFolder folder, saved;
    write_folder(folder.path, expected);
    auto model = models::Model::load(folder.path, parallel);
    model->save(saved.path);
    for (auto* loaded : {model.get(), models::Model::load(saved.path, parallel).release()}) {
      std::unique_ptr<models::Model> owner(loaded == model.get() ? nullptr : loaded);
      Tape tape(parallel);
      tape.begin();
      Tensor logits = loaded->logits(tape, golden.batch());
      std::vector<double> values(logits.data<float>(), logits.data<float>() + logits.size());
      CHECK(largest_difference(values, numbers(expected.at("logits_f32"))) < 1e-5);
    }
  }
}

TEST_CASE("three AdamW steps with clipping equal PyTorch's") {
  Golden golden;
  Parallel parallel(2);
  for (const auto& [kind, expected] : golden.file.at("models").as_object().members) {
    INFO("model ", kind);
    TemporaryFolder folder;
    write_folder(folder.path, expected);
    auto model = models::Model::load(folder.path, parallel, {.dtype = DType::f64});
    Tape tape(parallel);
    auto adamw = optim::optimizers().make("adamw:beta1=0.9,beta2=0.95,epsilon=1e-8,weight-decay=0.1");
    adamw->attach(model->parameters());
    for (int64_t step = 1; step <= 3; ++step) {
      tape.begin(static_cast<uint64_t>(step));
      model->parameters().clear_gradients();
      Tensor loss = model->loss(tape, golden.batch(), golden.targets, golden.weights);
      tape.backward(loss);
      double norm = optim::gradient_norm(tape.exec(), model->parameters()) / golden.counted;
      const Json& wanted = expected.at("adamw").get_array("losses_and_norms")[static_cast<size_t>(step - 1)];
      CHECK(*loss.data<double>() / golden.counted == doctest::Approx(wanted.as_array()[0].as_real()).epsilon(1e-11));
      CHECK(norm == doctest::Approx(wanted.as_array()[1].as_real()).epsilon(1e-11));
      adamw->step(tape.exec(), {step, 0.01, optim::clip_scale(norm, 0.5) / golden.counted});
    }
    for (const auto& [name, weight] : by_their_names(*model, model->parameters().values<double>())) {
      INFO(name);
      check_probe(weight, numbers(expected.at("adamw").at("weights").at(name)), 1e-9);
    }
  }
}

}  // namespace llmkit::test
