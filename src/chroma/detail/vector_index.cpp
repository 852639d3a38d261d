#include "chroma/detail/vector_index.hpp"

#include <algorithm>
#include <utility>

#include "chroma/detail/pickle.hpp"
#include "chroma/detail/queue.hpp"
#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

struct LabelledElement {
    std::uint64_t label;
    std::uint32_t element;
};

/// Labels are not the elements' numbers: Chroma 1.x inserts in parallel. A label that stands twice names no element.
class ElementsByLabel {
public:
    explicit ElementsByLabel(const HnswFiles& files) {
        elements_.reserve(files.readable_count());
        for (std::uint32_t element = 0; element < files.readable_count(); ++element) {
            elements_.push_back({files.label(element), element});
        }
        std::sort(elements_.begin(), elements_.end(), by_label);
    }

    VectorSource find(std::uint64_t label) const {
        const auto [first, last] =
            std::equal_range(elements_.begin(), elements_.end(), LabelledElement{label, 0}, by_label);
        return last - first == 1 ? VectorSource::element(first->element) : VectorSource::unlabelled();
    }

private:
    static bool by_label(const LabelledElement& left, const LabelledElement& right) { return left.label < right.label; }
    std::vector<LabelledElement> elements_;
};

/// Segment ids become folder names: only what a uuid is made of.
bool is_plain_name(std::string_view name) {
    return !name.empty() && name.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

}  // namespace

VectorIndex::VectorIndex(const Database& db, const std::filesystem::path& directory, const CatalogEntry& entry) {
    if (is_plain_name(entry.vector_segment)) {
        load_persisted(directory / entry.vector_segment, entry);
    }
    const auto applied = read_applied_seq_id(db, entry.vector_segment);
    replay(db, entry, applied ? *applied : pickled_seq_id_.value_or(0));
}

VectorSource VectorIndex::find(std::string_view id) {
    const VectorSource* source = table_.find(id);
    return source != nullptr ? *source : VectorSource{};
}

void VectorIndex::forget_ids() {
    table_ = {};
    queue_ids_ = {};
    pickle_.reset();
}

void VectorIndex::load_persisted(const std::filesystem::path& folder, const CatalogEntry& entry) {
    pickle_ = MappedFile::open(folder / "index_metadata.pickle");
    if (!pickle_) {
        return;
    }
    try {
        const PersistedLabels labels = read_index_pickle(pickle_->bytes());
        pickled_seq_id_ = labels.max_seq_id;
        if (labels.entries.empty()) {
            return;
        }
        files_.emplace(folder, entry.collection.space);
        const ElementsByLabel elements{*files_};
        table_.reserve(labels.entries.size());
        for (const LabelledId& labelled : labels.entries) {
            table_.insert(labelled.id) = elements.find(labelled.label);
        }
        persisted_ = table_.size();
    } catch (const Error& error) {
        fault_ = error.happened();
        files_.reset();
    }
}

void VectorIndex::replay(const Database& db, const CatalogEntry& entry, std::uint64_t after) {
    for_each_queue_row(db, entry.collection.id, after, [this](const QueueRow& row) {
        const VectorSource* known = table_.find(row.id);
        const bool is_present = known != nullptr && !known->is_none();
        switch (row.operation) {
            case QueueRow::Operation::add:
                if (!is_present && row.has_vector) {
                    put(row.id, row.seq_id);
                }
                break;
            case QueueRow::Operation::update:
                if (is_present && row.has_vector) {
                    put(row.id, row.seq_id);
                }
                break;
            case QueueRow::Operation::upsert:
                if (row.has_vector) {
                    put(row.id, row.seq_id);
                }
                break;
            case QueueRow::Operation::remove:
                if (VectorSource* gone = table_.find(row.id)) {
                    *gone = VectorSource{};
                }
                break;
        }
    });
}

void VectorIndex::put(std::string_view id, std::int64_t seq_id) {
    const auto source = VectorSource::queue(static_cast<std::uint32_t>(queue_rows_.size()));
    queue_rows_.push_back(seq_id);
    if (VectorSource* known = table_.find(id)) {
        *known = source;
    } else {
        table_.insert(queue_ids_.keep(id)) = source;
    }
}

}  // namespace decant::chroma::detail
