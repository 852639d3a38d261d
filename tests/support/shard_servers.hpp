#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "pg/binary_row.hpp"
#include "pg/connection.hpp"
#include "search/vector_search.hpp"
#include "tests/support/throwaway_cluster.hpp"

namespace decant::test {

inline constexpr auto shard_password = "s3cret of the shard";

/// Of a new database, by 127.0.0.1 and as a role that is asked for a password.
inline std::string shard_url(ThrowawayCluster& cluster) {
    pg::Connection db = pg::Connection::open(cluster.create_database());
    // It is decant that must keep the password out of the log.
    db.exec("SET log_statement = none");
    db.exec("SET log_min_duration_statement = -1");
    if (db.exec("SELECT FROM pg_roles WHERE rolname = 'sharder'").empty())
        db.exec(fmt::format("CREATE ROLE sharder SUPERUSER LOGIN PASSWORD '{}'", shard_password));
    return fmt::format("postgresql://sharder:s3cret%20of%20the%20shard@127.0.0.1:{}/{}", cluster.port(), db.database());
}

/// Of the dimension of SchemaCase.
inline std::vector<float> question(int number) {
    std::vector<float> vector(32);
    for (int i = 0; i < 32; ++i)
        vector[static_cast<std::size_t>(i)] = static_cast<float>((number * 31 + i * 17) % 23 - 11);
    return vector;
}

inline std::vector<std::string> skus(const search::VectorAnswer& answer) {
    std::vector<std::string> out;
    for (const search::Hit& hit : answer.hits)
        out.push_back(hit.sku);
    return out;
}

/// By comparing all, on one server.
inline std::vector<std::string> exact_skus(pg::Connection& db, const search::VectorQuery& query,
                                           const std::string& condition = "true") {
    const pg::Result rows = db.query(
        fmt::format("SELECT sku FROM products p WHERE active AND {} ORDER BY (embedding <=> $1::vector) + 0, id "
                    "LIMIT {} OFFSET {}",
                    condition, query.limit, query.offset),
        {}, pg::binary_vector(query.vector));
    std::vector<std::string> out;
    for (int row = 0; row < rows.rows(); ++row)
        out.emplace_back(rows.text(row, 0));
    return out;
}

}  // namespace decant::test
