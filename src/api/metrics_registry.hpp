#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum_names.hpp"
#include "trace/sink_worker.hpp"

namespace decant::api {

/// The parts of a search or an answer that are timed.
enum class Stage { understand, embed, search, answer };
inline constexpr EnumNames<Stage, 4> stage_names{{"understand", "embed", "search", "answer"}};

struct AnsweredRequest {
    std::string_view route;  ///< the template of the route table, or "unmatched"; never a path
    std::string_view method;
    int status = 0;
    double seconds = 0;
};

struct LaneState {
    std::string name;
    std::uint64_t waiting = 0;
    std::uint64_t running = 0;
};

/// What is read at the time of the scrape. What nobody can know at the moment, as the queue while the database is away,
/// is left out of the text.
struct ServerState {
    struct Jobs {
        std::uint64_t ready = 0;
        std::uint64_t delayed = 0;
        std::uint64_t leased = 0;
        std::uint64_t dead = 0;
    };
    /// Active products; stale ones have an embedding too.
    struct Products {
        std::uint64_t with_embedding = 0;
        std::uint64_t without_embedding = 0;
        std::uint64_t stale = 0;
    };

    /// Of the last hour's searches.
    struct Quality {
        struct Metric {
            std::string name;
            std::optional<double> value = {};
            std::optional<double> target = {};
            std::optional<bool> is_met = {};
        };
        std::uint64_t searches = 0;
        std::uint64_t feedbacks = 0;
        std::vector<Metric> metrics;
    };

    /// That searches may be given to.
    struct Replica {
        std::string name;
        bool is_used = false;
        std::optional<std::uint64_t> lag_bytes = {};
        std::optional<double> lag_seconds = {};
        std::uint64_t left_away = 0;
        std::uint64_t left_behind = 0;
        std::uint64_t returned = 0;
        std::uint64_t answers = 0;
        std::uint64_t failed_searches = 0;  ///< that the primary was asked for in its place
    };

    std::uint64_t open_connections = 0;
    std::uint64_t idle_connections = 0;
    std::uint64_t accepted_connections = 0;
    std::uint64_t refused_requests = 0;  ///< by the HTTP server itself: what is no request
    std::vector<LaneState> lanes = {};
    std::optional<Jobs> jobs = {};
    std::optional<Products> products = {};
    std::optional<Quality> quality = {};
    std::optional<bool> database_up = {};
    std::optional<bool> embedder_up = {};
    std::uint64_t dropped_events = 0;
    std::vector<trace::SinkCounts> traces = {};
    std::uint64_t primary_answers = 0;
    std::vector<Replica> replicas = {};
};

/// Counters and histograms of the server, and the text of GET /metrics (Prometheus exposition format 0.0.4). Labels
/// take their values from routes, methods, statuses, stages, lanes and classes alone, so that no client can make
/// series. Any thread.
class MetricsRegistry {
public:
    static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

    explicit MetricsRegistry(const std::string& version);
    ~MetricsRegistry();
    MetricsRegistry(const MetricsRegistry&) = delete;
    MetricsRegistry& operator=(const MetricsRegistry&) = delete;

    void count_request(const AnsweredRequest& request);
    void observe_stage(Stage stage, double seconds);
    /// Refused because its lane had no room.
    void count_shed(const std::string& lane);
    /// Refused because its caller had had its share of this class of routes.
    void count_limited(const std::string& rate_class);

    std::string text(const ServerState& state) const;

private:
    struct Families;
    std::unique_ptr<Families> families_;
};

}  // namespace decant::api
