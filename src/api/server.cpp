#include "api/server.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <thread>

#include "api/application.hpp"
#include "api/catalog_figures.hpp"
#include "api/problem.hpp"
#include "api/queue_worker.hpp"
#include "api/retention.hpp"
#include "api/routes.hpp"
#include "chat/session_store.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "embed/open_embedder.hpp"
#include "net/http_server.hpp"
#include "store/api_keys.hpp"
#include "store/catalog_state.hpp"
#include "store/database_address.hpp"
#include "store/idempotency.hpp"

namespace decant::api {
namespace {

/// Somebody waits for the answer, and words alone are one too.
constexpr embed::ServerPatience embedder_patience{
    .idle = std::chrono::seconds{10}, .total = std::chrono::seconds{15}, .tries = 1};

/// Settings that reload() takes; the others hold until the process ends.
constexpr std::array<std::string_view, 10> reloadable{"PRODUCT_SEARCH_STRATEGY",
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

AccessSetup access_setup_of(const Settings& settings, const std::string& token) {
    AccessSetup setup = access_setup(settings, setup_of(settings).host);
    setup.local_token = token;
    return setup;
}

/// What is kept for a time.
std::vector<Retained> retained_of(const Settings& settings) {
    const int days = number_setting(settings, "DECANT_EVENTS_RETENTION_DAYS", 30);
    return {
        {.name = "search events", .prune = [days](pg::Connection& db) { return store::prune_search_events(db, days); }},
        {.name = "idempotency keys", .prune = store::prune_idempotency_keys},
        {.name = "chat sessions", .prune = [chat_days = chat::retention_days(settings)](pg::Connection& db) {
             return chat::SessionStore{db}.prune(chat_days);
         }}};
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
    std::string conninfo;
    std::string token;
    Access access;
    RateLimiter limiter;
    QueryEmbedder embedder;
    DatabaseFacts facts;
    MetricsRegistry metrics;
    store::SearchEvents events;
    DatabaseWatch database;
    Services services;
    CatalogFigures figures;
    Application application;
    net::HttpServer http;
    std::string url;
    std::jthread warm_up;  ///< opens the model, so that the first question need not wait for it
    Retention retention;
    std::optional<QueueWorker> queue;

    State(const Settings& given, ServerPurpose given_purpose);
    void look(pg::Connection& db);
    ServerState state() const;
    std::vector<std::string> reload();
};

Server::State::State(const Settings& given, ServerPurpose given_purpose)
    : settings(given),
      latest(given),
      purpose(std::move(given_purpose)),
      conninfo(store::resolve_database(settings).conninfo),
      token(store::random_api_key()),
      access(access_setup_of(settings, token), first_keys(conninfo)),
      limiter(rate_limits(settings)),
      embedder([this] {
          return purpose.open_embedder ? purpose.open_embedder() : embed::require_embedder(settings, embedder_patience);
      }),
      metrics(purpose.version),
      events({.conninfo = conninfo, .keeps_questions = settings.get("DECANT_KEEP_QUESTIONS") == "true"}),
      database(conninfo, [this](pg::Connection& db) { look(db); }),
      services{.version = purpose.version,
               .conninfo = conninfo,
               .database = database,
               .embedder = embedder,
               .facts = facts,
               .metrics = metrics,
               .events = events,
               .configured_model = embed::chosen_embedder(settings).model,
               .chroma = search::ChromaSearch::from(settings),
               .open_llm = [this] { return chat::open_llm(settings); },
               .reload = [this] { return reload(); },
               .state = [this] { return state(); },
               .is_open = [this] { return access.is_open(); },
               .current_options = std::make_shared<const Options>(Options{1, search::engine_options(settings)})},
      figures(conninfo, [this] { return services.model_name(); }),
      application(all_routes(services), services, access, limiter, lanes_of(settings)),
      http(
          setup_of(settings),
          [this](std::shared_ptr<net::Exchange> exchange) { application.handle(std::move(exchange)); },
          [](const net::Refusal& refusal) { return problem_of(refusal); }),
      url(url_of(setup_of(settings), http.port())),
      retention(conninfo, retained_of(settings)) {
    if (purpose.runs_worker && embed::chosen_embedder(settings).provider != "none") queue.emplace(conninfo, embedder);
    warm_up = std::jthread{[this] {
        try {
            embedder.require();
        } catch (const Error& error) {
            log::warning("searching by words alone: {} {}", error.happened(), error.remedy());
        }
    }};
}

void Server::State::look(pg::Connection& db) {
    const store::CatalogState state = store::read_catalog_state(db);
    facts.has_schema = state.has_products && state.has_embedding();
    facts.has_extension = state.has_embedding();
    store::ApiKeys keys{db};
    access.replace_keys(keys.list());
    if (const auto used = access.take_used_keys(); !used.empty()) keys.mark_used(used);
}

ServerState Server::State::state() const {
    const net::ServerCounts counts = http.counts();
    const bool is_up = database.is_up();
    return {.open_connections = counts.open,
            .idle_connections = counts.idle,
            .accepted_connections = counts.accepted,
            .refused_requests = counts.refused,
            .lanes = application.lanes(),
            .jobs = is_up ? figures.jobs() : std::nullopt,
            .products = is_up ? figures.products() : std::nullopt,
            .database_up = is_up,
            .embedder_up = embedder.is_up(),
            .dropped_events = events.counts().dropped};
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
    http.reload_certificate();
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
    // Before the lanes end, so that nobody gives them work any more.
    state_->http.stop();
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
    state_->http.drain();
    const bool is_whole = state_->http.wait_drained(span);
    state_->http.stop();
    return is_whole;
}

}  // namespace decant::api
