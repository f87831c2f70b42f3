#include "pretrain/show_data.h"

#include "pretrain/continue.h"
#include "pretrain/data.h"

namespace llmkit::pretrain {

void show_data(PretrainOptions& options, int64_t step, Context& context,
               const std::function<void(const SequenceShown&)>& show) {
  if (!options.model.model.empty()) open_base(options, context);  // brings context length and tokenizer
  Data data = open_data(options.data, context);
  engine::WindowLoader loader(data.sources, window_options(options, data, context.seed));
  std::vector<int32_t> ids(static_cast<size_t>(options.model.context));
  uint64_t number = loader.first_sequence(step - 1);
  for (const uint64_t end = loader.first_sequence(step); number < end; ++number) {
    const engine::WindowLoader::Place place = loader.place_of(number);
    const engine::TokenSource& source = data.sources[place.source];
    SequenceShown shown{number, data.sources.size() > 1 ? source.name : "", place.start, -1, -1, {}};
    if (source.train.document_at) {
      shown.first_document = source.train.document_at(place.start);
      shown.last_document = source.train.document_at(place.start + ids.size() - 1);
    }
    if (data.tokenizer) {
      source.train.read(place.start, ids);
      shown.text = data.tokenizer->decode(ids);
    }
    show(shown);
  }
}

}  // namespace llmkit::pretrain
