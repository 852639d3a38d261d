#include "chroma/detail/vector_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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
        return last - first == 1 ? VectorSource::element(first->element) : VectorSource::without_element();
    }

private:
    static bool by_label(const LabelledElement& left, const LabelledElement& right) { return left.label < right.label; }
    std::vector<LabelledElement> elements_;
};

std::optional<HnswLayout> persisted_layout(const std::filesystem::path& folder) {
    const auto header = MappedFile::open(folder / "header.bin");
    return header ? read_hnsw_header(header->bytes()) : std::nullopt;
}

/// Before 0.5.6 only the pickle told what was persisted; the index files exist from the first add, with a count of 0.
bool was_persisted_before_seq_id_rows(const Database& db, const std::filesystem::path& folder) {
    if (db.has_table("embeddings_queue_config")) {
        return false;
    }
    const auto layout = persisted_layout(folder);
    return layout && layout->element_count > 0;
}

}  // namespace

bool is_plain_name(std::string_view name) {
    return !name.empty() && name.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

std::optional<std::uint32_t> persisted_dimension(const std::filesystem::path& directory, const std::string& segment) {
    const auto layout = is_plain_name(segment) ? persisted_layout(directory / segment) : std::nullopt;
    return layout && layout->element_count > 0 ? std::optional{layout->dimension} : std::nullopt;
}

VectorIndex::VectorIndex(const Database& db, const std::filesystem::path& directory, const CatalogEntry& entry)
    : db_(db), entry_(entry) {
    const auto applied = read_applied_seq_id(db, entry.vector_segment);
    applied_ = applied.value_or(0);
    if (is_plain_name(entry.vector_segment)) {
        const std::filesystem::path folder = directory / entry.vector_segment;
        pickle_ = MappedFile::open(folder / "index_metadata.pickle");
        if (pickle_) {
            load_labels(folder);
        } else if (applied || was_persisted_before_seq_id_rows(db, folder)) {
            do_without_labels("It is missing.");
        }
    }
    if (are_ids_known_) {
        replay();
    }
}

void VectorIndex::load_labels(const std::filesystem::path& folder) {
    try {
        PersistedLabels labels = read_index_pickle(pickle_->bytes());
        // The row wins: after an upgrade the pickle still carries an old max_seq_id.
        if (!read_applied_seq_id(db_, entry_.vector_segment)) {
            applied_ = labels.max_seq_id.value_or(0);
        }
        labels_ = std::move(labels.entries);
    } catch (const Error& error) {
        constexpr std::string_view file = "index_metadata.pickle: ";
        const std::string_view happened = error.happened();
        return do_without_labels(std::string{happened.starts_with(file) ? happened.substr(file.size()) : happened});
    }
    if (labels_.empty()) {
        return;
    }
    table_.reserve(labels_.size());
    try {
        open_files(folder);
        const ElementsByLabel elements{*files_};
        for (const LabelledId& labelled : labels_) {
            table_.insert(labelled.id) = elements.find(labelled.label);
        }
    } catch (const Error& error) {
        files_.reset();
        fault_ = error.happened();
        note_damage("header.bin, data_level0.bin", fault_);
        for (const LabelledId& labelled : labels_) {
            table_.insert(labelled.id) = VectorSource::without_element();
        }
    }
    labelled_ = table_.size();
    labels_ = {};
}

void VectorIndex::open_files(const std::filesystem::path& folder) {
    files_.emplace(folder, entry_.collection.space);
    const std::uint32_t dimension = files_->layout().dimension;
    if (entry_.collection.dimension && *entry_.collection.dimension != dimension) {
        throw Error{ErrorCode::source_unreadable,
                    fmt::format("header.bin tells of {}-d vectors, the collection has {} dimensions.", dimension,
                                *entry_.collection.dimension),
                    "restore the segment's files from a backup"};
    }
    note_cut_files();
}

void VectorIndex::note_cut_files() {
    const std::uint64_t count = files_->layout().element_count;
    if (files_->readable_count() < count) {
        note_damage("data_level0.bin",
                    fmt::format("It is cut off: {} of {} elements lie in it.", files_->readable_count(), count));
    }
    if (files_->norm_count() < files_->readable_count()) {
        note_damage("length.bin",
                    fmt::format("It holds the norms of {} of {} elements; without its norm a cosine vector "
                                "is a direction only.",
                                files_->norm_count(), files_->readable_count()));
    }
}

/// Without the pickle nobody knows which element belongs to which id, nor which ids the index had.
void VectorIndex::do_without_labels(std::string happened) {
    note_damage("index_metadata.pickle", happened);
    if (is_queue_whole(db_)) {
        applied_ = 0;
        findings_.push_back(
            {Finding::Severity::note, "embeddings_queue", "It was never purged: every vector is taken from it."});
        return;
    }
    fault_ = fmt::format("index_metadata.pickle: {}", happened);
    are_ids_known_ = false;
}

void VectorIndex::replay() {
    for_each_queue_row(db_, entry_.collection.id, applied_, [this](const QueueRow& row) {
        VectorSource* known = table_.find(row.id);
        const bool is_present = known != nullptr && !known->is_none();
        if (row.operation == QueueRow::Operation::remove) {
            if (known != nullptr) {
                *known = VectorSource{};
            }
            return;
        }
        const bool is_set = row.operation == QueueRow::Operation::upsert ||
                            is_present == (row.operation == QueueRow::Operation::update);
        if (!row.has_vector || !is_set) {
            return;
        }
        const VectorSource source = source_of(row);
        if (known != nullptr) {
            *known = source;
        } else {
            table_.insert(queue_ids_.keep(row.id)) = source;
        }
    });
}

VectorSource VectorIndex::source_of(const QueueRow& row) {
    if (!row.is_float_array) {
        return VectorSource::malformed();
    }
    queue_rows_.push_back(row.seq_id);
    return VectorSource::queue(static_cast<std::uint32_t>(queue_rows_.size() - 1));
}

VectorSource VectorIndex::find(std::string_view id, std::string& why_lost) {
    const VectorSource* known = table_.find(id);
    const VectorSource source = known != nullptr ? *known : VectorSource{};
    std::string why = why_unreadable(source);
    if (why.empty()) {
        return source;
    }
    if (!history_) {
        history_.emplace(db_, entry_);
    }
    if (const auto row = history_->vector_row(id)) {
        ++salvaged_;
        queue_rows_.push_back(*row);
        return VectorSource::queue(static_cast<std::uint32_t>(queue_rows_.size() - 1));
    }
    why_lost = "vector: " + why;
    return VectorSource{};
}

/// Empty when the vector can be read.
std::string VectorIndex::why_unreadable(VectorSource source) const {
    if (source.is_queue()) {
        return {};
    }
    if (source.is_malformed()) {
        return "its row in embeddings_queue is no array of float32";
    }
    if (!source.is_element()) {
        if (!fault_.empty()) {
            return fault_;
        }
        if (source.is_none()) {
            return "neither the index nor the queue has one";
        }
        return files_->readable_count() < files_->layout().element_count
                   ? "its element lies past the end of data_level0.bin"
                   : "data_level0.bin has no element with its label";
    }
    if (files_->is_deleted(source.index())) {
        return fmt::format("element {} of data_level0.bin is marked as deleted", source.index());
    }
    if (source.index() >= files_->norm_count()) {
        return fmt::format("length.bin ends before the norm of element {}", source.index());
    }
    return {};
}

void VectorIndex::note_damage(std::string file, std::string happened) {
    findings_.push_back(
        {Finding::Severity::damage, fmt::format("{}/{}", entry_.vector_segment, file), std::move(happened)});
}

void VectorIndex::forget_ids() {
    table_ = {};
    queue_ids_ = {};
    history_.reset();
    pickle_.reset();
}

}  // namespace decant::chroma::detail
