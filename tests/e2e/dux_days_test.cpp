// Six days of a shop whose ERP is as bad as ERPs are. After each day the catalog is what the shop's owner thinks it is.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "tests/support/dux_case.hpp"

namespace decant::test {
namespace {

namespace json = boost::json;
using testing::IsEmpty;

constexpr int most_runs_a_day = 6;

std::int64_t count_of(const json::object& report, const char* name) {
    return report.at(name).as_int64();
}

bool is_complete(const json::object& report) {
    return report.at("state") == "complete" && report.at("is_consistent") == true;
}

/// What one run says of itself.
void expect_report_adds_up(const Outcome& outcome, const json::object& report) {
    SCOPED_TRACE(outcome.told());
    EXPECT_EQ(report.at("source"), "dux");
    EXPECT_EQ(report.at("scope"), "full");
    const bool is_clean =
        is_complete(report) && count_of(report, "quarantined") == 0 && count_of(report, "withheld") == 0;
    EXPECT_EQ(outcome.exit_code == 0, is_clean);
    EXPECT_EQ(report.at("state") == "stopped" || report.at("state") == "failed", !report.at("error").is_null());
    EXPECT_TRUE(!is_complete(report) || report.at("pages_failed").as_array().empty());
    if (is_complete(report) && count_of(report, "passes") == 1) {
        EXPECT_EQ(count_of(report, "created") + count_of(report, "updated") + count_of(report, "unchanged") +
                      count_of(report, "quarantined"),
                  count_of(report, "read"));
    }
}

/// The counts of a whole day.
struct Counts {
    std::int64_t created = 0;
    std::int64_t updated = 0;
    std::int64_t deactivated = 0;

    void add(const json::object& report) {
        created += count_of(report, "created");
        updated += count_of(report, "updated");
        deactivated += count_of(report, "deactivated");
    }
};

class Week {
public:
    Week(const Week&) = delete;
    Week(int version, std::uint64_t seed, std::size_t articles)
        : with_({.seed = seed, .articles = articles, .server = {.version = version}}) {}

    void play() {
        day("Monday: all is new", [] {});
        day("Tuesday: the usual changes", [&] {
            shop().add(part(20));
            shop().remove(part(15));
            shop().rename(part(15));
            shop().reprice(part(4));
            shop().restock(part(4));
            server().refuse(DuxHint::seconds, std::chrono::seconds{1});
        });
        day("Wednesday: other rubros and brands, a page in maintenance, a cut one", [&] {
            shop().move_to_other_rubros(part(10));
            shop().rebrand(part(10));
            shop().rename_rubro(3, "Rubro 3, el nuevo");
            shop().rename_brand(4, "Marca 4 S.A.");
            shop().disable(part(30));
            server().fail(middle(), DuxFault::html);
            server().fail(middle(), DuxFault::cut_json);
            server().fail(middle(), DuxFault::cut_connection);
            server().fail(0, DuxFault::server_error);
        });
        day("Thursday: items that nobody can read, some of them twice", [&] {
            shop().spoil(part(20));
            shop().reprice(part(5));
            duplicates_ = part(12);
            server().fail(middle(), DuxFault::error_body);
            server().refuse(DuxHint::body, std::chrono::seconds{1});
        });
        day("Friday: the ERP refuses the key, has no plan, is away", [&] {
            shop().mend_all();
            shop().remove(part(20));
            shop().add(part(10));
            shop().restock(part(3));
            server().fail(middle(), DuxFault::unauthorized);
            server().fail(last(), DuxFault::forbidden);
            server().fail(middle(), DuxFault::silence);
        });
        day("Saturday: articles come and go while they are read", [&] {
            shop().rename(part(10));
            shop().reprice(part(10));
            move_while_reading();
        });
        EXPECT_THAT(server().violations(), IsEmpty());
    }

private:
    Shop& shop() { return with_.shop(); }
    DuxServer& server() { return with_.server(); }
    std::size_t size() { return shop().articles().size(); }
    std::size_t part(std::size_t of) { return std::max<std::size_t>(size() / of, 2); }
    std::size_t middle() { return size() / 2; }
    std::size_t last() { return size() - 1; }

