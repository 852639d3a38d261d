#include "migrate/row_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>
#include <utility>
#include <vector>

#include "core/base64.hpp"
#include "core/json.hpp"
#include "migrate/jsonb_text.hpp"

namespace decant::migrate {
namespace {

// A btree entry holds at most 2,704 bytes (nbtree.h, BTMaxItemSize) with its header.
constexpr std::size_t max_id_bytes = 2'600;
// A jsonb string or key length has 28 bits (jsonb.h, JENTRY_OFFLENMASK); text is kept below the same limit.
constexpr std::size_t max_text_bytes = (1UL << 28U) - 1;

std::optional<std::string> find_scalar_fault(const chroma::Scalar& value) {
    if (const auto* real = std::get_if<double>(&value)) {
        if (!std::isfinite(*real)) return fmt::format("holds {}, which JSON has no number for", *real);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
        if (text->size() > max_text_bytes) return fmt::format("has {} bytes, over jsonb's limit", text->size());
        if (const auto fault = find_text_fault(*text)) return "holds " + *fault;
    }
    return std::nullopt;
}

std::optional<std::string> find_value_fault(const chroma::MetadataValue& value) {
    if (const auto* scalar = std::get_if<chroma::Scalar>(&value)) return find_scalar_fault(*scalar);
    for (const chroma::Scalar& element : std::get<std::span<const chroma::Scalar>>(value)) {
        if (auto fault = find_scalar_fault(element)) return fault;
    }
    return std::nullopt;
}

json::value text_or_base64(std::string_view text) {
    if (!find_text_fault(text)) return json::string(text);
    return json::object{{"base64", base64(text)}};
}

json::value json_of(const chroma::Scalar& scalar) {
    return std::visit(
        [](auto value) -> json::value {
            if constexpr (std::is_same_v<decltype(value), std::string_view>)
                return text_or_base64(value);
            else if constexpr (std::is_same_v<decltype(value), double>) {
                if (!std::isfinite(value)) return json::string(fmt::format("{}", value));
                return value;
            } else
                return value;
        },
        scalar);
}

json::value json_of(const chroma::MetadataEntry& entry) {
    json::object out{{"key", text_or_base64(entry.key)}};
    if (const auto* scalar = std::get_if<chroma::Scalar>(&entry.value)) {
        out["value"] = json_of(*scalar);
        return out;
    }
    json::array list;
    for (const chroma::Scalar& element : std::get<std::span<const chroma::Scalar>>(entry.value)) {
        list.push_back(json_of(element));
    }
    out["value"] = std::move(list);
    return out;
}

/// Metadata with strip or escape applied; owns the repaired texts.
class RepairedMetadata {
public:
    RepairedMetadata(std::span<const chroma::MetadataEntry> metadata, NulPolicy policy) : policy_(policy) {
        for (const chroma::MetadataEntry& entry : metadata) {
            if (const auto* scalar = std::get_if<chroma::Scalar>(&entry.value)) {
                entries_.push_back({entry.key, repaired(*scalar)});
                continue;
            }
            std::vector<chroma::Scalar>& list = lists_.emplace_back();
            for (const auto& element : std::get<std::span<const chroma::Scalar>>(entry.value)) {
                list.push_back(repaired(element));
            }
            entries_.push_back({entry.key, std::span<const chroma::Scalar>(list)});
        }
    }
    std::span<const chroma::MetadataEntry> entries() const noexcept { return entries_; }

private:
    chroma::Scalar repaired(const chroma::Scalar& scalar) {
        const auto* text = std::get_if<std::string_view>(&scalar);
        if (text == nullptr || !find_text_fault(*text)) return scalar;
        return std::string_view{texts_.emplace_back(repaired_text(*text, policy_))};
    }
    NulPolicy policy_;
    std::deque<std::string> texts_;
    std::deque<std::vector<chroma::Scalar>> lists_;
    std::vector<chroma::MetadataEntry> entries_;
};

std::optional<std::string> find_id_fault(std::string_view id) {
    if (id.size() > max_id_bytes) {
        return fmt::format("id: {} bytes, over the {} that an index entry holds", id.size(), max_id_bytes);
    }
    if (const auto fault = find_text_fault(id)) return "id: holds " + *fault;
    return std::nullopt;
}

/// What makes the record impossible under `policy`; a fault that the policy repairs is none, but sets `needs_repair`.
std::optional<std::string> find_content_fault(const chroma::Record& record, NulPolicy policy, bool& needs_repair) {
    if (record.document) {
        if (record.document->size() > max_text_bytes) return "document: over 256 MiB";
        if (const auto fault = find_text_fault(*record.document)) {
            if (policy == NulPolicy::reject) return "document: holds " + *fault;
            needs_repair = true;
        }
    }
    if (!record.metadata) return std::nullopt;
    for (const chroma::MetadataEntry& entry : *record.metadata) {
        if (const auto fault = find_text_fault(entry.key)) {
            return fmt::format("metadata: a key holds {}", *fault);
        }
        const auto fault = find_value_fault(entry.value);
        if (!fault) continue;
        const bool is_repairable = policy != NulPolicy::reject &&
                                   (fault->starts_with("holds U+0000") || fault->starts_with("holds invalid UTF-8"));
        if (!is_repairable) return fmt::format("metadata '{}': {}", entry.key, *fault);
        needs_repair = true;
    }
    return std::nullopt;
}

/// Chroma gives the URI of a multimodal record beside its metadata; the table has it inside, under Chroma's own key.
std::optional<Reject> encode_row_with_uri(const RowShape& shape, const chroma::Record& record, std::string& out) {
    std::vector<chroma::MetadataEntry> entries;
    if (record.metadata) entries.assign(record.metadata->begin(), record.metadata->end());
    entries.push_back({"chroma:uri", chroma::Scalar{*record.uri}});
    chroma::Record inside = record;
    inside.metadata = entries;
    inside.uri.reset();
    return encode_row(shape, inside, out);
}

/// Half of the smallest half-precision number: it and all below become 0.
constexpr float largest_zero_half = 0x1p-25F;

/// All finite, and not all up to `least` (0 or more); without a branch an element, because every vector passes here.
bool is_ordinary(std::span<const float> vector, float least) noexcept {
    constexpr std::int32_t sign_off = 0x7fffffff;
    constexpr std::int32_t infinity = 0x7f800000;
    std::int32_t largest = 0;
    for (const float value : vector) {
        largest = std::max(largest, std::bit_cast<std::int32_t>(value) & sign_off);
    }
    return largest > std::bit_cast<std::int32_t>(least) && largest < infinity;
}

}  // namespace

Reject make_reject(const chroma::Record& record, std::string reason) {
    json::object line{{"id", text_or_base64(record.id)}, {"reason", reason}};
    line["document"] = record.document ? text_or_base64(*record.document) : json::value(nullptr);
    json::array metadata;
    if (record.metadata) {
        for (const chroma::MetadataEntry& entry : *record.metadata)
            metadata.push_back(json_of(entry));
        line["metadata"] = std::move(metadata);
    } else {
        line["metadata"] = nullptr;
    }
    line["vector"] = base64({reinterpret_cast<const char*>(record.vector.data()), record.vector.size_bytes()});
    return {std::string{record.id}, std::move(reason), json_text(line)};
}

std::string lost_line(const chroma::LostRecord& lost) {
    return json_text(json::object{{"id", text_or_base64(lost.id)}, {"reason", "lost: " + lost.reason}});
}

std::optional<std::string> find_vector_fault(const RowShape& shape, std::span<const float> vector) {
    if (vector.size() != shape.dimension) {
        return fmt::format("vector: {} values, the collection has {}", vector.size(), shape.dimension);
    }
    const float least = shape.type == pg::VectorType::halfvec ? largest_zero_half : 0;
    if (is_ordinary(vector, least)) return std::nullopt;
    bool is_zero = true;
    for (std::size_t i = 0; i < vector.size(); ++i) {
        if (!std::isfinite(vector[i])) return fmt::format("vector: value {} is {}", i, vector[i]);
        is_zero = is_zero && std::abs(vector[i]) <= least;
    }
    if (is_zero && shape.space == chroma::Space::cosine) {
        return fmt::format("vector: all zeros{}, which have no cosine distance to anything",
                           least > 0 ? " in half precision" : "");
    }
    return std::nullopt;
}

std::optional<Reject> encode_row(const RowShape& shape, const chroma::Record& record, std::string& out) {
    if (record.uri) return encode_row_with_uri(shape, record, out);
    bool needs_repair = false;
    auto fault = find_id_fault(record.id);
    if (!fault) fault = find_vector_fault(shape, record.vector);
    if (!fault) fault = find_content_fault(record, shape.nul, needs_repair);
    if (fault) return make_reject(record, std::move(*fault));

    const std::size_t start = out.size();
    pg::BinaryRow row{out, 4};
    row.text(record.id);
    if (!record.document)
        row.null();
    else if (needs_repair)
        row.text(repaired_text(*record.document, shape.nul));
    else
        row.text(*record.document);
    if (!record.metadata)
        row.null();
    else if (needs_repair)
        row.jsonb(jsonb_text(RepairedMetadata{*record.metadata, shape.nul}.entries()));
    else
        row.jsonb(jsonb_text(*record.metadata));
    if (shape.type == pg::VectorType::vector) {
        row.vector(record.vector);
    } else if (!row.halfvec(record.vector)) {
        out.resize(start);
        return make_reject(record, "vector: a value is over 65,504, the largest of halfvec");
    }
    return std::nullopt;
}

}  // namespace decant::migrate
