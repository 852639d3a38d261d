#include "sync/dux_sync.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "core/bounded_queue.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "store/sync_store.hpp"
#include "sync/deactivation.hpp"
#include "sync/dux_client.hpp"
#include "sync/intake.hpp"
#include "sync/sync_lock.hpp"

namespace decant::sync {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::string_view source_name = "dux";
constexpr int most_passes = 3;
constexpr int most_failed_first = 3;
constexpr std::size_t most_ahead = 8UL << 20U;  ///< bytes of pages that wait for the database
constexpr std::size_t most_items = 2'000;       ///< of a transaction, where pages come faster than they are written

constexpr std::string_view since_sql =
    "SELECT to_char(max(started_at) - interval '1 day', 'YYYY-MM-DD') FROM decant.sync_runs "
    "WHERE source = 'dux' AND state = 'complete' AND scope IN ('full', 'incremental')";
constexpr std::string_view is_full_due_sql =
    "SELECT coalesce(max(started_at) < now() - $1 * interval '1 hour', true) FROM decant.sync_runs "
    "WHERE source = 'dux' AND state = 'complete' AND scope = 'full'";

/// The pages of a pass from an offset on, read ahead on a thread of its own.
class PageReader {
public:
    /// `end` stops the client, where its pages are not wanted to the end of the pass.
    PageReader(DuxClient& client, const SyncCursor& from, std::stop_source& end)
        : client_(client), end_(end), total_(from.total), thread_([this, offset = from.offset] { read(offset); }) {}
    ~PageReader() {
        if (!is_read_) end_.request_stop();
        pages_.close();
    }
    PageReader(const PageReader&) = delete;
    PageReader& operator=(const PageReader&) = delete;

    /// None: the pass ends.
    std::optional<Page> next() {
        std::optional<Page> page = pages_.pop();
        is_read_ = !page;
        return page;
    }
    std::optional<Page> next_if_there() { return pages_.try_pop(); }

private:
    void read(std::uint64_t offset) {
        try {
            while (true) {
                Page page = client_.page(offset);
                failpoint("sync.page_read");
                const std::optional<std::uint64_t> following = offset_after(page);
                std::size_t bytes = 0;
                for (const Incoming& item : page.items)
                    bytes += item.raw.size() * 2;
                if (!page.fault.empty()) bytes = 1;
                if (!pages_.push(std::move(page), bytes) || !following) break;
                offset = *following;
            }
            pages_.close();
        } catch (...) {
            pages_.fail_at_end(std::current_exception());
        }
    }

    /// Pages share a row, so that a shift between two of them is seen.
    std::optional<std::uint64_t> offset_after(const Page& page) {
        const std::size_t limit = client_.setup().page_items;
        if (!page.fault.empty()) {
            // How far it goes is known by a page before; without one it is asked a little further.
            const bool goes_on = total_ > 0 ? total_ > page.offset + limit : ++failed_first_ < most_failed_first;
            return goes_on ? std::optional{page.offset + limit} : std::nullopt;
        }
        total_ = page.total;
        const std::uint64_t end = page.offset + page.items.size();
        if (page.items.empty() || end >= page.total) return std::nullopt;
        return page.items.size() > 1 ? end - 1 : end;
    }

    DuxClient& client_;
    std::stop_source& end_;
    bool is_read_ = false;
    int failed_first_ = 0;  ///< pages before there was a good one
    std::uint64_t total_;   ///< 0: not known yet
    BoundedQueue<Page> pages_{most_ahead};
    std::jthread thread_;
};

/// Whether a page goes on where the one before ended; drops the row that both have.
void join_pages(Page& page, SyncCursor& cursor, std::size_t limit) {
    if (!page.fault.empty()) {
        log::warning("dux: the page at offset {} is given up: {}", page.offset, page.fault);
        cursor.pages_failed.push_back(page.offset);
        cursor.is_consistent = false;
        cursor.last_key.clear();
        cursor.offset = page.offset + limit;
        return;
    }
    ++cursor.counts.pages;
    if (page.offset > 0 && cursor.total > 0 && page.total != cursor.total) cursor.is_consistent = false;
    cursor.total = page.total;
    const std::uint64_t end = page.offset + page.items.size();
    const std::string last = page.items.empty() ? std::string{} : page.items.back().key;
    if (!cursor.last_key.empty()) {
        if (!page.items.empty() && page.items.front().key == cursor.last_key)
            page.items.erase(page.items.begin());
        else
            cursor.is_consistent = false;
    }
    if (page.items.empty() && end < page.total) cursor.is_consistent = false;
    cursor.offset = end < page.total && end > page.offset + 1 ? end - 1 : end;
    cursor.last_key = cursor.offset + 1 == end ? last : std::string{};
}

class DuxRun {
public:
    struct Place {
        pg::Connection& db;
        std::string token;  ///< of the lock
        std::stop_token stop;
    };
    DuxRun(const Settings& settings, const DuxRequest& request, Place place)
        : settings_(settings),
          db_(place.db),
          store_(place.db),
          request_(request),
          setup_(DuxSetup::from(settings)),
          stop_(std::move(place.stop)),
          token_(std::move(place.token)) {
        report_.source = source_name;
    }

