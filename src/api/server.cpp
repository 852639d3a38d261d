#include "api/server.hpp"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <charconv>
#include <thread>

#include "api/application.hpp"
#include "api/catalog_figures.hpp"
#include "api/maintenance_duty.hpp"
#include "api/problem.hpp"
#include "api/quality_watch.hpp"
#include "api/queue_worker.hpp"
#include "api/retention.hpp"
#include "api/routes.hpp"
#include "api/sync_duty.hpp"
#include "api/worker.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "embed/open_embedder.hpp"
#include "net/http_server.hpp"
#include "store/api_keys.hpp"
#include "store/catalog_state.hpp"
#include "store/database_address.hpp"
#include "store/experiment_store.hpp"
#include "store/pgvector.hpp"
#include "store/second_column.hpp"
#include "trace/tracer.hpp"
#include "work/catalog_model.hpp"

namespace decant::api {
namespace {

/// Somebody waits for the answer, and words alone are one too.
constexpr embed::ServerPatience embedder_patience{
    .idle = std::chrono::seconds{10}, .total = std::chrono::seconds{15}, .tries = 1};

/// Searches that nobody waits for are not worth more memory.
constexpr std::size_t most_shadows = 32;

/// Settings that reload() takes; the others hold until the process ends.
constexpr std::array<std::string_view, 12> reloadable{"PRODUCT_SEARCH_STRATEGY",
                                                      "SHARD_SEARCH",
                                                      "SHARD_FAILURE",
                                                      "USE_PGVECTOR",
                                                      "PGVECTOR_SIMILARITY_THRESHOLD",
                                                      "CHROMA_SIMILARITY_THRESHOLD",
                                                      "LOG_LEVEL",
                                                      "DECANT_RATE_SEARCH",
                                                      "DECANT_RATE_EMBEDDING",
                                                      "DECANT_RATE_BATCH",
                                                      "DECANT_RATE_MONITORING",
                                                      "DECANT_RATE_CHAT"};

template <typename Number>
Number number_setting(const Settings& settings, std::string_view key, Number unset) {
    const std::string text = settings.get(key).value_or("");
    Number value = unset;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

net::ServerSetup setup_of(const Settings& settings) {
    net::ServerSetup setup{.host = settings.get("DECANT_HOST").value_or("127.0.0.1"),
                           .port = number_setting<std::uint16_t>(settings, "DECANT_PORT", 8000),
                           .certificate = settings.get("DECANT_TLS_CERTIFICATE").value_or(""),
                           .private_key = settings.get("DECANT_TLS_KEY").value_or("")};
    if (setup.certificate.empty() != setup.private_key.empty()) {
        throw Error{ErrorCode::config_invalid, "Of DECANT_TLS_CERTIFICATE and DECANT_TLS_KEY only one is set",
                    "Set both for HTTPS, or neither."};
    }
    return setup;
}

LaneSizes lanes_of(const Settings& settings) {
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    return {.search_threads = number_setting<std::size_t>(settings, "DECANT_SEARCH_THREADS",
                                                          std::clamp<std::size_t>(2 * cores, 4, 16))};
}

std::string url_of(const net::ServerSetup& setup, std::uint16_t port) {
    const bool is_v6 = setup.host.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}", setup.certificate.empty() ? "http" : "https", is_v6 ? "[" : "", setup.host,
                       is_v6 ? "]" : "", port);
}

AccessSetup access_setup_of(const Settings& settings, const std::string& token, bool listens) {
    AccessSetup setup = access_setup(settings, listens ? setup_of(settings).host : "127.0.0.1");
    setup.local_token = token;
    return setup;
}

std::optional<ServerState::Quality> readings_of(const std::optional<quality::QualityReport>& report) {
    if (!report) return std::nullopt;
    ServerState::Quality readings{.searches = report->searches, .feedbacks = report->feedbacks, .metrics = {}};
    for (const quality::QualityMetric& metric : report->metrics) {
        readings.metrics.push_back(
            {.name = std::string{metric.name}, .value = metric.value, .target = metric.target, .is_met = {}});
        const quality::TargetState state = metric.state();
        const bool is_known = state == quality::TargetState::met || state == quality::TargetState::missed;
        if (is_known) readings.metrics.back().is_met = state == quality::TargetState::met;
    }
    return readings;
}

/// None also where they cannot be read, as without a right to: searches go on.
std::optional<store::Experiment> running_experiment(pg::Connection& db) {
    try {
        return store::ExperimentStore{db}.running();
    } catch (const Error& error) {
        if (error.is_retryable()) throw;
        log::debug("experiments cannot be read: {}", error.happened());
        return std::nullopt;
    }
}

/// None where the database is away.
Access::Keys first_keys(const std::string& conninfo) {
    try {
        pg::Connection db = pg::Connection::open(conninfo);
        return store::ApiKeys{db}.list();
    } catch (const Error& error) {
        log::warning("the database is away: {}", error.happened());
        return std::nullopt;
    }
}

}  // namespace

struct Server::State {
    const Settings settings;  ///< of the start
    Settings latest;          ///< of the last reload
    std::mutex reloading;
    ServerPurpose purpose;
    store::DatabaseAddress address;
    std::string conninfo;
    std::string token;
    Access access;
    RateLimiter limiter;
    QueryEmbedders embedders;
    bool is_followed = false;
    std::jthread follow_up;  ///< opens a model that is about to be asked; used by the thread of `database`
    DatabaseFacts facts;
    ExperimentDesk experiments;
    MetricsRegistry metrics;
    store::SearchEvents events;
    trace::Tracer tracer;
    chat::TurnKeeper turns;
    DatabaseWatch database;
    Replicas replicas;
    SyncDuty sync;
    Services services;
    Lane shadow;  ///< of searches that nobody waits for
    std::optional<CatalogFigures> figures;
    std::optional<QualityWatch> quality;
    Application application;
    std::atomic<net::HttpServer*> serving = nullptr;  ///< null while `http` is made or ended: requests may be there
    std::optional<net::HttpServer> http;
    std::string url;
    std::jthread warm_up;  ///< opens the model, so that the first question need not wait for it
    std::optional<Retention> retention;
    std::optional<MaintenanceDuty> maintenance;
    std::optional<QueueWorker> queue;

