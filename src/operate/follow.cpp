#include "operate/follow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "chroma/directory.hpp"
#include "core/elapsed.hpp"
#include "core/failpoint.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/quantity_text.hpp"
#include "core/utf8.hpp"
#include "migrate/run_store.hpp"
#include "migrate/target_lock.hpp"
#include "operate/delta.hpp"
#include "operate/follow_store.hpp"

namespace decant::operate {
namespace {

using chroma::QueuePosition;

constexpr std::string_view why_purged =
    "rows of the queue were purged before they were seen, or the directory was restored";
constexpr std::string_view why_moved = "vectors moved into the index, which rounds those of a cosine collection";

class Follower {
public:
    Follower(const FollowRequest& request, const FollowObserver& observer) : request_(request), observer_(observer) {
        request_.copy.prune = true;
        if (request_.copy.source.is_server()) {
            throw Error{ErrorCode::request_invalid, "A Chroma server does not show its queue, so it cannot be followed",
                        "Follow the server's directory, or run `decant copy --prune` on a schedule."};
        }
    }

    void run() {
        while (!interrupted()) {
            try {
                step();
            } catch (const Error& error) {
                if (error.code() == ErrorCode::cancelled && interrupted() && is_begun_) return;
                // Busy: Chroma writes for long, or another command holds the table.
                const bool may_pass = error.is_retryable() || error.code() == ErrorCode::source_changed ||
                                      error.code() == ErrorCode::busy;
                if (!may_pass || !is_begun_) throw;
                observer_.copy.end_phase();
                observer_.on_failure(error);
                is_in_doubt_ = true;
            }
            sleep_unless_interrupted(request_.interval);
        }
    }

private:
    void step() {
        if (!is_begun_) begin();
        if (is_in_doubt_) read_position();
        if (!position_) {
            pass_over_all("", start_);
        } else if (has_changed()) {
            pass();
        }
    }

    /// Finds the collection, its table, and where an earlier process was.
    void begin() {
        const chroma::Directory source = chroma::Directory::open(request_.copy.source.from);
        collection_ = chroma::find_collection(source, request_.copy.collection);
        request_.copy.collection = {.tenant = {}, .database = {}, .name = collection_.id};
        if (request_.copy.target.table.empty()) request_.copy.target.table = collection_.name;
        start_ = source.changes_since(collection_, {}).now;
        read_position();
        is_begun_ = position_.has_value();
    }

    void read_position() {
        pg::Connection db = pg::Connection::open(request_.copy.conninfo);
        position_.reset();
        if (migrate::RunStore{db}.is_prepared()) {
            FollowStore store = store_in(db);
            store.prepare();
            if (migrate::table_exists(db, table()))
                position_ = store.position();
            else
                store.forget();
        }
        is_in_doubt_ = false;
    }

    /// True too where a look is not enough to tell, as after the death of a writer.
    bool has_changed() {
        try {
            const std::string& from = request_.copy.source.from;
            return chroma::Directory::look_for_changes(from, collection_, *position_, pickle_).now != *position_;
        } catch (const Error& error) {
            if (error.code() != ErrorCode::source_unreadable) throw;
            return true;
        }
    }

    void pass() {
        const auto start = std::chrono::steady_clock::now();
        const chroma::Directory source = chroma::Directory::open(request_.copy.source.from);
        const chroma::QueueChanges changes = source.changes_since(collection_, *position_);
        if (changes.now == *position_) return;
        if (!changes.is_whole) return pass_over_all(why_purged, changes.now);
        const bool has_moved = changes.now.applied != position_->applied;
        if (has_moved && collection_.space == chroma::Space::cosine) return pass_over_all(why_moved, changes.now);

        const std::unique_ptr<chroma::RecordReader> reader = source.read_some(collection_, changes.ids);
        // Of the reader's state for certain: it notices what is written after it was opened.
        if (source.changes_since(collection_, *position_).now != changes.now)
            throw Error{ErrorCode::source_changed, "The directory was written while it was read", "Try again."};
        require_whole(*reader, changes.ids);
        apply(*reader, changes, start);
    }

    /// A record that changed and cannot be had is not passed over: nobody would look at it again.
    void require_whole(const chroma::RecordReader& reader, const std::vector<std::string>& ids) const {
        for (const chroma::LostRecord& lost : reader.lost()) {
            if (!std::ranges::binary_search(ids, lost.id)) continue;
            if (!request_.copy.allow_partial) {
                throw Error{ErrorCode::source_unreadable,
                            fmt::format("Record '{}' of collection {} changed and cannot be had whole ({})",
                                        printable(lost.id), collection_.id, lost.reason),
                            "See all with `decant inspect DIRECTORY --list-lost`; leave them as they are with "
                            "--allow-partial. The table stays at what was applied before."};
            }
            log::warning("record '{}' changed and cannot be had: {}", printable(lost.id), lost.reason);
        }
    }

