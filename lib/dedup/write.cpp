// The last pass: the survivors' lines as they were, the cluster file, and the figures of the report.
#include <algorithm>
#include <cstdio>

#include "base/hash.h"
#include "base/json_writer.h"
#include "dedup/corpus.h"
#include "io/output.h"

namespace llmkit::dedup {
namespace {

constexpr size_t kShownClusters = 10, kShownMembers = 5;

struct Written {
  std::string kept, rejected;
  std::vector<ClusterMember> members;
};

// Which cluster numbers belong to which root.
class Numbering {
 public:
  explicit Numbering(const Clusters& clusters) {
    for (uint32_t d = 0; d < clusters.size.size(); ++d)
      if (clusters.size[d] > 1) roots_.push_back(d);
    shown_ = roots_;
    std::stable_sort(shown_.begin(), shown_.end(),
                     [&](uint32_t a, uint32_t b) { return clusters.size[a] > clusters.size[b]; });
    shown_.resize(std::min(shown_.size(), kShownClusters));
  }
  size_t count() const { return roots_.size(); }
  uint32_t number(uint32_t root) const {
    return static_cast<uint32_t>(std::lower_bound(roots_.begin(), roots_.end(), root) - roots_.begin()) + 1;
  }
  uint32_t root(uint32_t number) const { return roots_[number - 1]; }
  const std::vector<uint32_t>& shown() const { return shown_; }  // roots of the largest, largest first
  bool is_shown(uint32_t root) const { return std::find(shown_.begin(), shown_.end(), root) != shown_.end(); }

