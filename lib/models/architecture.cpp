#include "models/architecture.h"

namespace llmkit::models {

#define LLMKIT_ARCHITECTURE(name) Entry<Architecture> architecture_##name();
#include "models/architectures.def"
#undef LLMKIT_ARCHITECTURE

const Registry<Architecture>& architectures() {
  static const Registry<Architecture> registry("architecture", {
#define LLMKIT_ARCHITECTURE(name) architecture_##name(),
#include "models/architectures.def"
#undef LLMKIT_ARCHITECTURE
                                                               });
  return registry;
}

void read_token_ids(const formats::Json& json, ModelConfig& config) {
  config.bos_token_id = json.get_int("bos_token_id", -1);
  config.pad_token_id = json.get_int("pad_token_id", -1);
  config.eos_token_ids.clear();
  const formats::Json* eos = json.find("eos_token_id");
  if (!eos || eos->is_null()) return;
  if (eos->is_array())
    for (const formats::Json& id : eos->as_array()) config.eos_token_ids.push_back(id.as_int("eos_token_id"));
  else
    config.eos_token_ids.push_back(eos->as_int("eos_token_id"));
}

void write_token_ids(formats::Json& json, const ModelConfig& config) {
  auto id = [](int64_t value) { return value < 0 ? formats::Json() : formats::Json(value); };
  json.set("bos_token_id", id(config.bos_token_id));
  formats::Json eos;
  if (config.eos_token_ids.size() == 1) eos = formats::Json(config.eos_token_ids[0]);
  if (config.eos_token_ids.size() > 1) {
    eos = formats::Json::array();
    for (int64_t e : config.eos_token_ids) eos.push_back(formats::Json(e));
  }
  json.set("eos_token_id", eos);
  json.set("pad_token_id", id(config.pad_token_id));
}

}  // namespace llmkit::models