    std::optional<SyncReport> run() {
        const auto start = Clock::now();
        if (!begin()) return std::nullopt;
        failpoint("sync.run_begun");
        try {
            read_all();
        } catch (const Error& error) {
            if (!is_stopped_by(error)) {
                finish_if_possible(error, start);
                throw;
            }
        }
        if (!request_.dry_run) {
            finish(start);
            store_.prune();
        } else {
            set_span(start);
            // It leaves no note of its last request, so the next run's turn has come when this one ends.
            sleep_unless_interrupted(setup_.interval, stop_);
        }
        failpoint("sync.finished");
        return report_;
    }

private:
    /// False: another run of that hour is there.
    bool begin() {
        const bool is_full = setup_.version == 1 || request_.full || is_full_due();
        report_.scope = request_.max ? "partial" : is_full ? "full" : "incremental";
        if (report_.scope == "incremental") since_ = db_.exec(since_sql).optional_text(0, 0);
        if (request_.dry_run) return true;
        store::SyncRun like{.source = std::string{source_name}, .origin = setup_.url.text(), .scope = report_.scope};
        if (const auto before = store_.unfinished(like)) {
            report_.run = before->id;
            report_.started_at = before->started_at;
            if (!before->cursor.empty()) report_.end = SyncCursor::from_json(before->cursor);
            store_.take_over(report_.run, token_, report_.scope);
            log::info("dux: run {} goes on at offset {}", report_.run, report_.end.offset);
            return true;
        }
        const auto id = store_.begin(like, token_, request_.due_at);
        if (!id) return false;
        report_.run = *id;
        report_.started_at = store_.runs(1).front().started_at;
        return true;
    }

    void set_span(Clock::time_point start) {
        const std::chrono::duration<double> span = Clock::now() - start;
        report_.seconds = span.count();
    }

    void finish(Clock::time_point start) {
        set_span(start);
        store_.finish(report_.run, token_, report_.state, report_.to_json());
    }

    /// What passes by itself, as a deadlock or a server that restarts, is gone on with.
    void finish_if_possible(const Error& error, Clock::time_point start) {
        if (request_.dry_run) return;
        note_error(error, error.is_retryable());
        try {
            finish(start);
        } catch (const Error& again) {
            // Why the run ends is what the caller must know. Its row tells no more than that it was interrupted.
            log::info("dux: run {} is left as it was: {}", report_.run, again.happened());
        }
    }

    void note_error(const Error& error, bool goes_on) {
        report_.state = goes_on ? "stopped" : "failed";
        report_.error_code = traits_of(error.code()).name;
        report_.error = error.happened() + ". " + error.remedy();
    }

    bool is_full_due() {
        const std::string hours = settings_.get("DUX_FORCE_SYNC_THRESHOLD_HOURS").value_or("24");
        return db_.query(is_full_due_sql, {hours}).boolean(0, 0);
    }

    milliseconds since_last_request() {
        const std::optional<double> seconds = store_.seconds_since_request(std::string{source_name});
        constexpr double longest = 1e6;
        return seconds ? milliseconds{static_cast<std::int64_t>(std::clamp(*seconds, 0.0, longest) * 1000)}
                       : setup_.interval;
    }