 private:
  std::vector<uint32_t> roots_, shown_;
};

std::string id_as_json(const formats::Document& document) {
  if (document.id.empty()) return "null";
  return document.id_is_raw ? document.id : json_quote(document.id);
}

// A table cell: the id without quotes, tabs and line ends as spaces.
std::string id_as_cell(const std::string& json) {
  std::string out = json.size() >= 2 && json.front() == '"' ? json.substr(1, json.size() - 2)
                    : json == "null"                        ? ""
                                                            : json;
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return out;
}

std::string as_text(double similarity) {
  char text[16];
  std::snprintf(text, sizeof text, "%.4f", similarity);
  return text;
}

void write_cluster_file(const DedupOptions& options, const std::vector<ClusterMember>& members,
                        const Clusters& clusters, const Numbering& numbering) {
  auto file = io::create_output(options.clusters, {.replace = options.replace});
  bool table = options.clusters.ends_with(".tsv") || options.clusters.ends_with(".tsv.gz") ||
               options.clusters.ends_with(".tsv.zst");
  std::string line;
  if (table) file->write("cluster\tid\tsimilarity\tmatch\tkept\tsize\tplace\n");
  for (auto& m : members) {
    const char* match = m.kept ? "kept" : m.exact ? "exact" : "near";
    uint32_t size = clusters.size[numbering.root(m.cluster)];
    line.clear();
    if (table) {
      line = std::to_string(m.cluster) + '\t' + id_as_cell(m.id) + '\t' + as_text(m.similarity) + '\t' + match + '\t' +
             (m.kept ? "1" : "0") + '\t' + std::to_string(size) + '\t' + m.place + '\n';
    } else {
      JsonWriter json(line);
      json.begin_object().member("cluster", m.cluster).key("id").raw(m.id).key("similarity").raw(as_text(m.similarity));
      json.member("match", match).member("kept", m.kept).member("size", size).member("place", m.place).end_object();
      line += '\n';
    }
    file->write(line);
  }
  file->finish();
}

void count_clusters(const Clusters& clusters, DedupResult& result) {
  std::vector<uint32_t> sizes;
  for (uint32_t size : clusters.size)
    if (size > 1) sizes.push_back(size);
  std::sort(sizes.begin(), sizes.end());
  result.clusters = sizes.size();
  for (uint32_t size : sizes) {
    if (result.cluster_sizes.empty() || result.cluster_sizes.back().first != size)
      result.cluster_sizes.emplace_back(size, 0);
    ++result.cluster_sizes.back().second;
  }
}

}  // namespace

void write_outputs(const Inputs& inputs, const DedupOptions& options, Context& context, const Corpus& corpus,
                   const Clusters& clusters, DedupResult& result) {
  const Numbering numbering(clusters);
  auto output = io::create_output(options.output, {.replace = options.replace});
  std::unique_ptr<io::OutputStream> rejects;
  if (!options.rejects.empty()) rejects = io::create_output(options.rejects, {.replace = options.replace});
  std::vector<ClusterMember> members;
  auto reader = inputs.open();

  auto describe = [&](const Batch<Written>& batch, size_t line, uint32_t document) {
    uint32_t kept = clusters.survivor[document];
    ClusterMember m;
    m.cluster = numbering.number(clusters.root[document]);
    m.document = document;
    m.kept = kept == document;
    m.exact = !m.kept && corpus.exact[document] == corpus.exact[kept];
    if (!m.kept) {
      auto at = std::lower_bound(clusters.dropped.begin(), clusters.dropped.end(), document) - clusters.dropped.begin();
      m.similarity = clusters.similarity[static_cast<size_t>(at)];
    }
    auto parsed = reader.parse(batch.lines, line);
    m.id = parsed ? id_as_json(*parsed) : "null";
    m.place = inputs.place(reader, batch.lines, line);
    return m;
  };
  auto work = [&](Batch<Written>& batch) {
    size_t next = batch.first_document;
    for (size_t i = 0; i < batch.lines.lines.size(); ++i) {
      if (!corpus.good_lines[batch.first_line + i]) continue;
      auto document = static_cast<uint32_t>(next++);
      std::string_view line = batch.lines.line(i);
      if (xxh3_64(line) != corpus.line_hashes[document])
        throw Error({"the input changed while it was read", inputs.place(reader, batch.lines, i), {}, {}, {}});
      bool kept = clusters.survivor[document] == document;
      std::string* to = kept ? &batch.result.kept : rejects ? &batch.result.rejected : nullptr;
      if (to && Inputs::is_json(reader, batch.lines, i))
        (*to += line) += '\n';
      else if (to)
        formats::write_document(*to, *reader.parse(batch.lines, i));
      uint32_t root = clusters.root[document];
      if (clusters.size[root] > 1 && (!options.clusters.empty() || numbering.is_shown(root)))
        batch.result.members.push_back(describe(batch, i, document));
    }
  };
  std::vector<size_t> shown(
      kShownClusters);  // members kept so far of the largest clusters, where only those are wanted
  auto sink = [&](Batch<Written>& batch) {
    output->write(batch.result.kept);
    if (rejects) rejects->write(batch.result.rejected);
    for (auto& m : batch.result.members) {
      if (options.clusters.empty()) {
        auto rank = std::find(numbering.shown().begin(), numbering.shown().end(), numbering.root(m.cluster)) -
                    numbering.shown().begin();
        if (shown[static_cast<size_t>(rank)]++ >= kShownMembers) continue;
      }
      members.push_back(std::move(m));
    }
  };
  for_each_batch<Written>(reader, &corpus.good_lines, context, "writing", work, sink);

  std::stable_sort(members.begin(), members.end(),
                   [](const ClusterMember& a, const ClusterMember& b) { return a.cluster < b.cluster; });
  if (!options.clusters.empty()) write_cluster_file(options, members, clusters, numbering);
  if (rejects) rejects->finish();
  output->finish();

  for (uint32_t root : numbering.shown()) {
    ClusterMember wanted;
    wanted.cluster = numbering.number(root);
    auto [begin, end] =
        std::equal_range(members.begin(), members.end(), wanted,
                         [](const ClusterMember& a, const ClusterMember& b) { return a.cluster < b.cluster; });
    result.largest.insert(result.largest.end(), begin, begin + std::min<ptrdiff_t>(end - begin, kShownMembers));
  }
  count_clusters(clusters, result);
  result.bytes_in = reader.bytes_in();
  result.bytes_out = output->bytes_out();
}

}  // namespace llmkit::dedup
