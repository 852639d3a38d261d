#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/copy_case.hpp"

namespace decant::test {

/// A product catalog made by `decant schema up` in a database of its own, and a Chroma collection with vectors for it:
/// product number N has the sku sku-N and the name "Producto N", as the record of that number says in its metadata.
class CatalogCase {
public:
    static constexpr std::size_t dimension = 8;

    explicit CatalogCase(ThrowawayCluster& cluster = ThrowawayCluster::shared());

    SyntheticChroma& source() { return source_; }
    const DecantProgram& decant() const { return decant_; }
    pg::Connection open() const { return pg::Connection::open(decant_.conninfo()); }
    std::string value(const std::string& sql) const { return std::string{open().exec(sql).text(0, 0)}; }
    void exec(const std::string& sql) const { open().exec(sql); }

    /// Products and records of the numbers first, first + 1, ...
    void put_products(std::uint64_t first, std::uint64_t count) const;
    void put_records(std::uint64_t first, std::uint64_t count);
    static SourceRecord record(std::uint64_t number);

    std::vector<std::string> arguments(const std::vector<std::string>& more = {}) const;
    Outcome migrate(const std::vector<std::string>& more = {}) const { return decant_.run(arguments(more)); }
    /// The report of a migration that is expected to end with exit 0.
    boost::json::object migrated(const std::vector<std::string>& more = {}) const;
    /// One row a product that has an embedding, with its vector and model: equal for equal catalogs.
    std::string embeddings() const;

private:
    SyntheticChroma source_;
    DecantProgram decant_;
};

}  // namespace decant::test
