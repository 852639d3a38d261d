#include "quality/detail/stored_vectors.hpp"

#include <fmt/format.h>

#include "pg/binary_row.hpp"
#include "pg/copy.hpp"

namespace decant::quality {
namespace {

/// COPY takes no parameters: {0} the seed, {1} how many, both numbers.
constexpr std::string_view drawn_sql =
    "COPY (SELECT p.embedding FROM (SELECT id FROM products WHERE active AND embedding IS NOT NULL "
    "ORDER BY md5(id::text || '{0}'), id LIMIT {1}) drawn JOIN products p USING (id) "
    "ORDER BY md5(p.id::text || '{0}'), p.id) TO STDOUT (FORMAT binary)";

}  // namespace

std::vector<std::vector<float>> draw_stored_vectors(pg::Connection& db, std::size_t count, std::uint64_t seed) {
    pg::CopyOut copy{db, fmt::format(drawn_sql, seed, count)};
    std::vector<std::vector<float>> vectors;
    while (const auto tuple = copy.next())
        pg::decode_vector(pg::fields_of(*tuple).front(), vectors.emplace_back());
    return vectors;
}

}  // namespace decant::quality
