#include "chroma/detail/persisted_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <utility>

#include "chroma/detail/bus_guard.hpp"
#include "chroma/detail/metadata_overlay.hpp"
#include "chroma/detail/page_metadata.hpp"
#include "chroma/detail/queue.hpp"
#include "chroma/detail/record_list.hpp"
#include "chroma/detail/vector_index.hpp"
#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

constexpr auto select_vector = "SELECT vector, encoding FROM embeddings_queue WHERE seq_id = ?1";
constexpr auto count_before = "SELECT count(*) FROM embeddings WHERE segment_id = ?1 AND embedding_id < ?2";
constexpr std::array index_files{"index_metadata.pickle", "header.bin", "data_level0.bin", "length.bin"};

/// What must stay as it was while a collection is read.
class ChangeWatch {
public:
    ChangeWatch(const Database& db, const std::filesystem::path& folder) : version_(db.prepare("PRAGMA data_version")) {
        for (const char* name : index_files) {
            files_.push_back({folder / name, stamp_of(folder / name)});
        }
        data_version_ = read_version();
    }

    /// Call at both ends of a read. Throws Error{source_changed}.
    void require_unchanged() {
        if (read_version() != data_version_) {
            throw_changed("chroma.sqlite3");
        }
        for (const File& file : files_) {
            if (stamp_of(file.path) != file.stamp) {
                throw_changed(file.path.filename().string());
            }
        }
    }

    [[noreturn]] static void throw_changed(const std::string& file) {
        throw Error{ErrorCode::source_changed, fmt::format("{} was written while it was read.", file),
                    "run the command again; it goes on from a consistent copy while Chroma runs"};
    }

private:
    struct File {
        std::filesystem::path path;
        std::optional<FileStamp> stamp;
    };

    std::int64_t read_version() {
        version_.reset();
        const std::int64_t value = version_.step() ? version_.integer(0) : 0;
        version_.reset();
        return value;
    }

    Statement version_;
    std::int64_t data_version_ = 0;
    std::vector<File> files_;
};

class PersistedReader final : public RecordReader {
public:
    PersistedReader(const std::filesystem::path& directory, const CatalogEntry& entry, const SchemaTraits& traits)
        : db_(directory / "chroma.sqlite3"),
          entry_(entry),
          watch_(db_, directory / entry.vector_segment),
          select_vector_(db_.prepare(select_vector)) {
        const BusGuard guard;
        const ReadTransaction transaction{db_};
        overlay_.emplace(db_, entry_);
        list_.emplace(db_, entry_.metadata_segment, *overlay_);
        metadata_.emplace(db_, traits);
        index_.emplace(db_, directory, entry_);
        resolve_sources();
        index_->forget_ids();
        finish_read(guard);
    }

    const Collection& collection() const noexcept override { return entry_.collection; }
    std::uint64_t record_count() const noexcept override { return sources_.size() - lost_.size(); }
    const std::vector<LostRecord>& lost() const noexcept override { return lost_; }
    std::string fingerprint() const override { return fingerprint_; }

    std::span<const Record> next_page(std::size_t limit) override {
        const BusGuard guard;
        const ReadTransaction transaction{db_};
        watch_.require_unchanged();
        rows_.clear();
        records_.clear();
        metadata_->clear();
        texts_.clear();
        list_rows(limit);
        read_metadata();
        read_vectors();
        build_records();
        finish_read(guard);
        return records_;
    }

    void seek_after(std::string_view id) override {
        const ReadTransaction transaction{db_};
        watch_.require_unchanged();
        // The next greater text in memcmp's order.
        from_ = id;
        from_.push_back('\0');
        position_ = 0;
        Statement count = db_.prepare(count_before);
        if (count.bind(1, entry_.metadata_segment).bind(2, from_).step()) {
            position_ = static_cast<std::size_t>(count.integer(0));
        }
        for (const auto& [pending_id, pending] : overlay_->records()) {
            if (pending_id < from_ && pending.is_stored != pending.is_present) {
                position_ = pending.is_present ? position_ + 1 : position_ - 1;
            }
        }
    }

    void rewind() override {
        from_.clear();
        position_ = 0;
    }

private:
    struct Row {
        std::string_view id;
        std::optional<std::int64_t> stored;
        const PendingRecord* pending;
        VectorSource source;
        PageMetadata::Extent extent;
        std::size_t vector_first = 0;
        std::size_t vector_count = 0;
    };

    void finish_read(const BusGuard& guard) {
        if (guard.has_faulted()) {
            ChangeWatch::throw_changed("a file of the directory");
        }
        watch_.require_unchanged();
    }

    void resolve_sources() {
        std::uint64_t digest = 0;
        std::int64_t newest_row = 0;
        list_->for_each({}, [&](const ListedRecord& record) {
            VectorSource source = index_->find(record.id);
            if (auto why = reason_of_loss(source)) {
                lost_.push_back({std::string{record.id}, std::move(*why)});
                source = VectorSource{};
            }
            sources_.push_back(source);
            newest_row = std::max(newest_row, record.row.value_or(0));
            digest = digest * 31 + static_cast<std::uint64_t>(record.row.value_or(0)) + record.id.size();
            return true;
        });
        const auto applied_vectors = read_applied_seq_id(db_, entry_.vector_segment).value_or(0);
        const auto applied_metadata = read_applied_seq_id(db_, entry_.metadata_segment).value_or(0);
        const auto elements = index_->files() ? index_->files()->layout().element_count : 0;
        fingerprint_ = fmt::format("{}:{}:{}:{}:{}:{}:{:x}", entry_.collection.id, applied_metadata, applied_vectors,
                                   elements, sources_.size(), newest_row, digest);
    }

