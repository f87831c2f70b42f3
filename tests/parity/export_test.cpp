// Writes folders and our logits for tests/parity/check_export.py, which loads them with transformers and compares.
// Only where LLMKIT_EXPORT_DIR names a folder: transformers is no dependency of the tests.
#include <doctest/doctest.h>

#include <cstdlib>

#include "base/rng.h"
#include "formats/json.h"
#include "io/files.h"
#include "models/architecture.h"
#include "models/model.h"

namespace llmkit::test {

TEST_CASE("export for transformers") {
  const char* folder = std::getenv("LLMKIT_EXPORT_DIR");
  if (!folder) {
    MESSAGE("LLMKIT_EXPORT_DIR is not set: nothing exported");
    return;
  }
  Parallel parallel(2);
  for (std::string_view name : models::architectures().names()) {
    models::ModelConfig c;
    c.architecture = std::string(name);
    c.vocab_size = 101;
    c.hidden_size = 48;
    c.layers = 3;
    c.heads = 4;
    c.max_positions = 64;
    c.initializer_range = 0.1;
    c.bos_token_id = 1;
    c.eos_token_ids = {2};
    if (name == "gpt2") {
      c.norm = "layer-norm";
      c.gated = false;
      c.activation = "gelu_new";
      c.position = "learned";
      c.qkv_bias = c.output_bias = c.ffn_bias = true;
    } else {
      c.kv_heads = 2;
      c.tie_embeddings = name == "qwen2";
    }
    if (name == "qwen2") c.qkv_bias = true;
    if (name == "mistral") c.sliding_window = 9;
    auto model = models::Model::create(c, 11, parallel);
    std::string path = std::string(folder) + "/" + c.architecture;
    io::make_folders(path);
    model->save(path);

    Rng rng{5};
    std::vector<int32_t> tokens(40);
    formats::Json ids = formats::Json::array(), logits = formats::Json::array(), report = formats::Json::object();
    for (int32_t& t : tokens) {
      t = static_cast<int32_t>(rng.below(101));
      ids.push_back(int64_t{t});
    }
    models::TokenBatch batch;
    batch.sequences = 1;
    batch.length = 40;
    batch.tokens = tokens;
    Tape tape(parallel);
    Tensor z = model->logits(tape, batch);
    for (int64_t i = 0; i < z.size(); ++i) logits.push_back(static_cast<double>(z.data<float>()[i]));
    report.set("tokens", ids);
    report.set("logits", logits);
    io::write_file_atomically(path + "/llmkit_logits.json", formats::write_json(report));
  }
}

}  // namespace llmkit::test
