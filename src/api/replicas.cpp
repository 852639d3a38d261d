#include "api/replicas.hpp"

#include <charconv>
#include <condition_variable>
#include <limits>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto look_interval = 500ms;

/// No more than this is sent to standbys.
constexpr std::string_view position_sql = R"sql(
SELECT (pg_catalog.pg_current_wal_flush_lsn() - '0/0'::pg_catalog.pg_lsn)::bigint,
       (SELECT system_identifier FROM pg_catalog.pg_control_system()))sql";
/// A commit that did not wait for the disk is in the log, and not yet in its file.
constexpr std::string_view inserted_sql =
    "SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn)::bigint";

/// A replica that is used was not further behind when it was looked at last.
std::chrono::duration<double> span_to_remember(const LagLimits& limits) {
    return std::chrono::duration<double>{limits.seconds} + 10s;
}

std::uint64_t number_setting(const Settings& settings, std::string_view key) {
    const std::string text = settings.get(key).value_or("");
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

Replicas::Replicas(Setup setup) : setup_(std::move(setup)) {
    if (setup_.addresses.empty()) return;
    for (const store::ReplicaAddress& address : setup_.addresses)
        watches_.push_back(std::make_unique<ReplicaWatch>(address, setup_.limits, primary_));
    thread_ = std::jthread{[this](const std::stop_token& stop) { watch_primary(stop); }};
}

ReplicaWatch* Replicas::choose(const std::string& caller) {
    if (watches_.empty()) return nullptr;
    const WalPosition least = written_by(caller);
    const std::size_t first = turn_++;
    for (std::size_t i = 0; i < watches_.size(); ++i) {
        ReplicaWatch& watch = *watches_[(first + i) % watches_.size()];
        if (watch.may_answer(least)) return &watch;
    }
    return nullptr;
}

void Replicas::note_write(const std::string& caller, const std::function<pg::Connection&()>& primary) {
    if (watches_.empty()) return;
    // Where the position is not to be had, no replica is known to have the write.
    Write write{.position = std::numeric_limits<WalPosition>::max(), .at = Clock::now()};
    try {
        write.position = end_of_last_record(static_cast<WalPosition>(primary().exec(inserted_sql).integer(0, 0)));
    } catch (const Error& error) {
        log::warning("searches of {} stay on the primary for a while: {}", caller, printable(error.happened()));
    }
    const std::lock_guard lock{mutex_};
    std::erase_if(writes_, [&](const auto& one) { return write.at - one.second.at > span_to_remember(setup_.limits); });
    writes_[caller] = write;
}

WalPosition Replicas::written_by(const std::string& caller) const {
    const std::lock_guard lock{mutex_};
    const auto found = writes_.find(caller);
    const bool counts = found != writes_.end() && Clock::now() - found->second.at <= span_to_remember(setup_.limits);
    return counts ? found->second.position : 0;
}

std::vector<ServerState::Replica> Replicas::states() const {
    std::vector<ServerState::Replica> states;
    for (const auto& watch : watches_)
        states.push_back(watch->state());
    return states;
}

void Replicas::watch_primary(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    std::optional<pg::Connection> db;
    while (!stop.stop_requested()) {
        try {
            if (!db) db.emplace(pg::Connection::open(setup_.primary));
            const pg::Result row = db->exec(position_sql);
            primary_.note(std::string{row.text(0, 1)}, static_cast<WalPosition>(row.integer(0, 0)));
        } catch (const Error& error) {
            log::debug("how far replicas are behind is not known for now: {}", printable(error.happened()));
            db.reset();
        }
        for (const auto& watch : watches_)
            watch->leave_if_silent();
        never.wait_for(lock, stop, look_interval, [] { return false; });
    }
}

Replicas::Setup replicas_setup(const Settings& settings, const store::DatabaseAddress& primary) {
    return {.primary = primary.conninfo,
            .addresses = store::read_replicas(settings, primary),
            .limits = {.bytes = number_setting(settings, "DB_READ_LAG_BYTES"),
                       .seconds = static_cast<double>(number_setting(settings, "DB_READ_LAG_SECONDS"))}};
}

}  // namespace decant::api