    void read_all() {
        DuxClient client{setup_, since_last_request(), end_.get_token()};
        if (since_) client.only_since(*since_);
        Intake intake{db_, {.id = report_.run, .token = token_}};
        while (true) {
            if (!read_pass(client, intake)) {
                report_.state = "cancelled";
                return;
            }
            failpoint("sync.pass_ended");
            SyncCursor& end = report_.end;
            const bool is_whole = report_.scope != "partial";
            end.is_consistent = end.is_consistent && is_pass_consistent();
            if (!is_whole || end.is_consistent || !end.pages_failed.empty() || end.pass == most_passes ||
                request_.dry_run)
                break;
            log::info("dux: the catalog changed while it was read: pass {} follows", end.pass + 1);
            begin_next_pass();
        }
        report_.state = report_.end.pages_failed.empty() ? "complete" : "incomplete";
        if (report_.scope == "full" && report_.end.is_consistent && !request_.dry_run)
            deactivate_vanished(db_, settings_, token_, report_);
        if (report_.scope != "partial" && !report_.end.is_consistent) report_.state = "incomplete";
    }

    bool is_pass_consistent() const {
        const SyncCursor& end = report_.end;
        const bool repeats =
            end.counts.duplicates == 0 || (end.pass > 1 && end.counts.duplicates == end.duplicates_before);
        return repeats && end.counts.read == end.total;
    }

    void begin_next_pass() {
        SyncCursor& end = report_.end;
        const SyncCounts done = end.counts;
        end = {.pass = end.pass + 1, .duplicates_before = done.duplicates};
        end.counts.created = done.created;
        end.counts.updated = done.updated;
        end.counts.pages = done.pages;
        pg::Transaction transaction{db_};
        store_.forget_seen(report_.run);
        store_.forget_quarantined(report_.run);  // they come again
        store_.save_page(report_.run, token_, {.seen = {}, .items = {}, .quarantined = {}, .cursor = end.to_json()});
        transaction.commit();
    }

    /// False: somebody asked for the end.
    bool read_pass(DuxClient& client, Intake& intake) {
        SyncCursor& end = report_.end;
        const bool is_done = end.total > 0 && end.offset >= end.total;
        if (is_done) return true;  // all but what follows a pass was done by the process before
        PageReader reader{client, end, end_};
        while (auto page = reader.next()) {
            SyncCursor cursor = end;
            std::vector<Page> pages;
            std::size_t items = 0;
            do {
                join_pages(*page, cursor, setup_.page_items);
                items += page->items.size();
                pages.push_back(std::move(*page));
                page = items < most_items ? reader.next_if_there() : std::nullopt;
            } while (page);
            const bool is_end_asked = intake.take(pages, cursor);
            end = std::move(cursor);
            if (request_.on_page) request_.on_page(end);
            if (is_end_asked) return false;
            if (interrupted() || stop_.stop_requested())
                throw Error{ErrorCode::cancelled, "The sync was interrupted",
                            "Run it again: it goes on where this one ended."};
            if (request_.max && end.counts.read >= *request_.max) return true;
        }
        return true;
    }

    /// False: it is no failure of the source.
    bool is_stopped_by(const Error& error) {
        const bool is_away = error.code() == ErrorCode::source_unavailable || error.code() == ErrorCode::cancelled;
        const bool is_source = is_away || error.code() == ErrorCode::unauthenticated ||
                               error.code() == ErrorCode::forbidden || error.code() == ErrorCode::source_unreadable;
        if (!is_source) return false;
        note_error(error, is_away);
        return true;
    }

    const Settings& settings_;
    pg::Connection& db_;
    store::SyncStore store_;
    const DuxRequest& request_;
    DuxSetup setup_;
    std::stop_token stop_;
    std::stop_source end_;
    std::stop_callback<std::function<void()>> on_stop_{stop_, [this] { end_.request_stop(); }};
    std::string token_;
    std::optional<std::string> since_;
    SyncReport report_;
};

}  // namespace

std::optional<SyncReport> sync_dux(const Settings& settings, const std::string& conninfo, const DuxRequest& request,
                                   std::stop_token stop) {
    const SyncLock lock{conninfo};
    pg::Connection db = pg::Connection::open(conninfo);
    return DuxRun{settings, request, {.db = db, .token = lock.token(), .stop = std::move(stop)}}.run();
}

}  // namespace decant::sync
