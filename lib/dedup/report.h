// What a person wants to know about a dedup run, as a page and as text.
#pragma once

#include <string>

#include "base/report.h"
#include "dedup/dedup.h"

namespace llmkit::dedup {

Report make_report(const DedupOptions& options, const DedupResult& result);

}  // namespace llmkit::dedup
