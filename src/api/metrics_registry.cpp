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
const Histogram::BucketBoundaries request_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                  0.25,  0.5,    1,     2.5,  5,     10,   30};
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
    append_dependencies(families, state);
    families.push_back(
        Reading{"decant_build_info", "1, with the version"}.value(1.0, {{"version", families_->version}}).family());
    std::erase_if(families, [](const MetricFamily& family) { return family.metric.empty(); });
    return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace decant::api
