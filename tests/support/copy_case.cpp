#include "tests/support/copy_case.hpp"

#include <fmt/format.h>

namespace decant::test {

std::vector<std::string> CopyCase::copy_arguments(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"copy", "--from", source_.path().string(), "--collection", "products", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

boost::json::object CopyCase::copied(const std::vector<std::string>& more) const {
    const Outcome outcome = copy(more);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    if (outcome.exit_code != 0) return {};
    boost::json::object report = outcome.json().as_object();
    expect_counts_add_up(report);
    return report;
}

std::string CopyCase::content(const std::string& table) const {
    return value(fmt::format(
        "SELECT coalesce(md5(string_agg(t::text, E'\\n' ORDER BY id)), '') || ' ' || count(*) FROM {} t", table));
}

std::uint64_t count_of(const boost::json::object& report, const std::string& name) {
    return report.at("counts").at(name).to_number<std::uint64_t>();
}

void expect_counts_add_up(const boost::json::object& report) {
    const auto count = [&](const char* name) { return count_of(report, name); };
    EXPECT_EQ(count("read"), count("copied") + count("updated") + count("unchanged") + count("rejected"));
}

}  // namespace decant::test
