#include "api/worker.hpp"

#include "core/error.hpp"

namespace decant::api {
namespace {

/// Longer than any sound question takes; what runs on after its caller has left ends by it.
constexpr std::string_view session_sql = "SET statement_timeout = '5s'";

}  // namespace

pg::Connection& Worker::db() {
    if (!services_.database.is_up()) {
        throw Error{ErrorCode::store_unavailable, "The database is away", "It is looked for all the time."};
    }
    const std::uint64_t generation = services_.database.generation();
    if (db_ && generation_ != generation) drop();
    if (!db_) {
        db_ = std::make_unique<pg::Connection>(pg::Connection::open(services_.conninfo));
        db_->exec(session_sql);
        generation_ = generation;
    }
    return *db_;
}

search::Engine& Worker::engine() {
    pg::Connection& connection = db();
    const std::shared_ptr<const Options> options = services_.options();
    if (engine_ && options_version_ != options->version) engine_.reset();
    if (!engine_) {
        engine_ = std::make_unique<search::Engine>(
            connection, options->engine,
            search::Resources{
                .embedder = [this]() -> embed::Embedder& {
                    services_.embedder.require();
                    return services_.embedder;
                },
                .connect = [this] { return pg::Connection::open(services_.conninfo); },
                .chroma = services_.chroma.get(),
                .vocabulary = [this](pg::Connection& asking) { return services_.vocabulary.get(asking); }});
        options_version_ = options->version;
    }
    return *engine_;
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
    engine_.reset();
    db_.reset();
}

}  // namespace decant::api
