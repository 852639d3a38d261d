#include "sync/record_sync.hpp"

#include <chrono>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "store/sync_store.hpp"
#include "sync/deactivation.hpp"
#include "sync/intake.hpp"
#include "sync/sync_lock.hpp"

namespace decant::sync {
namespace {

class RecordRun {
public:
    RecordRun(const Settings& settings, pg::Connection& db, const RecordRequest& request, std::string token)
        : settings_(settings), db_(db), store_(db), request_(request), token_(std::move(token)) {
        report_.source = request.source;
        report_.scope = request.max ? "partial" : request.is_full ? "full" : "incremental";
    }

    SyncReport run() {
        const auto start = std::chrono::steady_clock::now();
        if (!request_.dry_run) begin();
        try {
            read_all();
        } catch (const Error& error) {
            report_.state = "failed";
            report_.error_code = traits_of(error.code()).name;
            report_.error = error.happened() + ". " + error.remedy();
            finish_if_possible(start);
            throw;
        }
        finish(start);
        return report_;
    }

private:
    void begin() {
        const store::SyncRun run{.source = request_.source, .origin = request_.origin, .scope = report_.scope};
        // Of no origin at all: runs that did not end are over, since records are read from their start.
        store_.unfinished({.source = request_.source, .origin = "", .scope = ""});
        report_.run = store_.begin(run, token_, std::nullopt).value();
        report_.started_at = store_.runs(1).front().started_at;
    }

    void read_all() {
        Intake intake{db_, {.id = report_.run, .token = token_, .owns_products = false}};
        report_.state = read_pages(intake) ? "complete" : "cancelled";
        if (report_.state == "complete" && report_.scope == "full" && report_.run != 0)
            deactivate_vanished(db_, settings_, token_, report_);
    }

    /// False: somebody asked for the end.
    bool read_pages(Intake& intake) {
        SyncCursor& end = report_.end;
        while (auto page = request_.next()) {
            SyncCursor cursor = end;
            ++cursor.counts.pages;
            cursor.offset = page->offset + page->items.size();
            cursor.total = cursor.offset;
            for (Incoming& item : page->items)
                if (request_.is_full && !item.product.active) item.product.active = true;
            std::vector<Page> pages;
            pages.push_back(std::move(*page));
            const bool is_end_asked = intake.take(pages, cursor);
            end = std::move(cursor);
            if (is_end_asked || interrupted()) return false;
            if (request_.max && end.counts.read >= *request_.max) break;
        }
        return true;
    }

    void finish(std::chrono::steady_clock::time_point start) {
        const std::chrono::duration<double> span = std::chrono::steady_clock::now() - start;
        report_.seconds = span.count();
        if (report_.run == 0) return;
        store_.finish(report_.run, token_, report_.state, report_.to_json());
        store_.prune();
    }

    void finish_if_possible(std::chrono::steady_clock::time_point start) {
        try {
            finish(start);
        } catch (const Error& again) {
            // Why the run ends is what the caller must know. Its row tells no more than that it was interrupted.
            log::info("{}: run {} is left as it was: {}", report_.source, report_.run, again.happened());
        }
    }

    const Settings& settings_;
    pg::Connection& db_;
    store::SyncStore store_;
    const RecordRequest& request_;
    std::string token_;
    SyncReport report_;
};

}  // namespace

SyncReport sync_records(const Settings& settings, const std::string& conninfo, const RecordRequest& request) {
    const SyncLock lock{conninfo};
    pg::Connection db = pg::Connection::open(conninfo);
    return RecordRun{settings, db, request, lock.token()}.run();
}

}  // namespace decant::sync
