#include "trace/feedback_sender.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <chrono>
#include <utility>

#include "catalog/uuid.hpp"
#include "core/error.hpp"
#include "core/json_members.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "pg/conninfo.hpp"
#include "pg/cut_on_stop.hpp"
#include "trace/detail/http_sink.hpp"
#include "trace/detail/named_uuid.hpp"

namespace decant::trace {
namespace {

// Of several requests with one id the last is meant, as in metrics over time.
constexpr std::string_view waiting_sql = R"sql(
SELECT f.id, f.caller, f.score, f.comment, r.id, r.trace_id,
       to_char(f.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), f.created_at,
       r.project
FROM decant.feedback f
JOIN LATERAL (SELECT r.id, r.trace_id, r.started_at, r.is_sampled, r.project FROM decant.trace_runs r
              WHERE f.subject = 'run' AND r.request_id = f.subject_id
                 OR f.subject = 'message' AND r.metadata->>'message_id' = f.subject_id
              ORDER BY r.started_at DESC LIMIT 1) r ON r.is_sampled
WHERE f.score IS NOT NULL AND (f.exported_at IS NULL OR f.exported_at < f.created_at) AND f.created_at > pg_catalog.now() - interval '1 day'
ORDER BY f.created_at DESC LIMIT 1000)sql";

// Who changed his mind meanwhile has to be told of again: created_at is then another, and later.
constexpr std::string_view exported_sql =
    "UPDATE decant.feedback SET exported_at = pg_catalog.now() WHERE id = $1::bigint AND created_at = $2::timestamptz";

constexpr std::string_view remedy = "Set LANGSMITH_API_KEY to a key that may write feedback.";
/// A run is there within a second or so, if all is well.
constexpr std::chrono::milliseconds first_pause{500};
constexpr std::chrono::milliseconds longest_pause{16'000};
constexpr std::chrono::milliseconds longest_pause_of_one{5 * 60'000};
/// Answers of 5xx in a row after which they are no matter of single feedbacks.
constexpr int most_failures = 3;

constexpr int not_found = 404;
constexpr int conflict = 409;
constexpr int too_early = 425;
constexpr int too_many_requests = 429;

std::string key_of(const pg::Result& rows, int row) {
    return fmt::format("{} {}", rows.text(row, 0), rows.text(row, 8));
}

json::object feedback_json(const pg::Result& rows, int row, const std::string& id) {
    const std::string run{rows.text(row, 4)};
    json::object body{{"id", id},
                      {"key", "user_score"},
                      {"score", rows.real(row, 2)},
                      {"run_id", run},
                      {"trace_id", std::string{rows.text(row, 5)}},
                      {"created_at", std::string{rows.text(row, 6)}},
                      {"modified_at", std::string{rows.text(row, 6)}},
                      {"start_time", std::string{rows.text(row, 7)}},
                      {"feedback_source", {{"type", "api"}, {"metadata", {{"__run", {{"run_id", run}}}}}}},
                      {"extend_trace_retention", false}};
    if (!rows.is_null(row, 3)) body["comment"] = std::string{rows.text(row, 3)};
    return body;
}

}  // namespace

FeedbackSender::FeedbackSender(const LangSmithSetup& setup, const std::string& conninfo)
    : client_(langsmith_service(setup)),
      conninfo_(pg::impatient(conninfo)),
      project_(setup.form.project),
      backoff_(first_pause, longest_pause),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

FeedbackSender::~FeedbackSender() {
    thread_.request_stop();
    thread_.join();
}

void FeedbackSender::look() {
    {
        const std::lock_guard lock{mutex_};
        has_news_ = true;
    }
    changed_.notify_one();
}

void FeedbackSender::run(const std::stop_token& stop) {
    std::chrono::milliseconds pause = first_pause;
    while (!stop.stop_requested()) {
        {
            std::unique_lock lock{mutex_};
            changed_.wait_for(lock, stop, pause, [&] { return has_news_; });
            changed_.wait_until(lock, stop, not_before_, [] { return false; });
            pause = has_news_ ? first_pause : std::min(2 * pause, longest_pause);
            has_news_ = false;
        }
        if (stop.stop_requested()) return;
        try {
            if (!db_) db_.emplace(pg::Connection::open(conninfo_));
            const pg::CutOnStop cut{*db_, stop};
            if (!send_all(stop)) return;
        } catch (const Error& error) {
            // Whoever asks the server is told that the database is away; the feedback is in it, and stays.
            log::debug("feedback is told to LangSmith later: {}", printable(error.happened()));
            db_.reset();
        }
    }
}

/// The id of a project, which newer servers want with feedback; empty: it is not to be had. What LangSmith said is not
/// asked for again, at this look where that is none.
std::string FeedbackSender::session_of(const std::string& project) {
    if (const auto known = sessions_.find(project); known != sessions_.end()) return known->second;
    try {
        const net::HttpResponse response =
            client_.send({.path = "/sessions?limit=1&name=" + net::url_segment(project), .tries = 1});
        if (!response.is_ok() && response.status != not_found) return {};
        std::string& id = sessions_[project];
        boost::system::error_code failed;
        const json::value found = json::parse(response.body, failed);
        if (failed || !found.is_array() || found.get_array().empty()) return {};
        const json::value& session = found.get_array().front();
        const auto told = session.is_object() ? text_member(session.get_object(), "id") : std::nullopt;
        if (told && catalog::parse_uuid(*told)) id = *told;
        return id;
    } catch (const Error& error) {
        log::debug("LangSmith does not tell the id of a project: {}", printable(error.happened()));
        return {};
    }
}

/// False where nothing will ever be taken.
bool FeedbackSender::send_all(const std::stop_token& stop) {
    client_.limit({.stop = stop, .tries = 1});
    std::erase_if(sessions_, [](const auto& asked) { return asked.second.empty(); });
    const pg::Result rows = db_->query(waiting_sql, {});
    for (const int row : due_rows(rows)) {
        const Delivery delivery = send(rows, row, stop);
        if (delivery.outcome == Outcome::forbidden) {
            log::error("no more feedback is sent to LangSmith: {}", printable(delivery.reason));
            return false;
        }
        const bool is_asked_to_wait = delivery.status == too_early || delivery.status == too_many_requests;
        if (delivery.outcome == Outcome::later && !is_asked_to_wait) put_off(key_of(rows, row));
        if (!may_go_on(delivery)) return true;
        if (delivery.outcome == Outcome::later) continue;
        if (delivery.outcome == Outcome::refused)
            log::warning("LangSmith does not take a feedback: {}", printable(delivery.reason));
        db_->query(exported_sql, {std::string{rows.text(row, 0)}, std::string{rows.text(row, 8)}});
    }
    return true;
}

/// Those that failed least often first. What failed before and is not among `rows` any more is forgotten.
std::vector<int> FeedbackSender::due_rows(const pg::Result& rows) {
    std::map<std::string, PutOff> known = std::exchange(put_off_, {});
    std::vector<std::pair<std::chrono::milliseconds, int>> due;
    for (int row = 0; row < rows.rows(); ++row) {
        auto failed = known.extract(key_of(rows, row));
        const PutOff own = failed ? failed.mapped() : PutOff{};
        if (failed) put_off_.insert(std::move(failed));
        if (own.until <= Clock::now()) due.emplace_back(own.pause, row);
    }
    std::ranges::sort(due);
    std::vector<int> in_order;
    for (const auto& [pause, row] : due)
        in_order.push_back(row);
    return in_order;
}

Delivery FeedbackSender::send(const pg::Result& rows, int row, const std::stop_token& stop) {
    const std::string id =
        detail::named_uuid(fmt::format("decant feedback\n{}\n{}", rows.text(row, 4), rows.text(row, 1)));
    json::object told = feedback_json(rows, row, id);
    const std::string session = session_of(rows.optional_text(row, 9).value_or(project_));
    if (!session.empty()) told["session_id"] = session;
    const std::string body = json_text(told);
    Delivery delivery = detail::send_once(client_, {.path = "/feedback", .body = body}, stop, remedy);
    if (delivery.status != conflict) return delivery;
    return detail::send_once(client_, {.path = "/feedback/" + id, .body = body, .method = "PATCH"}, stop, remedy);
}

void FeedbackSender::put_off(const std::string& feedback) {
    PutOff& own = put_off_[feedback];
    own.pause = std::clamp(2 * own.pause, first_pause, longest_pause_of_one);
    own.until = Clock::now() + own.pause;
}

/// Else LangSmith is away, or wants to be left alone for a while.
bool FeedbackSender::may_go_on(const Delivery& delivery) {
    // Where the run is not found it is on its way: by then the feedback will be taken.
    const bool is_well = delivery.outcome != Outcome::later || delivery.status == not_found;
    if (is_well) {
        failures_ = 0;
        backoff_.reset();
        return true;
    }
    ++failures_;
    const bool may_be_of_one = delivery.status >= 500 && delivery.wait.count() == 0;
    if (may_be_of_one && failures_ < most_failures) return true;
    log::debug("feedback is told to LangSmith later: {}", printable(delivery.reason));
    not_before_ = Clock::now() + backoff_.next(delivery.wait);
    return false;
}

}  // namespace decant::trace
