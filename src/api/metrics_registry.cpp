#include "api/metrics_registry.hpp"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>

namespace decant::api {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// Seconds.
const Histogram::BucketBoundaries request_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                  0.5,   1,      2,     2.5,  5,     10,   30};
const Histogram::BucketBoundaries stage_buckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                0.1,    0.25,  0.5,    1,     2.5,  5,     10};

constexpr std::array<std::string_view, 7> methods{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};

/// A client may send any word as its method.
std::string known_method(std::string_view method) {
    return std::string{std::ranges::find(methods, method) == methods.end() ? "other" : method};
}

Family<Counter>& counters(prometheus::Registry& registry, const std::string& name, const std::string& help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Family<Histogram>& histograms(prometheus::Registry& registry, const std::string& name, const std::string& help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

/// A family whose values are read at the time of the scrape.
class Reading {
public:
    Reading(std::string name, std::string help, MetricType type = MetricType::Gauge)
        : family_{.name = std::move(name), .help = std::move(help), .type = type, .metric = {}} {}

    Reading& value(double value, const Labels& labels = {}) {
        prometheus::ClientMetric metric;
        for (const auto& [name, text] : labels)
            metric.label.push_back({name, text});
        (family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
        family_.metric.push_back(std::move(metric));
        return *this;
    }
    Reading& value(std::uint64_t count, const Labels& labels = {}) { return value(static_cast<double>(count), labels); }
    MetricFamily family() const { return family_; }

private:
    MetricFamily family_;
};

void append_connections(std::vector<MetricFamily>& families, const ServerState& state) {
    families.push_back(Reading{"decant_http_connections",
                               "Connections by what they do: idle ones are between two "
                               "requests"}
                           .value(state.open_connections - std::min(state.idle_connections, state.open_connections),
                                  {{"state", "busy"}})
                           .value(state.idle_connections, {{"state", "idle"}})
                           .family());
    families.push_back(
        Reading{"decant_http_connections_accepted_total", "Connections since the start", MetricType::Counter}
            .value(state.accepted_connections)
            .family());
    families.push_back(
        Reading{"decant_http_requests_refused_total", "What was no acceptable HTTP request", MetricType::Counter}
            .value(state.refused_requests)
            .family());
}

void append_lanes(std::vector<MetricFamily>& families, const ServerState& state) {
    Reading waiting{"decant_lane_waiting_requests", "Requests that wait for a worker of their lane"};
    Reading running{"decant_lane_running_requests", "Requests that a worker of their lane has"};
    for (const LaneState& lane : state.lanes) {
        waiting.value(lane.waiting, {{"lane", lane.name}});
        running.value(lane.running, {{"lane", lane.name}});
    }
    families.push_back(waiting.family());
    families.push_back(running.family());
}

void append_catalog(std::vector<MetricFamily>& families, const ServerState& state) {
    if (state.jobs) {
        families.push_back(Reading{"decant_embedding_jobs", "Products in the queue for embeddings, and those given up"}
                               .value(state.jobs->ready, {{"state", "ready"}})
                               .value(state.jobs->delayed, {{"state", "delayed"}})
                               .value(state.jobs->leased, {{"state", "leased"}})
                               .value(state.jobs->dead, {{"state", "dead"}})
                               .family());
    }
    if (state.products) {
        const ServerState::Products& products = *state.products;
        const std::uint64_t all = products.with_embedding + products.without_embedding;
        families.push_back(Reading{"decant_products", "Active products by the state of their embedding"}
                               .value(products.with_embedding - products.stale, {{"embedding", "fresh"}})
                               .value(products.stale, {{"embedding", "stale"}})
                               .value(products.without_embedding, {{"embedding", "missing"}})
                               .family());
        families.push_back(
            Reading{"decant_embedding_coverage_ratio", "Share of active products that have an embedding"}
                .value(all == 0 ? 1 : static_cast<double>(products.with_embedding) / static_cast<double>(all))
                .family());
    }
}

void append_quality(std::vector<MetricFamily>& families, const ServerState::Quality& quality) {
    Reading value{"decant_quality_value", "How good the search was in the last hour, by docs/quality.md's metrics"};
    Reading target{"decant_quality_target", "What the value should be at least, or under"};
    Reading met{"decant_quality_target_met", "1: the value is what it should be"};
    for (const ServerState::Quality::Metric& metric : quality.metrics) {
        const Labels labels{{"metric", metric.name}};
        if (metric.value) value.value(*metric.value, labels);
        if (metric.target) target.value(*metric.target, labels);
        if (metric.is_met) met.value(*metric.is_met ? 1.0 : 0.0, labels);
    }
    for (const Reading& reading : {value, target, met})
        families.push_back(reading.family());
    families.push_back(
        Reading{"decant_quality_searches", "Searches that these values are of"}.value(quality.searches).family());
    families.push_back(
        Reading{"decant_quality_feedbacks", "Scores that feedback_score is of"}.value(quality.feedbacks).family());
}

void append_dependencies(std::vector<MetricFamily>& families, const ServerState& state) {
    const auto append = [&](const char* name, const char* help, const std::optional<bool>& up) {
        if (up) families.push_back(Reading{name, help}.value(*up ? 1.0 : 0.0).family());
    };
    append("decant_database_up", "1: the database answered when it was last asked", state.database_up);
    append("decant_embedder_up", "1: the model answered when it was last asked", state.embedder_up);
    families.push_back(Reading{"decant_search_events_dropped_total",
                               "Searches missing in the metrics over time, because they could not be written",
                               MetricType::Counter}
                           .value(state.dropped_events)
                           .family());
}

void append_traces(std::vector<MetricFamily>& families, const ServerState& state) {
    Reading runs{"decant_trace_runs_total",
                 "Steps of traces by where they went, and what became of them: dropped for want of room, refused there",
                 MetricType::Counter};
    Reading waiting{"decant_trace_runs_waiting", "Steps of traces that wait in memory"};
    Reading stored{"decant_trace_spool_bytes", "What of them waits on the disk"};
    for (const trace::SinkCounts& counts : state.traces) {
        runs.value(counts.sent, {{"sink", counts.sink}, {"outcome", "sent"}})
            .value(counts.dropped, {{"sink", counts.sink}, {"outcome", "dropped"}})
            .value(counts.refused, {{"sink", counts.sink}, {"outcome", "refused"}});
        waiting.value(counts.waiting, {{"sink", counts.sink}});
        stored.value(counts.spooled_bytes, {{"sink", counts.sink}});
    }
    for (const Reading& reading : {runs, waiting, stored})
        families.push_back(reading.family());
}

void append_replicas(std::vector<MetricFamily>& families, const ServerState& state) {
    Reading answers{"decant_search_answers_total", "Searches by the database server that answered them",
                    MetricType::Counter};
    Reading used{"decant_replica_used", "1: the replica is given searches"};
    Reading bytes{"decant_replica_lag_bytes", "Of the write-ahead log that the replica has not replayed yet"};
    Reading seconds{"decant_replica_lag_seconds", "How long ago the replica had all that the primary had then"};
    Reading left{"decant_replica_left_total", "Times that the replica was left, and why", MetricType::Counter};
    Reading returned{"decant_replica_returned_total", "Times that it came back", MetricType::Counter};
    Reading failed{"decant_replica_failed_searches_total",
                   "Searches that the primary was asked for because the replica failed", MetricType::Counter};
    answers.value(state.primary_answers, {{"server", "primary"}});
    for (const ServerState::Replica& replica : state.replicas) {
        const Labels labels{{"replica", replica.name}};
        answers.value(replica.answers, {{"server", replica.name}});
        used.value(replica.is_used ? 1.0 : 0.0, labels);
        if (replica.lag_bytes) bytes.value(*replica.lag_bytes, labels);
        if (replica.lag_seconds) seconds.value(*replica.lag_seconds, labels);
        left.value(replica.left_away, {{"replica", replica.name}, {"reason", "away"}})
            .value(replica.left_behind, {{"replica", replica.name}, {"reason", "behind"}});
        returned.value(replica.returned, labels);
        failed.value(replica.failed_searches, labels);
    }
    for (const Reading& reading : {answers, used, bytes, seconds, left, returned, failed})
        families.push_back(reading.family());
}

}  // namespace

struct MetricsRegistry::Families {
    explicit Families(std::string build) : version(std::move(build)) {
        // From the start on, so that their rates are right from the first event.
        for (const std::string_view name : stage_names.names)
            stages.Add({{"stage", std::string{name}}}, stage_buckets);
    }

    std::string version;
    prometheus::Registry registry;
    Family<Counter>& requests = counters(registry, "decant_http_requests_total", "Requests answered");
    Family<Histogram>& durations =
        histograms(registry, "decant_http_request_duration_seconds", "From the request's last byte to its answer");
    Family<Histogram>& stages =
        histograms(registry, "decant_stage_duration_seconds", "What the parts of a search or an answer took");
    Family<Counter>& shed =
        counters(registry, "decant_http_requests_shed_total", "Requests refused because their lane was full");
    Family<Counter>& limited =
        counters(registry, "decant_http_requests_limited_total", "Requests refused by a rate limit");
};

MetricsRegistry::MetricsRegistry(const std::string& version) : families_(std::make_unique<Families>(version)) {}

MetricsRegistry::~MetricsRegistry() = default;

void MetricsRegistry::count_request(const AnsweredRequest& request) {
    const std::string route{request.route};
    families_->requests
        .Add({{"route", route}, {"method", known_method(request.method)}, {"status", std::to_string(request.status)}})
        .Increment();
    families_->durations.Add({{"route", route}}, request_buckets).Observe(request.seconds);
}

void MetricsRegistry::observe_stage(Stage stage, double seconds) {
    families_->stages.Add({{"stage", std::string{stage_names[stage]}}}, stage_buckets).Observe(seconds);
}

void MetricsRegistry::count_shed(const std::string& lane) {
    families_->shed.Add({{"lane", lane}}).Increment();
}

void MetricsRegistry::count_limited(const std::string& rate_class) {
    families_->limited.Add({{"class", rate_class}}).Increment();
}

std::string MetricsRegistry::text(const ServerState& state) const {
    std::vector<MetricFamily> families = families_->registry.Collect();
    append_connections(families, state);
    append_lanes(families, state);
    append_catalog(families, state);
    if (state.quality) append_quality(families, *state.quality);
    append_dependencies(families, state);
    append_traces(families, state);
    append_replicas(families, state);
    families.push_back(
        Reading{"decant_build_info", "1, with the version"}.value(1.0, {{"version", families_->version}}).family());
    std::erase_if(families, [](const MetricFamily& family) { return family.metric.empty(); });
    return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace decant::api