    State(const Settings& given, ServerPurpose given_purpose);
    void look(pg::Connection& db);
    void follow_model(pg::Connection& db);
    void listen();
    ServerState state() const;
    std::vector<std::string> reload();
};

Server::State::State(const Settings& given, ServerPurpose given_purpose)
    : settings(given),
      latest(given),
      purpose(std::move(given_purpose)),
      address(store::resolve_database(settings)),
      conninfo(address.conninfo),
      token(store::random_api_key()),
      access(access_setup_of(settings, token, purpose.listens), first_keys(conninfo)),
      limiter(purpose.listens ? rate_limits(settings) : RateLimits{}),
      embedders([this](const std::optional<store::ColumnModel>& column) {
          return purpose.open_embedder ? purpose.open_embedder()
                                       : work::open_catalog_embedder(settings, column, embedder_patience);
      }),
      metrics(purpose.version),
      events({.conninfo = conninfo, .keeps_questions = settings.get("DECANT_KEEP_QUESTIONS") == "true"}),
      tracer(trace::tracer_setup(settings, conninfo, purpose.version)),
      turns(conninfo),
      database(conninfo, [this](pg::Connection& db) { look(db); }),
      replicas(replicas_setup(settings, address)),
      sync(settings, conninfo, purpose.listens),
      services{.version = purpose.version,
               .conninfo = conninfo,
               .database = database,
               .replicas = replicas,
               .embedders = embedders,
               .facts = facts,
               .metrics = metrics,
               .events = events,
               .experiments = experiments,
               .configured_provider = embed::chosen_embedder(settings).provider,
               .tracer = tracer,
               .turns = turns,
               .sync = &sync,
               .configured_model = embed::chosen_embedder(settings).model,
               .chroma = search::ChromaSearch::from(settings),
               .llm_provider = settings.get("DECANT_LLM") == "openai" ? "openai" : "ollama",
               .open_llm = [this] { return chat::open_llm(settings); },
               .reload = [this] { return reload(); },
               .state = [this] { return state(); },
               .catalog_count = [this] { return figures && database.is_up() ? figures->count() : std::nullopt; },
               .offer_shadow = [this](Lane::Task task) { return shadow.offer(std::move(task)); },
               .is_open = [this] { return access.is_open(); },
               .current_options = std::make_shared<const Options>(Options{1, search::engine_options(settings)})},
      shadow(1, most_shadows, [this] { return std::make_unique<Worker>(services); }),
      application(all_routes(services), services, access, limiter, lanes_of(settings)) {
    if (purpose.listens) listen();
    if (purpose.runs_worker && embed::chosen_embedder(settings).provider != "none") queue.emplace(conninfo, embedders);
    warm_up = std::jthread{[this] {
        try {
            embedders.current()->require();
        } catch (const Error& error) {
            log::warning("searching by words alone: {} {}", error.happened(), error.remedy());
        }
    }};
    if (http) serving = &*http;
}

void Server::State::listen() {
    figures.emplace(conninfo, [this] { return services.model_name(); });
    quality.emplace(QualityWatchSetup{
        .conninfo = conninfo,
        .subject = [this] { return services.quality_subject(); },
        .probe_interval = std::chrono::minutes{number_setting(settings, "DECANT_QUALITY_PROBE_MINUTES", 60)}});
    const net::ServerSetup setup = setup_of(settings);
    http.emplace(
        setup, [this](std::shared_ptr<net::Exchange> exchange) { application.handle(std::move(exchange)); },
        [](const net::Refusal& refusal) { return problem_of(refusal); });
    url = url_of(setup, http->port());
    retention.emplace(conninfo, retained_by(settings));
    maintenance.emplace(MaintenanceDuty::Setup{
        .maintenance = {.conninfo = conninfo,
                        .model = embed::chosen_embedder(settings).model,
                        .note = [](const std::string& line) { log::info("maintenance: {}", line); }},
        .hours = MaintenanceDuty::read_hours(settings)});
}

void Server::State::look(pg::Connection& db) {
    const store::CatalogState state = store::read_catalog_state(db);
    facts.has_schema = state.has_products && state.has_embedding();
    facts.has_extension = store::find_pgvector(db).has_value();
    store::ApiKeys keys{db};
    access.replace_keys(keys.list());
    if (const auto used = access.take_used_keys(); !used.empty()) keys.mark_used(used);
    experiments.take(running_experiment(db));
    follow_model(db);
}

/// The model of the catalog's vectors; and before a change is made the next one, so that nobody waits for it then.
void Server::State::follow_model(pg::Connection& db) {
    auto column = store::read_column_model(db);
    const bool is_first = !is_followed;
    is_followed = true;
    const bool is_other = embedders.follow(column);
    if (is_other && !is_first)
        log::info("the catalog's vectors are of model {} now", printable(column ? column->name : "the settings"));
    const auto second = store::read_second_column(db);
    const bool is_near =
        second && second->comment && second->comment->second == store::SecondState::filling &&
        std::ranges::find(second->indexes, store::second_vector_index(store::IndexKind::hnsw)) != second->indexes.end();
    std::shared_ptr<QueryEmbedder> next = is_near ? embedders.of(second->comment->model) : embedders.current();
    if (is_first || next->is_open() || !(is_other || is_near)) return;
    follow_up = std::jthread{[next] {
        try {
            next->require();
        } catch (const Error& error) {
            log::warning("{} {}", error.happened(), error.remedy());
        }
    }};
}

ServerState Server::State::state() const {
    const net::HttpServer* server = serving;
    const net::ServerCounts counts = server == nullptr ? net::ServerCounts{} : server->counts();
    const bool is_up = database.is_up();
    return {.open_connections = counts.open,
            .idle_connections = counts.idle,
            .accepted_connections = counts.accepted,
            .refused_requests = counts.refused,
            .lanes = application.lanes(),
            .jobs = is_up && figures ? figures->jobs() : std::nullopt,
            .products = is_up && figures ? figures->products() : std::nullopt,
            .quality = is_up && quality ? readings_of(quality->report()) : std::nullopt,
            .database_up = is_up,
            .embedder_up =
                services.configured_provider == "none" ? std::nullopt : std::optional{embedders.current()->is_up()},
            .dropped_events = events.counts().dropped,
            .traces = tracer.counts(),
            .primary_answers = replicas.answers_of_primary(),
            .replicas = replicas.states()};
}

std::vector<std::string> Server::State::reload() {
    const std::lock_guard lock{reloading};
    const Settings fresh = settings.reread();
    const search::EngineOptions options = search::engine_options(fresh);
    std::vector<std::string> changes;
    for (const std::string_view key : reloadable) {
        const std::string before = latest.get(key).value_or("unset");
        const std::string now = fresh.get(key).value_or("unset");
        if (before != now) changes.push_back(fmt::format("{}: {} -> {}", key, before, now));
    }
    for (const SettingSpec& spec : all_settings()) {
        const bool is_taken = std::ranges::find(reloadable, spec.key) != reloadable.end();
        if (!is_taken && settings.get(spec.key) != fresh.get(spec.key))
            changes.push_back(fmt::format("{} changed: it is taken at the next start", spec.key));
    }
    if (net::HttpServer* server = serving) server->reload_certificate();
    limiter.set_limits(rate_limits(fresh));
    services.set_options(options);
    log::set_level(fresh);
    latest = fresh;
    database.look_now();
    return changes;
}

Server::Server(const Settings& settings, ServerPurpose purpose)
    : state_(std::make_unique<State>(settings, std::move(purpose))) {}

Server::~Server() {
    // Before the lanes end, so that nobody gives them work any more; what they have outlives `http`.
    state_->serving = nullptr;
    if (state_->http) state_->http->stop();
}

void Server::answer(std::shared_ptr<net::Exchange> exchange) {
    state_->application.handle(std::move(exchange));
}

const std::string& Server::local_token() const noexcept {
    return state_->token;
}

const std::string& Server::url() const noexcept {
    return state_->url;
}

std::vector<std::string> Server::reload() {
    return state_->reload();
}

bool Server::drain(std::chrono::milliseconds span) {
    state_->services.draining.request_stop();
    if (state_->queue) state_->queue->stop();
    state_->sync.stop();
    if (state_->maintenance) state_->maintenance->stop();
    if (!state_->http) return true;
    state_->http->drain();
    const bool is_whole = state_->http->wait_drained(span);
    state_->http->stop();
    return is_whole;
}

}  // namespace decant::api