    /// None when the vector can be had.
    std::optional<std::string> reason_of_loss(VectorSource source) const {
        if (source.is_queue()) {
            return std::nullopt;
        }
        if (source.is_none()) {
            return index_->fault().empty() ? "vector: neither the index nor the queue has one"
                                           : fmt::format("vector: {}", index_->fault());
        }
        if (source.is_unlabelled()) {
            return "vector: data_level0.bin has no element with its label";
        }
        const std::uint32_t element = source.index();
        if (index_->files()->is_deleted(element)) {
            return fmt::format("vector: element {} is marked as deleted", element);
        }
        if (element >= index_->files()->norm_count()) {
            return fmt::format("vector: length.bin does not hold the norm of element {}", element);
        }
        return std::nullopt;
    }

    void list_rows(std::size_t limit) {
        std::size_t position = position_;
        list_->for_each(from_, [&](const ListedRecord& record) {
            if (rows_.size() == limit) {
                return false;
            }
            if (position >= sources_.size()) {
                ChangeWatch::throw_changed("chroma.sqlite3");
            }
            const VectorSource source = sources_[position++];
            if (!source.is_none()) {
                rows_.push_back({.id = texts_.keep(record.id),
                                 .stored = record.row,
                                 .pending = record.pending,
                                 .source = source,
                                 .extent = {}});
            }
            return true;
        });
        position_ = position;
        if (!rows_.empty()) {
            from_ = rows_.back().id;
            from_.push_back('\0');
        }
    }

    void read_metadata() {
        // In the order of rowids neighbours lie on one page of the file.
        order_.resize(rows_.size());
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::sort(order_.begin(), order_.end(),
                  [this](std::size_t left, std::size_t right) { return rows_[left].stored < rows_[right].stored; });
        for (const std::size_t i : order_) {
            Row& row = rows_[i];
            if (!metadata_->read(row.stored, row.pending, row.extent)) {
                throw Error{
                    ErrorCode::source_unreadable,
                    fmt::format("chroma.sqlite3 is damaged: the metadata of record '{}' cannot be read.", row.id),
                    "run `decant inspect` on the directory, or restore it from a backup"};
            }
        }
        metadata_->finish();
    }

    void read_vectors() {
        vectors_.clear();
        for (Row& row : rows_) {
            row.vector_first = vectors_.size();
            if (row.source.is_queue()) {
                read_queued_vector(index_->queue_row(row.source));
            } else {
                vectors_.resize(vectors_.size() + index_->files()->layout().dimension);
                index_->files()->read_vector(row.source.index(), std::span{vectors_}.subspan(row.vector_first));
            }
            row.vector_count = vectors_.size() - row.vector_first;
        }
    }

    void read_queued_vector(std::int64_t seq_id) {
        select_vector_.reset();
        if (select_vector_.bind(1, seq_id).step()) {
            const auto raw = select_vector_.blob(0);
            const std::size_t first = vectors_.size();
            vectors_.resize(first + raw.size() / sizeof(float));
            std::memcpy(vectors_.data() + first, raw.data(), raw.size() / sizeof(float) * sizeof(float));
        }
        select_vector_.reset();
    }

    void build_records() {
        records_.reserve(rows_.size());
        for (const Row& row : rows_) {
            const auto entries = metadata_->entries(row.extent);
            records_.push_back({.id = row.id,
                                .document = row.extent.document,
                                .metadata = entries.empty() ? std::nullopt : std::optional{entries},
                                .vector = std::span{vectors_}.subspan(row.vector_first, row.vector_count),
                                .uri = row.extent.uri});
        }
    }

    Database db_;
    CatalogEntry entry_;
    ChangeWatch watch_;
    Statement select_vector_;
    std::optional<MetadataOverlay> overlay_;
    std::optional<RecordList> list_;
    std::optional<PageMetadata> metadata_;
    std::optional<VectorIndex> index_;
    std::vector<VectorSource> sources_;  ///< in id order; none where the record is lost
    std::vector<LostRecord> lost_;
    std::string fingerprint_;

    std::string from_;          ///< the next page starts with the first id that is not less
    std::size_t position_ = 0;  ///< of that id in sources_
    TextArena texts_;
    std::vector<Row> rows_;
    std::vector<std::size_t> order_;
    std::vector<float> vectors_;
    std::vector<Record> records_;
};

}  // namespace

std::unique_ptr<RecordReader> open_reader(const std::filesystem::path& directory, const CatalogEntry& entry,
                                          const SchemaTraits& traits) {
    return std::make_unique<PersistedReader>(directory, entry, traits);
}

}  // namespace decant::chroma::detail
