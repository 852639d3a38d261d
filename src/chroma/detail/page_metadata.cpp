#include "chroma/detail/page_metadata.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

constexpr auto select_scalars =
    "SELECT key, string_value, int_value, float_value, bool_value, id FROM embedding_metadata"
    " WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
constexpr auto select_scalars_before_bools =
    "SELECT key, string_value, int_value, float_value, NULL, id FROM embedding_metadata"
    " WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
// (id, key) is indexed, and an index holds equal keys by rowid, which is the order of a list's elements.
constexpr auto select_lists =
    "SELECT key, string_value, int_value, float_value, bool_value FROM embedding_metadata_array"
    " WHERE id = ?1 ORDER BY key, rowid";
constexpr auto select_any_list = "SELECT 1 FROM embedding_metadata_array LIMIT 1";
constexpr auto select_queued = "SELECT metadata FROM embeddings_queue WHERE seq_id = ?1";

/// Keys of Chroma's own, which its get() never gives as metadata.
constexpr std::string_view reserved_prefix = "chroma:";
constexpr std::string_view document_key = "chroma:document";
constexpr std::string_view uri_key = "chroma:uri";

/// The first value that is not null of text, integer, float and bool. None where all are: a NaN that 0.x stored, which
/// Chroma's get() leaves out.
std::optional<Scalar> read_scalar(const Statement& row, TextArena& texts) {
    if (!row.is_null(1)) {
        return Scalar{texts.keep(row.text(1))};
    }
    if (!row.is_null(2)) {
        return row.type(2) == SQLITE_FLOAT ? Scalar{row.real(2)} : Scalar{row.integer(2)};
    }
    if (!row.is_null(3)) {
        return Scalar{row.real(3)};
    }
    if (!row.is_null(4)) {
        return Scalar{row.integer(4) != 0};
    }
    return std::nullopt;
}

}  // namespace

PageMetadata::PageMetadata(const Database& db, const SchemaTraits& traits)
    : select_scalars_(db.prepare(traits.has_bool_values ? select_scalars : select_scalars_before_bools)),
      select_queued_(db.prepare(select_queued)),
      most_bytes_(2 * db.file_bytes()) {
    if (traits.has_arrays && db.prepare(select_any_list).step()) {
        select_lists_.emplace(db.prepare(select_lists));
    }
}

void PageMetadata::clear() noexcept {
    texts_.clear();
    drafts_.clear();
    list_items_.clear();
    entries_.clear();
}

bool PageMetadata::read(std::optional<std::int64_t> row, const PendingRecord* pending, Extent& extent) {
    begin(extent);
    bool is_whole = true;
    if (row && (pending == nullptr || pending->keeps_stored)) {
        Extent* const only = &extent;
        is_whole = read_run(*row, {&only, 1});
    }
    if (pending != nullptr) {
        for (const std::int64_t seq_id : pending->queue_rows) {
            is_whole = is_whole && merge_queue_row(seq_id, extent);
        }
        extent.count = static_cast<std::uint32_t>(drafts_.size()) - extent.first;
    }
    return is_whole && is_honest();
}

bool PageMetadata::read_run(std::int64_t first_row, std::span<Extent* const> extents) {
    select_scalars_.reset();
    select_scalars_.bind(1, first_row).bind(2, first_row + static_cast<std::int64_t>(extents.size()) - 1);
    std::size_t at = 0;
    begin(*extents[at]);
    const auto pass_to = [&](std::size_t next) {
        for (; at < next; ++at) {
            if (!end(first_row + static_cast<std::int64_t>(at), *extents[at])) {
                return false;
            }
            if (at + 1 < extents.size()) {
                begin(*extents[at + 1]);
            }
        }
        return at == next;
    };
    Step step = select_scalars_.try_step();
    for (; step == Step::row; step = select_scalars_.try_step()) {
        if (!pass_to(static_cast<std::size_t>(select_scalars_.integer(5) - first_row)) || !is_honest()) {
            break;
        }
        take_scalar(*extents[at]);
    }
    select_scalars_.reset();
    return step == Step::done && pass_to(extents.size());
}

void PageMetadata::begin(Extent& extent) const noexcept {
    extent = Extent{};
    extent.first = static_cast<std::uint32_t>(drafts_.size());
}

bool PageMetadata::end(std::int64_t row, Extent& extent) {
    const bool is_whole = !select_lists_ || read_lists(row);
    extent.count = static_cast<std::uint32_t>(drafts_.size()) - extent.first;
    return is_whole;
}

/// A page of records cannot hold more than the file does; one that claims to would make us run out of memory.
bool PageMetadata::is_honest() const noexcept {
    return texts_.bytes() + drafts_.size() + list_items_.size() <= most_bytes_;
}

