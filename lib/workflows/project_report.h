// One page about a whole project folder: what each stage took in, kept and dropped and how long it took (manifests),
// how training went (metrics.jsonl of every run), what the model scores (results.json) and what it writes (*.txt named
// generated*). Files are found by name below the folder, in sorted order.
#pragma once

#include <string>

namespace llmkit::workflows {

// The page's HTML. Throws Error where the folder holds none of these files.
std::string project_report(const std::string& folder);

}  // namespace llmkit::workflows
