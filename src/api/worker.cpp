#include "api/worker.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"

namespace decant::api {
namespace {

/// Longer than any sound question takes; what runs on after its caller has left ends by it.
constexpr std::string_view session_sql = "SET statement_timeout = '5s'";

/// A search's second connection, with what goes with it.
struct BesideConnection {
    explicit BesideConnection(Services& services)
        : db(pg::Connection::open(services.conninfo)), waiting(services.database, db) {
        db.exec(session_sql);
    }

    pg::Connection db;
    DatabaseWatch::Waiting waiting;
};

}  // namespace

void Reading::require_whole(const search::Answer& answer) const {
    if (!is_replica) return;
    for (const search::LegReport& leg : answer.legs) {
        const bool is_of_database =
            leg.leg != search::Leg::chroma && leg.failure && leg.failure->code() != ErrorCode::embedder_unavailable;
        if (is_of_database) throw Error{*leg.failure};
    }
}

pg::Connection& Worker::db() {
    if (db_ && is_in_request_ && is_checked_) return *db_;
    if (!services_.database.is_up()) {
        throw Error{ErrorCode::store_unavailable, "The database is away", "It is looked for all the time."};
    }
    const std::uint64_t generation = services_.database.generation();
    if (db_ && generation_ != generation) drop();
    if (!db_) {
        db_ = std::make_unique<pg::Connection>(pg::Connection::open(services_.conninfo));
        waiting_.emplace(services_.database, *db_);
        db_->exec(session_sql);
        generation_ = generation;
    }
    is_checked_ = true;
    return *db_;
}

search::Engine& Worker::engine() {
    return engine_on(db(), searcher_);
}

search::Engine& Worker::engine_on(pg::Connection& connection, Searcher& searcher) {
    const std::shared_ptr<const Options> options = services_.options();
    searcher.embedders.clear();
    const bool is_held = is_in_request_ && searcher.is_checked;
    if (searcher.engine && !is_held && searcher.options_version != options->version) searcher.engine.reset();
    searcher.is_checked = true;
    if (!searcher.engine) {
        searcher.engine = std::make_unique<search::Engine>(
            connection, options->engine,
            search::Resources{
                .embedder_of = [this, &searcher](const auto& column) -> embed::Embedder& {
                    searcher.embedders.push_back(services_.embedders.of(column));
                    searcher.embedders.back()->require();
                    return *searcher.embedders.back();
                },
                .connect =
                    [this] {
                        const auto beside = std::make_shared<BesideConnection>(services_);
                        return std::shared_ptr<pg::Connection>{beside, &beside->db};
                    },
                .chroma = services_.chroma.get(),
                .vocabulary = [this](pg::Connection& asking) { return services_.vocabulary.get(asking); }});
        searcher.options_version = options->version;
    }
    return *searcher.engine;
}

Reading Worker::reading_of(ReplicaWatch& replica) {
    Reader& reader = readers_[&replica];
    if (reader.connection && reader.connection->generation() != replica.generation()) reader = {};
    if (!reader.connection) {
        reader.connection = replica.connect();
        reader.connection->db().exec(session_sql);
    }
    pg::Connection& connection = reader.connection->db();
    return {.db = connection, .engine = engine_on(connection, reader.searcher), .is_replica = true};
}

void Worker::replica_failed(ReplicaWatch& replica, const Error& error) {
    log::debug("replica {} did not answer a search, the primary is asked: {}", replica.name(),
               printable(error.happened()));
    replica.count_failed_search();
    if (error.code() != ErrorCode::store_unavailable) return;
    const Reader& reader = readers_[&replica];
    replica.report_failure(reader.connection ? reader.connection->generation() : replica.generation(), error);
    readers_.erase(&replica);
}

chat::LlmClient* Worker::llm() {
    if (!llm_) llm_ = services_.open_llm();
    return llm_->get();
}

void Worker::lost() {
    drop();
    services_.database.report_failure();
}

void Worker::drop() noexcept {
    searcher_.engine.reset();
    waiting_.reset();
    db_.reset();
}

}  // namespace decant::api
