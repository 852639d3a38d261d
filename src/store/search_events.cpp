#include "store/search_events.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/json_members.hpp"
#include "pg/conninfo.hpp"
#include "pg/cut_on_stop.hpp"

namespace decant::store {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_a_write = 1'000;
/// After a connection that could not be made.
constexpr auto reconnect_pause = 1s;
/// Of the end of the process with what is left to write.
constexpr auto patience = 1s;
/// A server that stands still must not keep the process from ending.
constexpr std::string_view begin_sql = "BEGIN; SET LOCAL statement_timeout = '2s'";

// The age in the place of the time: the clocks of the two machines may differ.
constexpr std::string_view insert_sql = R"sql(
INSERT INTO decant.search_events (created_at, kind, run_id, strategy, strategy_used, milliseconds, understand_ms, embed_ms,
                                  search_ms, answer_ms, results, best_similarity, mean_similarity, threshold, degraded,
                                  error, question, experiment, arm, unit, teams, overlap, message_id)
SELECT pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => age), kind, nullif(run_id, ''),
       nullif(strategy, ''), nullif(used, ''), milliseconds, understand_ms, embed_ms, search_ms, answer_ms, results,
       best_similarity, mean_similarity, threshold, degraded, nullif(error, ''), nullif(question, ''),
       nullif(experiment, ''), nullif(arm, ''), nullif(unit, ''), nullif(teams, '')::jsonb, overlap,
       nullif(message_id, '')
FROM json_to_recordset($1::json) AS e (
    age float8, kind text, run_id text, strategy text, used text, milliseconds float8, understand_ms float8,
    embed_ms float8, search_ms float8, answer_ms float8, results int, best_similarity float8, mean_similarity float8,
    threshold float8, degraded bool, error text, question text, experiment text, arm text, unit text, teams text,
    overlap float8, message_id text))sql";

constexpr std::string_view prune_sql = R"sql(
DELETE FROM decant.search_events WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM decant.search_events WHERE created_at < pg_catalog.now() - pg_catalog.make_interval(days => $1::int)
      AND NOT EXISTS (SELECT FROM decant.experiments x WHERE x.name = experiment AND x.stopped_at IS NULL)
    LIMIT 10000)))sql";

/// PostgreSQL takes no NUL.
std::string without_nul(std::string text) {
    std::ranges::replace(text, '\0', ' ');
    return text;
}

json::object json_of(const SearchEvent& event) {
    return {{"kind", search_kind_names[event.kind]},
            {"run_id", without_nul(event.run_id)},
            {"strategy", event.strategy},
            {"used", event.used},
            {"milliseconds", event.milliseconds},
            {"understand_ms", or_null(event.understand_ms)},
            {"embed_ms", or_null(event.embed_ms)},
            {"search_ms", or_null(event.search_ms)},
            {"answer_ms", or_null(event.answer_ms)},
            {"results", event.results},
            {"best_similarity", or_null(event.best_similarity)},
            {"mean_similarity", or_null(event.mean_similarity)},
            {"threshold", or_null(event.threshold)},
            {"degraded", event.degraded},
            {"error", event.error},
            {"question", without_nul(event.question)},
            {"experiment", event.exposure.experiment},
            {"arm", event.exposure.arm},
            {"unit", event.exposure.unit},
            {"teams", event.exposure.teams},
            {"overlap", or_null(event.exposure.overlap)},
            {"message_id", event.exposure.message_id}};
}

}  // namespace

SearchEvents::SearchEvents(SearchEventsSetup setup)
    : setup_(std::move(setup)),
      conninfo_(pg::impatient(setup_.conninfo)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

SearchEvents::~SearchEvents() {
    thread_.request_stop();
    {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, patience, [this] { return has_ended_; });
    }
    hard_stop_.request_stop();
    thread_.join();
}

void SearchEvents::record(SearchEvent event) {
    if (!setup_.keeps_questions) event.question.clear();
    bool is_first = false;
    {
        const std::lock_guard lock{mutex_};
        ++counts_.recorded;
        if (waiting_.size() >= setup_.most_waiting) {
            ++counts_.dropped;
            return;
        }
        is_first = waiting_.empty();
        waiting_.push_back({std::move(event), Clock::now()});
    }
    if (is_first) changed_.notify_one();
}

SearchEvents::Counts SearchEvents::counts() const {
    const std::lock_guard lock{mutex_};
    return counts_;
}

std::vector<SearchEvents::Waiting> SearchEvents::take() {
    const std::lock_guard lock{mutex_};
    const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), most_a_write));
    std::vector<Waiting> batch{std::make_move_iterator(waiting_.begin()),
                               std::make_move_iterator(waiting_.begin() + count)};
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    return batch;
}

void SearchEvents::run(const std::stop_token& stop) {
    const auto pause = [&](std::chrono::milliseconds span) {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, stop, span, [] { return false; });
    };
    while (!stop.stop_requested()) {
        {
            std::unique_lock lock{mutex_};
            if (!changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) break;
        }
        pause(setup_.pause);
        if (connect())
            write(take());
        else
            pause(reconnect_pause);
    }
    for (std::vector<Waiting> rest = take(); !rest.empty() && connect(); rest = take())
        write(rest);
    {
        const std::lock_guard lock{mutex_};
        has_ended_ = true;
    }
    changed_.notify_all();
}

bool SearchEvents::connect() {
    if (db_) return true;
    try {
        db_.emplace(pg::Connection::open(conninfo_));
    } catch (const Error&) {
        // Whoever searches is told that the database is away; here it shows in what is dropped.
        db_.reset();
    }
    return db_.has_value();
}

void SearchEvents::write(const std::vector<Waiting>& batch) {
    const auto now = Clock::now();
    json::array rows;
    for (const Waiting& one : batch) {
        json::object row = json_of(one.event);
        row["age"] = std::chrono::duration<double>(now - one.at).count();
        rows.push_back(std::move(row));
    }
    bool is_written = true;
    try {
        const pg::CutOnStop cut{*db_, hard_stop_.get_token()};
        pg::Transaction tx{*db_, begin_sql};
        db_->query(insert_sql, {json_text(rows)});
        tx.commit();
    } catch (const Error& error) {
        // It may have been written all the same, so it is not tried again.
        is_written = false;
        if (error.is_retryable()) db_.reset();
    }
    const std::lock_guard lock{mutex_};
    (is_written ? counts_.written : counts_.dropped) += batch.size();
}

std::uint64_t prune_search_events(pg::Connection& db, int days) {
    std::uint64_t removed = 0;
    for (std::uint64_t step = 1; step > 0; removed += step)
        step = db.query(prune_sql, {std::to_string(days)}).affected();
    return removed;
}

}  // namespace decant::store
