#include "tests/support/dux_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace decant::test {

DuxCase::DuxCase(const Setup& setup)
    : SchemaCase(ThrowawayCluster::shared().create_database()),
      shop_(setup.seed, setup.articles),
      server_(setup.server) {
    const Outcome up = decant().run({"schema", "up", "--dimension", "8"});
    if (up.exit_code != 0) throw std::runtime_error(up.told());
    show();
}

std::vector<std::string> DuxCase::environment(const std::vector<std::string>& more) const {
    std::vector<std::string> all = server_.environment();
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

std::vector<std::string> DuxCase::arguments(const std::vector<std::string>& more) {
    std::vector<std::string> all{"sync", "dux", "--once", "--full", "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

Outcome DuxCase::sync(const std::vector<std::string>& more) const {
    return decant().run(arguments(more), environment());
}

RunningDecant DuxCase::start_sync(const std::vector<std::string>& more_environment) const {
    return decant().start(arguments(), environment(more_environment));
}

boost::json::object DuxCase::synced() const {
    const Outcome outcome = sync();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    return outcome.json().as_object();
}

std::map<std::string, std::string> DuxCase::rows_of(const std::string& conninfo) {
    std::map<std::string, std::string> rows;
    auto db = pg::Connection::open(conninfo);
    const auto result = db.exec(Shop::rows_sql);
    for (int i = 0; i < result.rows(); ++i)
        rows.emplace(result.text(i, 0), result.text(i, 1));
    return rows;
}

std::string difference(const std::map<std::string, std::string>& is, const std::map<std::string, std::string>& should) {
    constexpr std::size_t most_shown = 5;
    std::vector<std::string> all;
    for (const auto& [sku, row] : should) {
        const auto found = is.find(sku);
        if (found == is.end())
            all.push_back(fmt::format("{} is missing: {}\n", sku, row));
        else if (found->second != row)
            all.push_back(fmt::format("{} is {}\n  should be {}\n", sku, found->second, row));
    }
    for (const auto& [sku, row] : is) {
        if (!should.contains(sku)) all.push_back(fmt::format("{} should not be: {}\n", sku, row));
    }
    if (all.empty()) return {};
    const std::size_t shown = std::min(all.size(), most_shown);
    return fmt::format("{} rows differ\n{}", all.size(),
                       fmt::join(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), ""));
}

}  // namespace decant::test
