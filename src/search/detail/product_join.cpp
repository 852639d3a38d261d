#include "search/detail/product_join.hpp"

#include <fmt/format.h>

#include <iterator>
#include <variant>

#include "core/error.hpp"
#include "core/utf8.hpp"

namespace decant::search::detail {
namespace {

/// {0} the filter; {1} to {4} numbers of the parameters: places and ids, places and skus; {5} ProductKeys::most; {6}
/// and {7} hit_columns and hit_joins. A place is the number of the record times {5} plus that of the key.
constexpr std::string_view join_sql = R"sql(
WITH named AS (
    SELECT k.place, p.id FROM unnest(${1}::int[], ${2}::uuid[]) k(place, id) JOIN products p ON p.id = k.id
    UNION ALL
    SELECT k.place, p.id FROM unnest(${3}::int[], ${4}::text[]) k(place, sku) JOIN products p ON p.sku = k.sku
), known AS MATERIALIZED (
    SELECT DISTINCT ON (place / {5}) place / {5} AS record, id FROM named ORDER BY place / {5}, place, id
)
SELECT {6}, n.record, total.records
FROM (SELECT count(*) AS records FROM known) total
LEFT JOIN ((SELECT id, min(record) AS record FROM known GROUP BY id) n JOIN products p ON p.id = n.id {7}) ON {0}
ORDER BY n.record)sql";

bool is_storable(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0 || text.front() == '\0') return false;
        text.remove_prefix(length);
    }
    return true;
}

void append(std::string& array, std::string_view element) {
    if (!array.empty()) array.push_back(',');
    array.append(element);
}

}  // namespace

void ProductJoin::add(const chroma::ProductNames& names) {
    std::size_t place = records_++ * chroma::ProductKeys::most;
    for (const chroma::ProductKey& key : chroma::ProductKeys{names}) {
        const fmt::format_int number{place++};
        const std::string_view digits{number.data(), number.size()};
        if (const auto* id = std::get_if<catalog::Uuid>(&key)) {
            append(id_places_, digits);
            append(ids_, catalog::text_of(*id));
        } else if (const auto sku = std::get<std::string_view>(key); is_storable(sku)) {
            append(sku_places_, digits);
            skus_.emplace_back(sku);
        }
    }
}

void ProductJoin::clear() noexcept {
    records_ = 0;
    id_places_.clear();
    ids_.clear();
    sku_places_.clear();
    skus_.clear();
}

std::string ProductJoin::sql() const {
    const std::size_t first = filter_.params.size() + 1;
    return fmt::format(join_sql, filter_.condition, first, first + 1, first + 2, first + 3, chroma::ProductKeys::most,
                       hit_columns, hit_joins);
}

std::vector<pg::Param> ProductJoin::params() const {
    std::vector<pg::Param> params = filter_.params;
    for (const std::string* array : {&id_places_, &ids_, &sku_places_})
        params.emplace_back("{" + *array + "}");
    params.emplace_back(pg::array_literal(skus_));
    return params;
}

ProductJoin::Answer ProductJoin::run(pg::Connection& db) const {
    try {
        const pg::Result rows = db.query(sql(), params());
        Answer answer{.found = {}, .known = static_cast<std::uint64_t>(rows.integer(0, hit_column_count + 1))};
        for (int row = 0; row < rows.rows(); ++row) {
            if (rows.is_null(row, 0)) break;
            answer.found.push_back(
                {static_cast<std::size_t>(rows.integer(row, hit_column_count)), read_hit(rows, row)});
        }
        return answer;
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
        throw Error{ErrorCode::not_found, "There is no product catalog: " + error.happened(),
                    "Make it with `decant schema up`, then load products with `decant products load FILE`."};
    }
}

}  // namespace decant::search::detail
