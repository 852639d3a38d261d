#include "chroma/detail/persisted_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "chroma/detail/metadata_check.hpp"
#include "chroma/detail/queue.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"

namespace decant::chroma::detail {
namespace {

constexpr auto select_vector = "SELECT vector, encoding FROM embeddings_queue WHERE seq_id = ?1";
constexpr auto count_before = "SELECT count(*) FROM embeddings WHERE segment_id = ?1 AND embedding_id < ?2";

[[noreturn]] void throw_unreadable(std::string happened) {
    throw Error{ErrorCode::source_unreadable, std::move(happened),
                "run `decant inspect` on the directory to see what can be had, or restore it from a backup"};
}

/// The least text that is greater, in the order of memcmp.
std::string successor(std::string_view id) {
    std::string next{id};
    next.push_back('\0');
    return next;
}

}  // namespace

PersistedReader::PersistedReader(const std::filesystem::path& directory, const CatalogEntry& entry,
                                 const SchemaTraits& traits)
    : db_(directory / "chroma.sqlite3"),
      entry_(entry),
      watch_(db_, directory, entry.vector_segment),
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

void PersistedReader::finish_read(const BusGuard& guard) {
    if (guard.has_faulted()) {
        ChangeWatch::throw_changed("a file of the vector segment");
    }
    watch_.require_unchanged();
}

void PersistedReader::resolve_sources() {
    const bool is_sound = is_metadata_sound(db_);
    if (!is_sound) {
        findings_ = describe_metadata_damage(db_);
    }
    std::uint64_t digest = 0;
    std::int64_t newest_row = 0;
    std::string last;
    list_->for_each({}, [&](const ListedRecord& record) {
        if (!sources_.empty() && record.id <= last) {
            throw_malformed_table("embeddings");
        }
        last = record.id;
        std::string why_lost;
        VectorSource source = index_->find(record.id, why_lost);
        PageMetadata::Extent extent;
        if (!is_sound && !metadata_->read(record.row, record.pending, extent)) {
            why_lost = "metadata: a database page that holds it is damaged";
            source = VectorSource{};
        }
        metadata_->clear();
        if (source.is_none()) {
            lost_.push_back({std::string{record.id}, std::move(why_lost)});
        }
        sources_.push_back(source);
        newest_row = std::max(newest_row, record.row.value_or(0));
        digest = (digest ^ static_cast<std::uint64_t>(record.row.value_or(0)) ^ record.id.size()) * 0x100000001b3U;
        return true;
    });
    make_fingerprint(newest_row, digest);
}

/// Every write that Chroma makes to a collection moves a seq_id, and a persist the element count or the applied seq_id;
/// a copied directory keeps all of them.
void PersistedReader::make_fingerprint(std::int64_t newest_row, std::uint64_t digest) {
    const auto applied_metadata = read_applied_seq_id(db_, entry_.metadata_segment).value_or(0);
    const auto elements = index_->files() ? index_->files()->layout().element_count : 0;
    std::int64_t newest_queued = 0;
    for_each_queue_row(db_, entry_.collection.id, applied_metadata,
                       [&](const QueueRow& row) { newest_queued = row.seq_id; });
    fingerprint_ = fmt::format("{}:{}:{}:{}:{}:{}:{}:{:x}", entry_.collection.id, applied_metadata, newest_queued,
                               index_->applied_seq_id(), elements, sources_.size(), newest_row, digest);
    // Once the files are whole again, what was lost is there.
    if (lost_.empty()) return;
    std::string ids;
    for (const LostRecord& lost : lost_)
        ids += fmt::format("{}:{}", lost.id.size(), lost.id);
    fingerprint_ += fmt::format(":{}", hex(sha256(ids)).substr(0, 16));
}

CollectionSurvey PersistedReader::survey() const {
    CollectionSurvey survey;
    survey.collection = entry_.collection;
    survey.records = sources_.size();
    survey.records_lost = lost_.size();
    for (const VectorSource source : sources_) {
        survey.vectors_in_hnsw += source.is_element() ? 1U : 0U;
        survey.vectors_in_wal += source.is_queue() ? 1U : 0U;
    }
    const ReadTransaction transaction{db_};
    for_each_queue_row(db_, entry_.collection.id, 0, [&](const QueueRow& row) {
        ++survey.wal_rows;
        survey.wal_gap += static_cast<std::uint64_t>(row.seq_id) > index_->applied_seq_id() ? 1U : 0U;
    });
    survey.findings = findings_;
    survey.findings.insert(survey.findings.end(), index_->findings().begin(), index_->findings().end());
    if (index_->salvaged_count() > 0) {
        survey.findings.push_back(
            {Finding::Severity::note, "embeddings_queue",
             fmt::format("Vectors that the index lost and its rows prove: {}.", index_->salvaged_count())});
    }
    return survey;
}

std::span<const Record> PersistedReader::next_page(std::size_t limit) {
    const BusGuard guard;
    const ReadTransaction transaction{db_};
    watch_.require_unchanged();
    try {
        read_page(limit);
    } catch (const Error& error) {
        finish_read(guard);  // a file that was just rewritten looks damaged
        throw;
    }
    finish_read(guard);
    return records_;
}

void PersistedReader::seek_after(std::string_view id) {
    const ReadTransaction transaction{db_};
    watch_.require_unchanged();
    from_ = successor(id);
    Statement count = db_.prepare(count_before);
    count.bind(1, entry_.metadata_segment).bind(2, from_).step();
    position_ = static_cast<std::size_t>(count.integer(0));
    for (const auto& [pending_id, pending] : overlay_->records()) {
        if (pending_id < from_ && pending.is_stored != pending.is_present) {
            position_ = pending.is_present ? position_ + 1 : position_ - 1;
        }
    }
}

void PersistedReader::rewind() {
    from_.clear();
    position_ = 0;
}

void PersistedReader::read_page(std::size_t limit) {
    list_rows(limit);
    read_metadata();
    read_vectors();
    build_records();
}

void PersistedReader::list_rows(std::size_t limit) {
    rows_.clear();
    texts_.clear();
    std::optional<std::string> last;
    list_->for_each(from_, [&](const ListedRecord& record) {
        if (rows_.size() == limit) {
            return false;
        }
        if (position_ == sources_.size()) {
            ChangeWatch::throw_changed("chroma.sqlite3");
        }
        const VectorSource source = sources_[position_++];
        last = record.id;
        if (!source.is_none() && is_wanted(record.id)) {
            rows_.push_back({.id = texts_.keep(record.id),
                             .stored = record.row,
                             .pending = record.pending,
                             .source = source,
                             .extent = {}});
        }
        return true;
    });
    if (last) {
        from_ = successor(*last);
    }
}

bool PersistedReader::is_wanted(std::string_view id) const {
    return !wanted_ || std::ranges::binary_search(*wanted_, id, std::less<std::string_view>{});
}

/// Whether both are stored as they are, the second `distance` rows after the first.
bool PersistedReader::follows(const Row& first, std::size_t distance, const Row& row) {
    return first.pending == nullptr && row.pending == nullptr && first.stored && row.stored &&
           *row.stored - *first.stored == static_cast<std::int64_t>(distance);
}

void PersistedReader::read_metadata() {
    metadata_->clear();
    // In the order of rowids neighbours lie on one page of the file.
    order_.resize(rows_.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(),
              [this](std::size_t left, std::size_t right) { return rows_[left].stored < rows_[right].stored; });
    std::vector<PageMetadata::Extent*> run;
    for (std::size_t at = 0; at < order_.size(); at += run.size()) {
        Row& first = rows_[order_[at]];
        run = {&first.extent};
        while (at + run.size() < order_.size() && follows(first, run.size(), rows_[order_[at + run.size()]])) {
            run.push_back(&rows_[order_[at + run.size()]].extent);
        }
        const bool is_whole = run.size() > 1 ? metadata_->read_run(*first.stored, run)
                                             : metadata_->read(first.stored, first.pending, first.extent);
        if (!is_whole) {
            throw_unreadable(fmt::format(
                "chroma.sqlite3 is damaged: the metadata of record '{}' or of the {} rows after it cannot be read.",
                first.id, run.size() - 1));
        }
    }
    metadata_->finish();
}

void PersistedReader::read_vectors() {
    vectors_.clear();
    const std::uint64_t honest_bytes = db_.file_bytes() + (index_->files() ? index_->files()->data_bytes() : 0);
    for (Row& row : rows_) {
        row.vector_first = vectors_.size();
        if (row.source.is_queue()) {
            read_queued_vector(row.id, index_->queue_row(row.source));
        } else {
            vectors_.resize(vectors_.size() + index_->files()->layout().dimension);
            index_->files()->read_vector(row.source.index(), std::span{vectors_}.subspan(row.vector_first));
        }
        row.vector_count = vectors_.size() - row.vector_first;
        if (vectors_.size() * sizeof(float) > honest_bytes) {
            throw_unreadable("The index gives one element to many records.");
        }
    }
}

void PersistedReader::read_queued_vector(std::string_view id, std::int64_t seq_id) {
    select_vector_.reset();
    if (select_vector_.bind(1, seq_id).try_step() != Step::row) {
        throw_unreadable(
            fmt::format("Row {} of embeddings_queue, the vector of record '{}', cannot be read.", seq_id, id));
    }
    if (!select_vector_.is_null(1) && select_vector_.text(1) != "FLOAT32") {
        throw_unreadable(fmt::format("The vector of record '{}' has the encoding {}, decant reads FLOAT32.", id,
                                     select_vector_.text(1)));
    }
    const auto raw = select_vector_.blob(0);
    const std::size_t first = vectors_.size();
    vectors_.resize(first + raw.size() / sizeof(float));
    if (!raw.empty()) {
        std::memcpy(vectors_.data() + first, raw.data(), (vectors_.size() - first) * sizeof(float));
    }
    select_vector_.reset();
}

void PersistedReader::build_records() {
    records_.clear();
    for (const Row& row : rows_) {
        const auto entries = metadata_->entries(row.extent);
        records_.push_back({.id = row.id,
                            .document = row.extent.document,
                            .metadata = entries.empty() ? std::nullopt : std::optional{entries},
                            .vector = std::span{vectors_}.subspan(row.vector_first, row.vector_count),
                            .uri = row.extent.uri});
    }
}

}  // namespace decant::chroma::detail
