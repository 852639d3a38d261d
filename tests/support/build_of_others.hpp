#pragma once

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <thread>

#include "tests/support/eventually.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {

/// An index that the superuser builds, held up by an open transaction as long as this object lives, in a catalog that
/// belongs to another role, who may not see whose build it is. From then on the role is there until the server goes.
class BuildOfOthers {
public:
    /// `sql` is a CREATE INDEX CONCURRENTLY on `table`.
    BuildOfOthers(const SchemaCase& with, const std::string& table, const std::string& sql)
        : database_(database_of(with.decant().conninfo())), owner_("owner_of_" + database_), writer_(with.open()) {
        with.exec(
            fmt::format("CREATE ROLE {0} LOGIN; ALTER TABLE products OWNER TO {0};"
                        "GRANT CREATE ON SCHEMA public TO {0}; GRANT USAGE ON SCHEMA decant TO {0};"
                        "GRANT ALL ON ALL TABLES IN SCHEMA public, decant TO {0}",
                        owner_));
        writer_.exec(fmt::format("BEGIN; LOCK TABLE {} IN ROW EXCLUSIVE MODE", table));
        builder_ = std::jthread{[sql, db = with.open()]() mutable { db.exec(sql); }};
        const std::string waiting =
            "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database() AND phase LIKE "
            "'waiting%'";
        EXPECT_TRUE(eventually(std::chrono::seconds{20}, [&] { return with.value(waiting) == "1"; }));
    }
    BuildOfOthers(const BuildOfOthers&) = delete;
    BuildOfOthers& operator=(const BuildOfOthers&) = delete;
    ~BuildOfOthers() { writer_.exec("ROLLBACK"); }

    /// Of the catalog's owner.
    std::string conninfo() const { return ThrowawayCluster::shared().conninfo(database_) + " user=" + owner_; }

private:
    std::string database_;
    std::string owner_;
    pg::Connection writer_;
    std::jthread builder_;
};

}  // namespace decant::test
