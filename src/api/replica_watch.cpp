#include "api/replica_watch.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <utility>

#include "core/log.hpp"
#include "core/quantity_text.hpp"
#include "core/utf8.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto look_interval = 500ms;
/// It takes a moment to see a replica have what the primary was seen to have.
constexpr auto first_looks = 5s;
/// Of looks; a replica whose processes stand still accepts connections and never answers.
constexpr auto longest_silence = 3s;

constexpr std::string_view look_sql = R"sql(
SELECT pg_catalog.pg_is_in_recovery(), (SELECT system_identifier FROM pg_catalog.pg_control_system()),
       coalesce((pg_catalog.pg_last_wal_replay_lsn() - '0/0'::pg_catalog.pg_lsn)::bigint, 0))sql";

std::string told(const ReplicaLag& lag) {
    const std::string size = fmt::format("{} bytes", grouped(lag.bytes));
    if (!lag.seconds) return fmt::format("it is {} behind, and has nothing of what the primary wrote lately", size);
    return fmt::format("it is {} and {:.1f} s behind", size, *lag.seconds);
}

}  // namespace

void PrimaryView::note(std::string system, WalPosition position) {
    const std::lock_guard lock{mutex_};
    system_ = std::move(system);
    history_.note(position, Clock::now());
}

std::optional<ReplicaLag> PrimaryView::lag_of(WalPosition replayed) const {
    const std::lock_guard lock{mutex_};
    return history_.lag_of(replayed, Clock::now());
}

std::string PrimaryView::system() const {
    const std::lock_guard lock{mutex_};
    return system_;
}

ReplicaConnection::ReplicaConnection(ReplicaWatch& replica, const std::string& conninfo, std::uint64_t generation)
    : replica_(replica), generation_(generation), db_(pg::Connection::open(conninfo)), cut_(db_) {
    const std::lock_guard lock{replica_.mutex_};
    replica_.open_.insert(&cut_);
}

ReplicaConnection::~ReplicaConnection() {
    const std::lock_guard lock{replica_.mutex_};
    replica_.open_.erase(&cut_);
}

ReplicaWatch::ReplicaWatch(store::ReplicaAddress address, LagLimits limits, const PrimaryView& primary)
    : address_(std::move(address)),
      limits_(limits),
      primary_(primary),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

ReplicaWatch::~ReplicaWatch() {
    thread_.request_stop();
    cut_all();
    thread_.join();
}

bool ReplicaWatch::may_answer(WalPosition least) const {
    const std::lock_guard lock{mutex_};
    return is_used_ && replayed_ >= least && Clock::now() - heard_ < longest_silence;
}

std::unique_ptr<ReplicaConnection> ReplicaWatch::connect() {
    return std::make_unique<ReplicaConnection>(*this, address_.conninfo, generation_);
}

void ReplicaWatch::report_failure(std::uint64_t generation, const Error& error) {
    if (generation == generation_) leave(Reason::away, printable(error.happened()));
}

void ReplicaWatch::leave_if_silent() {
    {
        const std::lock_guard lock{mutex_};
        if (open_.empty() || Clock::now() - heard_ < longest_silence) return;
    }
    leave(Reason::away, "it does not answer");
    cut_all();
}

ServerState::Replica ReplicaWatch::state() const {
    const std::lock_guard lock{mutex_};
    return {.name = address_.name,
            .is_used = is_used_,
            .lag_bytes = lag_ ? std::optional{lag_->bytes} : std::nullopt,
            .lag_seconds = lag_ ? lag_->seconds : std::nullopt,
            .left_away = left_away_,
            .left_behind = left_behind_,
            .returned = returned_,
            .answers = answers_,
            .failed_searches = failed_searches_};
}

void ReplicaWatch::run(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    while (!stop.stop_requested()) {
        look(stop);
        never.wait_for(lock, stop, look_interval, [] { return false; });
    }
    own_.reset();
}

void ReplicaWatch::look(const std::stop_token& stop) {
    try {
        if (!own_) {
            own_ = connect();
            const std::lock_guard lock{mutex_};
            heard_ = Clock::now();
        }
        if (stop.stop_requested()) return;  // whoever ends this may have cut all before the connection was there
        judge(own_->db().exec(look_sql));
    } catch (const Error& error) {
        own_.reset();
        leave(Reason::away, printable(error.happened()));
    }
}

void ReplicaWatch::judge(const pg::Result& row) {
    const auto replayed = static_cast<WalPosition>(row.integer(0, 2));
    const std::optional<ReplicaLag> lag = primary_.lag_of(replayed);
    bool was_used = false;
    {
        const std::lock_guard lock{mutex_};
        heard_ = Clock::now();
        replayed_ = replayed;
        lag_ = lag;
        was_used = is_used_;
        is_reached_ = true;
    }
    if (!row.boolean(0, 0))
        leave(Reason::away, "it is no standby");
    else if (!lag)
        leave(Reason::behind, "");
    else if (row.text(0, 1) != primary_.system())
        leave(Reason::away, "it is a standby of another primary");
    else if (is_near_enough(*lag, limits_, was_used))
        use();
    else
        leave(Reason::behind, lag->seconds || Clock::now() - started_ > first_looks ? told(*lag) : "");
}

void ReplicaWatch::use() {
    const std::lock_guard lock{mutex_};
    if (is_used_) return;
    is_used_ = true;
    was_told_ = false;
    if (left_away_ + left_behind_ > 0) ++returned_;
    log::info("replica {} answers searches", address_.name);
}

void ReplicaWatch::leave(Reason reason, const std::string& told) {
    const std::lock_guard lock{mutex_};
    if (reason == Reason::away && std::exchange(is_reached_, false)) ++generation_;
    if (std::exchange(is_used_, false)) ++(reason == Reason::away ? left_away_ : left_behind_);
    if (was_told_ || told.empty()) return;
    was_told_ = true;
    log::warning("replica {} answers no searches: {}", address_.name, told);
}

void ReplicaWatch::cut_all() {
    const std::lock_guard lock{mutex_};
    for (const pg::ConnectionCut* connection : open_)
        connection->cut();
}

}  // namespace decant::api