    void apply(chroma::RecordReader& reader, const chroma::QueueChanges& changes,
               std::chrono::steady_clock::time_point start) {
        const migrate::TargetLock lock{request_.copy.conninfo, table()};
        pg::Connection db = pg::Connection::open(request_.copy.conninfo);
        const migrate::RowShape shape = shape_of(db);
        failpoint("follow.pass_begun");
        pg::Transaction tx{db};
        DeltaCounts counts;
        {
            migrate::PageStream pages{reader, shape, request_.copy.page, false};
            counts = apply_delta(db, {.table = table(), .ids = changes.ids, .lost = reader.lost()}, pages);
        }
        store_in(db).save(position_, changes.now);
        failpoint("follow.position_written");
        tx.commit();
        position_ = changes.now;
        failpoint("follow.pass_committed");
        for (const migrate::Reject& reject : counts.rejects)
            log::warning("record '{}' cannot be a row: {}", printable(reject.id), reject.reason);
        observer_.on_pass({.number = ++passes_,
                           .seq_id = changes.now.newest,
                           .inserted = counts.inserted,
                           .updated = counts.updated,
                           .deleted = counts.deleted,
                           .unchanged = counts.unchanged,
                           .rejected = counts.rejects.size(),
                           .seconds = milliseconds_since(start) / 1000});
    }

    /// `before` is a position from before it: what happens meanwhile is seen again, which does no harm.
    void pass_over_all(std::string_view why, const QueuePosition& before) {
        const auto start = std::chrono::steady_clock::now();
        migrate::CopyRequest request = request_.copy;
        if (position_) request.verify = false;
        const migrate::CopyReport report = migrate::copy_collection(request, observer_.copy);
        if (report.is_empty) return;
        pg::Connection db = pg::Connection::open(request_.copy.conninfo);
        FollowStore store = store_in(db);
        store.prepare();
        store.save(position_, before);
        if (position_)
            store.keep_run(report.run_id);
        else
            observer_.on_copied(report);
        is_begun_ = true;
        position_ = before;
        observer_.on_pass({.number = ++passes_,
                           .is_full = true,
                           .why_full = std::string{why},
                           .seq_id = before.newest,
                           .inserted = report.counts.copied,
                           .updated = report.counts.updated,
                           .deleted = report.counts.pruned,
                           .unchanged = report.counts.unchanged,
                           .rejected = report.counts.rejected,
                           .seconds = milliseconds_since(start) / 1000});
    }

    const migrate::TableName& table() const { return request_.copy.target; }
    FollowStore store_in(pg::Connection& db) const { return {db, table(), collection_.id}; }

    /// Of the run that made the table.
    migrate::RowShape shape_of(pg::Connection& db) const {
        const auto run = migrate::RunStore{db}.origin(table().schema, table().table);
        if (run && run->collection_id == collection_.id && migrate::has_row_shape(db, table(), run->shape))
            return run->shape;
        throw Error{ErrorCode::conflict, fmt::format("Table {} is not what was followed any more", table().shown()),
                    "Give the followed copy a table of its own with --to NAME."};
    }

    FollowRequest request_;
    const FollowObserver& observer_;
    chroma::Collection collection_;
    chroma::PickleLook pickle_;
    QueuePosition start_;                    ///< of the source when it was first opened
    std::optional<QueuePosition> position_;  ///< of the table
    bool is_in_doubt_ = false;               ///< a commit may have come through or not
    bool is_begun_ = false;                  ///< there is a table, and where it stands is known
    std::uint64_t passes_ = 0;
};

}  // namespace

void follow_collection(const FollowRequest& request, const FollowObserver& observer) {
    Follower{request, observer}.run();
}

std::string pass_text(const FollowPass& pass) {
    std::string out = fmt::format("pass {}: {} inserted, {} updated, {} deleted", pass.number, grouped(pass.inserted),
                                  grouped(pass.updated), grouped(pass.deleted));
    if (pass.unchanged > 0) out += fmt::format(", {} unchanged", grouped(pass.unchanged));
    if (pass.rejected > 0) out += fmt::format(", {} rejected", grouped(pass.rejected));
    out += fmt::format("; at seq_id {} after {:.2f} s", pass.seq_id, pass.seconds);
    if (!pass.why_full.empty()) out += fmt::format("; everything was compared, because {}", pass.why_full);
    return out;
}

json::object pass_json(const FollowPass& pass) {
    return {{"pass", pass.number},     {"full", pass.is_full},        {"why", pass.why_full},
            {"seq_id", pass.seq_id},   {"inserted", pass.inserted},   {"updated", pass.updated},
            {"deleted", pass.deleted}, {"unchanged", pass.unchanged}, {"rejected", pass.rejected},
            {"seconds", pass.seconds}};
}

}  // namespace decant::operate
