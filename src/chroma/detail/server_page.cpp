#include "chroma/detail/server_page.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

namespace od = simdjson::ondemand;

struct Extent {
    std::size_t first = 0;
    std::size_t count = 0;
};

/// A metadata value while the lists still grow.
struct Entry {
    std::string_view key;
    Scalar scalar;
    std::optional<Extent> list;
};

constexpr std::array<std::string_view, 6> nested_members{"ids",       "documents", "uris",
                                                         "metadatas", "distances", "embeddings"};

struct Row {
    std::string_view id;
    std::optional<std::string_view> document;
    std::optional<std::string_view> uri;
    Extent vector;
    std::optional<Extent> metadata;
    double distance = std::numeric_limits<double>::quiet_NaN();
};

[[noreturn]] void throw_other_form(std::string_view what) {
    throw Error{ErrorCode::source_unreadable, fmt::format("The server's answer holds no records: {}", what),
                "Look at the server's log; where its index is damaged, copy from its directory instead."};
}

float float_of(od::value number) {
    if (number.is_null()) return std::numeric_limits<float>::quiet_NaN();
    const std::string_view digits = number.raw_json_token();
    float value = 0;
    // Not by way of double: rounding twice may end one step away.
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (parsed.ec == std::errc{}) return value;
    return static_cast<float>(number.get_double().value());
}

Scalar scalar_of(od::value value) {
    switch (value.type()) {
        case od::json_type::boolean:
            return value.get_bool().value();
        case od::json_type::string:
            return value.get_string().value();
        case od::json_type::number: {
            // 1 and 1.0 are values of two types in Chroma.
            const od::number number = value.get_number();
            if (number.is_int64()) return number.get_int64();
            return number.as_double();
        }
        case od::json_type::null:
            return std::numeric_limits<double>::quiet_NaN();
        default:
            throw_other_form("a metadata value is neither text nor number");
    }
}

}  // namespace

struct ServerPage::State {
    od::parser parser;
    std::vector<Row> rows;
    std::vector<float> floats;
    std::vector<Entry> entries;
    std::vector<Scalar> elements;
    std::vector<MetadataEntry> metadata;
    std::vector<Record> records;
    std::vector<double> distances;
    bool has_distances = false;

    void clear() {
        has_distances = false;
        distances.clear();
        rows.clear();
        floats.clear();
        entries.clear();
        elements.clear();
    }

    /// Calls take(row, value) for each element of a list as long as the list of ids; null stands for a list not asked
    /// for. The servers give ids first.
    template <typename Take>
    void each(std::string_view name, od::value list, const Take& take) {
        if (list.is_null()) return;
        std::size_t count = 0;
        for (od::value element : list.get_array()) {
            if (name == "ids") rows.emplace_back();
            if (count == rows.size()) throw_other_form(fmt::format("more {} than {} ids", name, count));
            if (!element.is_null()) take(rows[count], element);
            ++count;
        }
        if (count != rows.size()) throw_other_form(fmt::format("{} {} for {} ids", count, name, rows.size()));
    }

    void take_member(std::string_view name, od::value value) {
        if (name == "ids") {
            each(name, value, [](Row& row, od::value id) { row.id = id.get_string(); });
        } else if (name == "documents") {
            each(name, value, [](Row& row, od::value text) { row.document = text.get_string().value(); });
        } else if (name == "uris") {
            each(name, value, [](Row& row, od::value text) { row.uri = text.get_string().value(); });
        } else if (name == "embeddings") {
            each(name, value, [this](Row& row, od::value vector) {
                row.vector.first = floats.size();
                for (od::value number : vector.get_array())
                    floats.push_back(float_of(number));
                row.vector.count = floats.size() - row.vector.first;
            });
        } else if (name == "metadatas") {
            each(name, value, [this](Row& row, od::value object) { row.metadata = take_metadata(object); });
        } else if (name == "distances") {
            each(name, value, [](Row& row, od::value number) { row.distance = number.get_double(); });
            has_distances = true;
        }
    }

    /// A list with one list in it, because one question was asked; null for what was not asked for.
    void take_only_list(std::string_view name, od::value lists) {
        if (std::ranges::find(nested_members, name) == nested_members.end() || lists.is_null()) return;
        std::size_t count = 0;
        for (od::value list : lists.get_array()) {
            if (count++ > 0) throw_other_form(fmt::format("{} for more than one question", name));
            take_member(name, list);
        }
        if (count == 0) throw_other_form(fmt::format("no list of {}", name));
    }

    template <typename Take>
    bool read(std::string& body, const Take& take) {
        clear();
        if (!body.starts_with('{')) return false;  // a proxy's page
        body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
        try {
            od::document document = parser.iterate(body.data(), body.size(), body.capacity());
            for (od::field field : document.get_object())
                take(field.unescaped_key(), field.value());
        } catch (const simdjson::simdjson_error& error) {
            if (error.error() == simdjson::INCORRECT_TYPE) throw_other_form(error.what());
            return false;
        }
        return true;
    }

    Extent take_metadata(od::value object) {
        Extent extent{.first = entries.size()};
        for (od::field field : object.get_object()) {
            const std::string_view key = field.unescaped_key();
            od::value value = field.value();
            if (value.type() != od::json_type::array) {
                entries.push_back({.key = key, .scalar = scalar_of(value), .list = {}});
                continue;
            }
            Extent list{.first = elements.size()};
            for (od::value element : value.get_array())
                elements.push_back(scalar_of(element));
            list.count = elements.size() - list.first;
            entries.push_back({.key = key, .scalar = false, .list = list});
        }
        extent.count = entries.size() - extent.first;
        return extent;
    }

    void build_records() {
        metadata.clear();
        metadata.reserve(entries.size());
        for (const Entry& entry : entries) {
            if (entry.list)
                metadata.push_back({entry.key, std::span{elements}.subspan(entry.list->first, entry.list->count)});
            else
                metadata.push_back({entry.key, entry.scalar});
        }
        records.clear();
        records.reserve(rows.size());
        for (const Row& row : rows) {
            Record& record =
                records.emplace_back(Record{.id = row.id,
                                            .document = row.document,
                                            .metadata = {},
                                            .vector = std::span{floats}.subspan(row.vector.first, row.vector.count),
                                            .uri = row.uri});
            if (row.metadata) record.metadata = std::span{metadata}.subspan(row.metadata->first, row.metadata->count);
        }
    }
};

ServerPage::ServerPage() : state_(std::make_unique<State>()) {}
ServerPage::~ServerPage() = default;

bool ServerPage::parse(std::string& body) {
    if (!state_->read(body, [this](std::string_view name, od::value value) { state_->take_member(name, value); })) {
        return false;
    }
    std::ranges::sort(state_->rows, {}, &Row::id);
    state_->build_records();
    return true;
}

bool ServerPage::parse_nearest(std::string& body) {
    if (!state_->read(body, [this](std::string_view name, od::value value) { state_->take_only_list(name, value); })) {
        return false;
    }
    if (!state_->has_distances) throw_other_form("no distances");
    for (const Row& row : state_->rows)
        state_->distances.push_back(row.distance);
    state_->build_records();
    return true;
}

std::span<const Record> ServerPage::records() const noexcept {
    return state_->records;
}

std::span<const double> ServerPage::distances() const noexcept {
    return state_->distances;
}

}  // namespace decant::chroma::detail
