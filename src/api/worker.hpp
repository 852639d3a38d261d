#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/services.hpp"
#include "chat/llm_client.hpp"
#include "pg/connection.hpp"
#include "search/engine.hpp"

namespace decant::api {

/// What a search is answered by.
struct Reading {
    pg::Connection& db;
    search::Engine& engine;
    bool is_replica = false;

    /// Throws the failure of a leg that the primary may have an answer for where this replica has none.
    void require_whole(const search::Answer& answer) const;
};

/// What one thread of a lane works with. Its connection is opened when it is first needed, and again after the database
/// was away.
class Worker {
public:
    /// `services` must outlive it.
    explicit Worker(Services& services) : services_(services) {}

    /// While it lives, what db() and engine() once gave stays what they give, unless drop() or lost() is called: a
    /// request may hold on to it, though the database comes back or settings change meanwhile.
    class Request {
    public:
        explicit Request(Worker& worker) noexcept : worker_(worker), is_inner_(worker.is_in_request_) {
            if (is_inner_) return;
            worker_.is_in_request_ = true;
            worker_.is_checked_ = worker_.searcher_.is_checked = false;
            for (auto& [replica, reader] : worker_.readers_)
                reader.searcher.is_checked = false;
        }
        Request(const Request&) = delete;
        Request& operator=(const Request&) = delete;
        ~Request() { worker_.is_in_request_ = is_inner_; }

    private:
        Worker& worker_;
        bool is_inner_;
    };

    Services& services() noexcept { return services_; }
    /// Throws Error{store_unavailable}.
    pg::Connection& db();
    search::Engine& engine();
    /// Null where none is configured. Throws Error{config_invalid}.
    chat::LlmClient* llm();
    /// What `ask` makes of a Reading: of a replica that has all that `caller` wrote, else of the primary. Whatever
    /// fails on a replica is asked of the primary, once; so `ask` may be called twice.
    template <typename Ask>
    auto read(const std::string& caller, const Ask& ask) {
        if (ReplicaWatch* replica = services_.replicas.choose(caller)) {
            try {
                auto answer = ask(reading_of(*replica));
                replica->count_answer();
                return answer;
            } catch (const Error& error) {
                replica_failed(*replica, error);
            }
        }
        auto answer = ask(Reading{.db = db(), .engine = engine()});
        services_.replicas.count_answer_of_primary();
        return answer;
    }
    void drop() noexcept;
    /// The connection broke: drops it and has the database looked for.
    void lost();

private:
    /// What searches in one server.
    struct Searcher {
        std::uint64_t options_version = 0;
        bool is_checked = false;  ///< in the request under way
        std::unique_ptr<search::Engine> engine = {};
        std::vector<std::shared_ptr<QueryEmbedder>> embedders = {};  ///< of the request under way
    };
    struct Reader {
        std::unique_ptr<ReplicaConnection> connection = {};
        Searcher searcher = {};
    };

    search::Engine& engine_on(pg::Connection& connection, Searcher& searcher);
    Reading reading_of(ReplicaWatch& replica);
    void replica_failed(ReplicaWatch& replica, const Error& error);

    Services& services_;
    bool is_in_request_ = false;
    bool is_checked_ = false;  ///< db_, in the request under way
    std::uint64_t generation_ = 0;
    std::unique_ptr<pg::Connection> db_;
    std::optional<DatabaseWatch::Waiting> waiting_;  ///< of db_
    Searcher searcher_;
    std::map<const ReplicaWatch*, Reader> readers_;
    std::optional<std::unique_ptr<chat::LlmClient>> llm_;
};

}  // namespace decant::api
