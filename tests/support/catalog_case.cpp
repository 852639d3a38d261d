#include "tests/support/catalog_case.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace decant::test {

CatalogCase::CatalogCase(ThrowawayCluster& cluster)
    : source_({.dimension = dimension, .space = "cosine"}), decant_(cluster.create_database()) {
    const Outcome up = decant_.run({"schema", "up", "--dimension", std::to_string(dimension)});
    if (up.exit_code != 0) throw std::runtime_error(up.told());
    exec("INSERT INTO categories (id, name, display_name) VALUES (gen_random_uuid(), 'audio', 'Audio')");
}

void CatalogCase::put_products(std::uint64_t first, std::uint64_t count) const {
    exec(
        fmt::format("INSERT INTO products (id, name, specs, price, stock, sku, category_id, active) SELECT "
                    "gen_random_uuid(), 'Producto ' || i, '', 100, 5, 'sku-' || i, "
                    "(SELECT id FROM categories WHERE name = 'audio'), true FROM generate_series({}, {}) i",
                    first, first + count - 1));
}

SourceRecord CatalogCase::record(std::uint64_t number) {
    SourceRecord record = sample_record(number, dimension);
    record.metadata = {{"sku", fmt::format("sku-{}", number)},
                       {"name", fmt::format("Producto {}", number)},
                       {"category_name", std::string{"audio"}}};
    return record;
}

void CatalogCase::put_records(std::uint64_t first, std::uint64_t count) {
    std::vector<SourceRecord> records;
    for (std::uint64_t number = first; number < first + count; ++number)
        records.push_back(record(number));
    source_.put(records);
}

std::vector<std::string> CatalogCase::arguments(const std::vector<std::string>& more) const {
    std::vector<std::string> all{"migrate", "--from", source_.path().string(), "--collection", "products", "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

boost::json::object CatalogCase::migrated(const std::vector<std::string>& more) const {
    const Outcome outcome = migrate(more);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    return outcome.json().as_object();
}

std::string CatalogCase::embeddings() const {
    return value(
        "SELECT coalesce(string_agg(sku || ' ' || embedding::text || ' ' || embedding_model, E'\\n' ORDER BY sku), '') "
        "FROM products WHERE embedding IS NOT NULL");
}

}  // namespace decant::test
