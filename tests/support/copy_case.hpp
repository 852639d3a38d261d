#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "pg/connection.hpp"
#include "tests/support/decant_program.hpp"
#include "tests/support/synthetic_chroma.hpp"
#include "tests/support/throwaway_cluster.hpp"

namespace decant::test {

/// A source to be copied, and the program against one database of the shared server.
class CopyCase {
public:
    explicit CopyCase(SyntheticChroma::Options options = {})
        : CopyCase(options, ThrowawayCluster::shared().create_database()) {}
    CopyCase(SyntheticChroma::Options options, const std::string& conninfo) : source_(options), decant_(conninfo) {}

    SyntheticChroma& source() { return source_; }
    const DecantProgram& decant() const { return decant_; }
    /// A new connection as the superuser of conninfo().
    pg::Connection open() const { return pg::Connection::open(decant_.conninfo()); }
    /// The first field of the first row.
    std::string value(const std::string& sql) const { return std::string{open().exec(sql).text(0, 0)}; }
    void exec(const std::string& sql) const { open().exec(sql); }

    /// copy --from SOURCE --collection products --json and `more`.
    std::vector<std::string> copy_arguments(const std::vector<std::string>& more = {}) const;
    Outcome copy(const std::vector<std::string>& more = {}) const { return decant_.run(copy_arguments(more)); }
    /// The report of a copy that is expected to end with exit 0.
    boost::json::object copied(const std::vector<std::string>& more = {}) const;
    Outcome verify(const std::string& against, const std::string& table = "products") const {
        return decant_.run({"verify", table, "--against", against, "--json"});
    }
    /// Every row of the table as text, in id order: equal for tables that are equal byte for byte.
    std::string content(const std::string& table = "products") const;

private:
    SyntheticChroma source_;
    DecantProgram decant_;
};

std::uint64_t count_of(const boost::json::object& report, const std::string& name);

/// Every record read is in exactly one of copied, updated, unchanged, rejected.
void expect_counts_add_up(const boost::json::object& report);

}  // namespace decant::test
