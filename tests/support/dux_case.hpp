#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/dux_server.hpp"
#include "tests/support/dux_shop.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {

/// A shop, its ERP, and an empty catalog of 8 dimensions in a database of its own.
class DuxCase : public SchemaCase {
public:
    struct Setup {
        std::uint64_t seed = 1;
        std::size_t articles = 120;
        DuxServer::Options server = {};
    };

    DuxCase() : DuxCase(Setup{}) {}
    explicit DuxCase(const Setup& setup);

    Shop& shop() noexcept { return shop_; }
    DuxServer& server() noexcept { return server_; }

    /// The ERP shows the shop as it is.
    void show() { server_.set_items(shop_.items()); }
    std::vector<std::string> environment(const std::vector<std::string>& more = {}) const;
    static std::vector<std::string> arguments(const std::vector<std::string>& more = {});
    /// One whole scan, by `decant sync dux --once --full --json`.
    Outcome sync(const std::vector<std::string>& more = {}) const;
    RunningDecant start_sync(const std::vector<std::string>& more_environment = {}) const;
    /// A sync that is expected to end with exit 0; its report.
    boost::json::object synced() const;
    /// As Shop::rows(), from the database.
    std::map<std::string, std::string> rows() const { return rows_of(decant().conninfo()); }
    static std::map<std::string, std::string> rows_of(const std::string& conninfo);

private:
    Shop shop_;
    DuxServer server_;
};

/// What two such maps differ in, one a line; empty: nothing.
std::string difference(const std::map<std::string, std::string>& is, const std::map<std::string, std::string>& should);

}  // namespace decant::test
