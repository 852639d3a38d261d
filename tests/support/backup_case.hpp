#pragma once

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/catalog_case.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {

/// A catalog of 40 products of which 30 have vectors of Chroma, the directory with 30 records, and backups of both in a
/// folder that goes with this object.
class BackupCase {
public:
    explicit BackupCase(ThrowawayCluster& cluster = ThrowawayCluster::shared()) : cluster_(cluster), with_(cluster) {
        with_.put_products(0, 40);
        with_.put_records(0, 30);
        with_.migrated();
        std::filesystem::create_directory(place());
    }

    CatalogCase& catalog() { return with_; }
    const DecantProgram& decant() const { return with_.decant(); }
    ThrowawayCluster& cluster() { return cluster_; }
    std::string database() const { return database_of(decant().conninfo()); }
    std::filesystem::path place() const { return decant().folder() / "backups"; }

    std::vector<std::string> arguments(const std::vector<std::string>& more = {}) {
        std::vector<std::string> all{"backup",         "--json", "--to",
                                     place().string(), "--from", with_.source().path().string()};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    /// The folder of a backup that is expected to end with exit 0.
    std::filesystem::path back_up(const std::vector<std::string>& more = {}) {
        const Outcome outcome = decant().run(arguments(more));
        EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
        return outcome.exit_code == 0 ? std::string{outcome.json().at("folder").as_string()} : std::string{};
    }
    Outcome verify(const std::filesystem::path& folder, const std::vector<std::string>& more = {}) const {
        std::vector<std::string> all{"backup", "verify", folder.string()};
        all.insert(all.end(), more.begin(), more.end());
        return decant().run(all);
    }
    Outcome restore(const std::filesystem::path& folder, const std::vector<std::string>& more = {},
                    const std::vector<std::string>& environment = {}) const {
        std::vector<std::string> all{"restore", folder.string(), "--json"};
        all.insert(all.end(), more.begin(), more.end());
        return decant().run(all, environment);
    }

    pg::Connection open(const std::string& database) const { return pg::Connection::open(cluster_.conninfo(database)); }
    /// Every product with its vector and every word of the index: equal for equal catalogs.
    std::string content(const std::string& database) const {
        pg::Connection db = open(database);
        return std::string{db.exec("SELECT md5(string_agg(p::text, '|' ORDER BY sku)) FROM products p").text(0, 0)} +
               std::string{
                   db.exec("SELECT md5(string_agg(w::text, '|' ORDER BY product_id)) FROM decant.product_words w")
                       .text(0, 0)};
    }
    /// Databases whose name is like this.
    std::string databases(const std::string& like) const {
        return std::string{open("postgres")
                               .query("SELECT coalesce(string_agg(datname, ' ' ORDER BY datname), '') FROM pg_database "
                                      "WHERE datname LIKE $1",
                                      {like})
                               .text(0, 0)};
    }
    /// What is in the place of the backups, hidden folders too.
    std::vector<std::string> entries() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator{place()})
            names.push_back(entry.path().filename().string());
        return names;
    }

private:
    ThrowawayCluster& cluster_;
    CatalogCase with_;
};

inline std::string content_of(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

inline void write_content(const std::filesystem::path& file, const std::string& content) {
    std::ofstream{file, std::ios::binary} << content;
}

}  // namespace decant::test
