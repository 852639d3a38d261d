#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "pg/connection.hpp"
#include "tests/support/decant_program.hpp"
#include "tests/support/throwaway_cluster.hpp"

namespace decant::test {

/// The product catalog in a database of the shared server, and the program against it.
class SchemaCase {
public:
    static constexpr int dimension = 32;

    /// After `decant schema up --dimension 32`.
    SchemaCase();
    /// Nothing is made yet.
    explicit SchemaCase(const std::string& conninfo) : decant_(conninfo) {}

    const DecantProgram& decant() const { return decant_; }
    pg::Connection open() const { return pg::Connection::open(decant_.conninfo()); }
    /// The first field of the first row.
    std::string value(const std::string& sql) const { return std::string{open().exec(sql).text(0, 0)}; }
    void exec(const std::string& sql) const { open().exec(sql); }

    /// Products sku-1 to sku-COUNT of price 1 to COUNT, a tenth of them out of stock, in 8 categories (cat-0...) and 20
    /// brands (brand-0...), with reproducible vectors around 50 directions; analysed.
    void put_products(int count) const;

    /// psql -f FILE of migrations/ as a person runs it, stopping at the first error.
    Outcome psql_file(const std::string& name, const std::string& environment = "") const;

    /// bash with the libraries of the server's programs.
    Outcome shell(const std::string& script) const;

private:
    DecantProgram decant_;
};

/// The name that a conninfo ends with.
std::string database_of(const std::string& conninfo);

}  // namespace decant::test