    /// Before the page in the middle is read, its first item moves to the catalog's end and another goes for good.
    void move_while_reading() {
        const std::string gone = shop().articles().at(3).sku;
        server().before(middle(), [this, gone](json::array& items) {
            const json::value moved = items.at(middle() + 1);
            items.erase(items.begin() + static_cast<std::ptrdiff_t>(middle() + 1));
            items.push_back(moved);
            items.erase(std::ranges::find_if(
                items, [&](const json::value& item) { return item.at("cod_item") == json::value(gone); }));
        });
        gone_ = gone;
    }

    void day(const char* name, const std::function<void()>& changes) {
        SCOPED_TRACE(name);
        if (testing::Test::HasFailure()) return;
        const auto before = with_.rows();
        duplicates_ = 0;
        gone_.clear();
        changes();
        server().set_items(duplicates_ > 0 ? shop().items_with_duplicates(duplicates_) : shop().items());
        const Counts counts = run_until_complete();
        shop().forget(gone_);
        shop().scan();
        const auto after = with_.rows();
        EXPECT_EQ(difference(after, shop().rows()), "");
        expect_counts(counts, before, after);
        expect_quarantine();
    }

    Counts run_until_complete() {
        Counts counts;
        for (int run = 0; run < most_runs_a_day; ++run) {
            const Outcome outcome = with_.sync();
            const json::object report = outcome.json().as_object();
            counts.add(report);
            expect_report_adds_up(outcome, report);
            if (is_complete(report)) return counts;
            EXPECT_EQ(count_of(report, "deactivated"), 0) << "by a scan that did not see everything";
        }
        ADD_FAILURE() << "no run of the day is complete";
        return counts;
    }

    /// A row without its category, which a renamed rubro changes without the product.
    static std::string own_fields(std::string row) {
        std::size_t at = 0;
        for (int field = 0; field < 3; ++field)
            at = row.find('|', at) + 1;
        return row.erase(at, row.find('|', at) - at);
    }

    static void expect_counts(const Counts& counts, const std::map<std::string, std::string>& before,
                              const std::map<std::string, std::string>& after) {
        Counts seen;
        for (const auto& [sku, row] : after) {
            const auto found = before.find(sku);
            if (found == before.end())
                ++seen.created;
            else if (own_fields(found->second) != own_fields(row))
                ++seen.updated;
        }
        EXPECT_EQ(counts.created, seen.created);
        EXPECT_GE(counts.updated + counts.deactivated, seen.updated);
    }

    void expect_quarantine() {
        std::set<std::string> skus;
        auto db = with_.open();
        const auto result = db.exec(
            "SELECT sku, reason FROM decant.sync_quarantine WHERE run = (SELECT max(id) FROM decant.sync_runs)");
        for (int i = 0; i < result.rows(); ++i) {
            skus.emplace(result.text(i, 0));
            EXPECT_NE(result.text(i, 1), "");
        }
        EXPECT_EQ(skus, shop().spoilt());
    }

    DuxCase with_;
    std::size_t duplicates_ = 0;
    std::string gone_;  ///< the sku of what vanished while it was read
};

TEST(DuxDays, S1_S2_AWeekOfAShopEndsEachDayWithItsCatalog) {
    Week{1, 1, 160}.play();
}

TEST(DuxDays, S1_S2_AWeekOfAShopWithVersionTwoEndsEachDayWithItsCatalog) {
    Week{2, 2, 160}.play();
}

/// DUX_WEEKS (8) says how many, by chance, DUX_WEEK which alone.
TEST(LongDuxDays, S1_S2_WeeksOfLargeShopsEndEachDayWithTheirCatalogs) {
    const char* count = std::getenv("DUX_WEEKS");
    const char* alone = std::getenv("DUX_WEEK");
    const std::uint64_t first = alone == nullptr ? 1 : std::strtoull(alone, nullptr, 10);
    const std::uint64_t last = alone != nullptr ? first : count == nullptr ? 8 : std::strtoull(count, nullptr, 10);
    for (std::uint64_t seed = first; seed <= last && !HasFailure(); ++seed) {
        SCOPED_TRACE(fmt::format("DUX_WEEK={}", seed));
        Week{static_cast<int>(1 + seed % 2), seed, 1'000 + 500 * seed}.play();
    }
}

}  // namespace
}  // namespace decant::test
