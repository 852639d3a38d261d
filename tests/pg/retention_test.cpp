// Rows that are kept for a time.

#include "api/retention.hpp"

#include <atomic>

#include "core/error.hpp"
#include "store/search_events.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;

TEST(Retention, RemovesWhatIsTooOldAtTheStartAndInEveryRoundWhateverFailsBesides) {
    const SchemaCase with;
    std::atomic<int> failed{0};
    const auto put = [&] {
        with.exec(
            "INSERT INTO decant.search_events (created_at, kind, milliseconds) VALUES (now() - interval '31 days', "
            "'search', 1), (now(), 'search', 2)");
    };
    const auto is_pruned = [&] {
        return with.value(
                   "SELECT count(*) FILTER (WHERE milliseconds = 1) = 0 AND count(*) > 0 FROM "
                   "decant.search_events") == "t";
    };
    put();
    const api::Retention retention{
        with.decant().conninfo(),
        {{.name = "nothing",
          .prune = [&](pg::Connection&) -> std::uint64_t {
              ++failed;
              throw Error{ErrorCode::timed_out, "locked", ""};
          }},
         {.name = "search events", .prune = [](pg::Connection& db) { return store::prune_search_events(db, 30); }}},
        50ms};
    EXPECT_TRUE(eventually(10s, is_pruned));
    put();
    EXPECT_TRUE(eventually(10s, is_pruned));
    EXPECT_GE(failed, 2);
}

}  // namespace
}  // namespace decant::test