void PageMetadata::take_scalar(Extent& extent) {
    const std::string_view key = select_scalars_.text(0);
    if (!key.starts_with(reserved_prefix)) {
        if (const auto value = read_scalar(select_scalars_, texts_)) {
            drafts_.push_back({.key = texts_.keep(key), .scalar = *value});
        }
    } else if (key == document_key && !select_scalars_.is_null(1)) {
        extent.document = texts_.keep(select_scalars_.text(1));
    } else if (key == uri_key && !select_scalars_.is_null(1)) {
        extent.uri = texts_.keep(select_scalars_.text(1));
    }
}

bool PageMetadata::read_lists(std::int64_t row) {
    select_lists_->reset();
    select_lists_->bind(1, row);
    const std::size_t first = drafts_.size();
    Step step = select_lists_->try_step();
    for (; step == Step::row && is_honest(); step = select_lists_->try_step()) {
        const std::string_view key = select_lists_->text(0);
        if (drafts_.size() == first || drafts_.back().key != key) {
            drafts_.push_back({.key = texts_.keep(key),
                               .scalar = {},
                               .list_first = static_cast<std::uint32_t>(list_items_.size()),
                               .is_list = true});
        }
        if (const auto value = read_scalar(*select_lists_, texts_)) {
            list_items_.push_back(*value);
            ++drafts_.back().list_count;
        }
    }
    select_lists_->reset();
    return step == Step::done;
}

bool PageMetadata::merge_queue_row(std::int64_t seq_id, Extent& extent) {
    select_queued_.reset();
    select_queued_.bind(1, seq_id);
    if (select_queued_.try_step() != Step::row) {
        return false;
    }
    const bool has_metadata = !select_queued_.is_null(0);
    const auto metadata = has_metadata ? parse_json(select_queued_.text(0)) : std::optional{Json{JsonObject{}}};
    select_queued_.reset();
    const JsonObject* members = metadata ? std::get_if<JsonObject>(&metadata->value) : nullptr;
    if (members == nullptr) {
        return metadata && metadata->is_null();
    }
    for (const auto& [key, value] : *members) {
        merge_member(key, value, extent);
    }
    return true;
}

void PageMetadata::merge_member(std::string_view key, const Json& value, Extent& extent) {
    const auto scalar = scalar_of(value);
    if (key == document_key || key == uri_key) {
        auto& text = key == document_key ? extent.document : extent.uri;
        text = scalar && std::holds_alternative<std::string_view>(*scalar)
                   ? std::optional{std::get<std::string_view>(*scalar)}
                   : std::nullopt;
        return;
    }
    drafts_.erase(std::remove_if(drafts_.begin() + extent.first, drafts_.end(),
                                 [key](const Draft& draft) { return draft.key == key; }),
                  drafts_.end());
    if (key.starts_with(reserved_prefix)) {
        return;
    }
    if (scalar) {
        drafts_.push_back({.key = texts_.keep(key), .scalar = *scalar});
    } else if (const auto* items = std::get_if<JsonArray>(&value.value)) {
        Draft draft{.key = texts_.keep(key),
                    .scalar = {},
                    .list_first = static_cast<std::uint32_t>(list_items_.size()),
                    .is_list = true};
        for (const Json& item : *items) {
            if (const auto element = scalar_of(item)) {
                list_items_.push_back(*element);
                ++draft.list_count;
            }
        }
        drafts_.push_back(draft);
    }
}

/// As sqlite would have stored it: a NaN is not kept, and -0.0 becomes 0.0.
std::optional<Scalar> PageMetadata::scalar_of(const Json& value) {
    if (const auto* text = value.text()) {
        return Scalar{texts_.keep(*text)};
    }
    if (const auto* truth = std::get_if<bool>(&value.value)) {
        return Scalar{*truth};
    }
    if (const auto* whole = std::get_if<std::int64_t>(&value.value)) {
        return Scalar{*whole};
    }
    const auto* real = std::get_if<double>(&value.value);
    if (real == nullptr || std::isnan(*real)) {
        return std::nullopt;
    }
    return Scalar{*real + 0.0};
}

void PageMetadata::finish() {
    entries_.reserve(drafts_.size());
    for (const Draft& draft : drafts_) {
        if (draft.is_list) {
            entries_.push_back({draft.key, std::span{list_items_}.subspan(draft.list_first, draft.list_count)});
        } else {
            entries_.push_back({draft.key, draft.scalar});
        }
    }
}

std::span<const MetadataEntry> PageMetadata::entries(const Extent& extent) const {
    return std::span{entries_}.subspan(extent.first, extent.count);
}

}  // namespace decant::chroma::detail
