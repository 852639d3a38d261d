#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <thread>

#include "embed/known_models.hpp"
#include "operate/detail/check.hpp"
#include "pg/conninfo.hpp"
#include "store/api_keys.hpp"
#include "store/server_check.hpp"

namespace decant::operate::detail {
namespace {

constexpr std::size_t least_secret_bytes = 32;  // RFC 7518, section 3.2

/// Connections of `decant serve` besides those of its searches: chat, statistics, the worker, syncs, watches.
constexpr std::int64_t other_connections = 14;

constexpr std::string_view limit_sql =
    "SELECT pg_catalog.current_setting('max_connections')::int - "
    "pg_catalog.current_setting('superuser_reserved_connections')::int";
constexpr std::string_view view_model_sql =
    "SELECT nullif(pg_catalog.current_setting('decant.embedding_model', true), '')";

/// Warnings are joined, and told with where settings come from.
Finding contradictions(const std::vector<std::string>& all, std::string_view none) {
    if (all.empty()) return ok(std::string{none});
    return warning(fmt::format("{}", fmt::join(all, "; ")),
                   "Change one of them; decant config shows where each comes from");
}

Finding look_strategy(Examination& patient) {
    const Settings& settings = patient.settings();
    const std::string strategy = settings.get("PRODUCT_SEARCH_STRATEGY").value_or("");
    const bool asks_chroma = strategy == "chroma_primary" || strategy == "hybrid";
    if (asks_chroma && !patient.has_chroma())
        return failure(fmt::format("PRODUCT_SEARCH_STRATEGY is {}, and no Chroma is configured", strategy),
                       "Set CHROMA_URL or CHROMA_PATH, or: PRODUCT_SEARCH_STRATEGY=pgvector_primary");
    if (!settings.is_on("USE_PGVECTOR") && strategy == "pgvector_primary")
        return warning(
            "USE_PGVECTOR is off, and PRODUCT_SEARCH_STRATEGY is pgvector_primary: the vectors in PostgreSQL are not "
            "searched",
            "Set USE_PGVECTOR=true, or, to search in Chroma: decant rollback");
    return ok(fmt::format("Strategy {}", strategy));
}

Finding look_embedder(Examination& patient) {
    const Settings& settings = patient.settings();
    const embed::EmbedderChoice choice = embed::chosen_embedder(settings);
    std::vector<std::string> all;
    const auto ollama = settings.get("OLLAMA_API_MODEL_EMBEDDING");
    const auto named = settings.get("DECANT_EMBEDDING_MODEL");
    if (ollama && choice.provider != "ollama")
        all.push_back(fmt::format("OLLAMA_API_MODEL_EMBEDDING is {}, and DECANT_EMBEDDER is {}, which does not heed it",
                                  *ollama, choice.provider));
    if (ollama && named && choice.provider == "ollama" && *ollama != *named)
        all.push_back(fmt::format(
            "OLLAMA_API_MODEL_EMBEDDING is {}, and DECANT_EMBEDDING_MODEL, which goes before it, {}", *ollama, *named));
    if (choice.provider == "openai" && !settings.get("OPENAI_API_KEY") && !settings.get("OPENAI_BASE_URL"))
        all.emplace_back("DECANT_EMBEDDER is openai, and OPENAI_API_KEY is not set");
    return contradictions(all, fmt::format("{} {}", choice.provider, choice.model));
}

std::optional<double> number_of(const std::string& text) {
    double value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Finding look_threshold(Examination& patient) {
    const embed::EmbedderChoice choice = patient.choice();
    const std::optional<std::string> text = patient.settings().get("PGVECTOR_SIMILARITY_THRESHOLD");
    if (!text) return ok("The model's own");
    const std::optional<double> threshold = number_of(*text);
    if (!threshold || *threshold < -1 || *threshold > 1)
        return failure(fmt::format("PGVECTOR_SIMILARITY_THRESHOLD is {}, which is no similarity", *text),
                       "Set it to a number from -1 to 1, or unset it");
    const embed::Model* known = embed::find_known_model(choice.provider, choice.model);
    if (known == nullptr || !known->threshold_range || known->threshold_range->contains(*threshold))
        return ok(fmt::format("PGVECTOR_SIMILARITY_THRESHOLD is {}", *text));
    return warning(
        fmt::format("PGVECTOR_SIMILARITY_THRESHOLD is {}, and was measured for {} from {} to {}: {}", *text,
                    known->name, known->threshold_range->low, known->threshold_range->high,
                    *threshold > known->threshold_range->high ? "nearly nothing is found" : "nearly all is found"),
        fmt::format("In .env: PGVECTOR_SIMILARITY_THRESHOLD={}, or measure: decant threshold",
                    known->search_threshold.value_or(known->threshold_range->low)));
}

Finding look_database(Examination& patient) {
    const Settings& settings = patient.settings();
    const auto url = settings.get("DATABASE_URL");
    const auto host = settings.get("DB_HOST");
    if (!url || !host || settings.origin("DATABASE_URL") == SettingOrigin::flag) return ok("One server is named");
    const auto keywords = pg::parse_conninfo(*url).value_or(pg::Keywords{});
    const auto named = keywords.find("host");
    if (named != keywords.end() && named->second == *host) return ok("DATABASE_URL and DB_HOST name the same server");
    return contradictions({fmt::format("DB_HOST is {}, and DATABASE_URL, which goes before it, names {}", *host,
                                       named == keywords.end() ? "another server" : named->second)},
                          "");
}

Finding look_server(Examination& patient) {
    const Settings& settings = patient.settings();
    if (settings.get("DECANT_TLS_CERTIFICATE").has_value() != settings.get("DECANT_TLS_KEY").has_value())
        return failure("Of DECANT_TLS_CERTIFICATE and DECANT_TLS_KEY only one is set",
                       "Set both for HTTPS, or neither");
    const auto secret = settings.get("JWT_SECRET_KEY");
    if (secret && secret->size() < least_secret_bytes)
        return failure(fmt::format("JWT_SECRET_KEY has fewer than {} bytes", least_secret_bytes),
                       "Make one with: openssl rand -base64 48");
    const std::string host = settings.get("DECANT_HOST").value_or("");
    const bool is_loopback = host == "localhost" || host == "::1" || host.starts_with("127.");
    if (is_loopback || secret || !store::ApiKeys{patient.db()}.list().empty())
        return ok(fmt::format("decant serve listens on {}", host));
    return failure(
        fmt::format("DECANT_HOST is {}, and there is neither an API key nor JWT_SECRET_KEY: decant serve does "
                    "not start",
                    host),
        "decant key create app, or set JWT_SECRET_KEY");
}

Finding look_threads(Examination& patient) {
    const std::int64_t limit = patient.db().exec(limit_sql).integer(0, 0);
    const std::int64_t cores = std::max(1U, std::thread::hardware_concurrency());
    const auto named = patient.settings().get("DECANT_SEARCH_THREADS");
    const std::int64_t threads = named ? std::stol(*named) : std::clamp<std::int64_t>(2 * cores, 4, 16);
    const std::string told = fmt::format(
        "decant serve takes up to {} connections for searches and {} for the rest, the "
        "server admits {}",
        threads, other_connections, limit);
    if (threads + other_connections <= limit) return ok(told);
    return warning(told, fmt::format("Set DECANT_SEARCH_THREADS={}, or raise max_connections",
                                     std::max<std::int64_t>(1, limit - other_connections)));
}

Finding look_view_model(Examination& patient) {
    pg::Connection& db = patient.db();
    const auto named = db.exec(view_model_sql).optional_text(0, 0);
    const std::string model = patient.choice().model;
    if (!named || *named == model || model.empty())
        return ok(named ? fmt::format("decant.embedding_model is {}", *named) : "decant.embedding_model is not set");
    const std::string sql = fmt::format("ALTER DATABASE {} SET decant.embedding_model = {};",
                                        db.quote_identifier(db.database()), db.quote_literal(model));
    return warning(
        fmt::format("The database's decant.embedding_model is {}, products are embedded by {}", *named, model),
        store::psql_call(db, sql), statement(patient, false, fmt::format("set it to {}", model), sql));
}

constexpr std::array checks{
    Check{"settings.strategy", "Where products are searched first.", look_strategy},
    Check{"settings.embedder", "A setting that is not heeded looks as if it were.", look_embedder},
    Check{"settings.threshold", "Poor search results: it decides what is near enough to be shown.", look_threshold},
    Check{"settings.database", "Two settings that name two servers: one is not heeded.", look_database},
    Check{"settings.server", "decant serve refuses to start with these.", look_server},
    Check{"settings.threads", "A search that gets no connection is answered with 503.", look_threads},
    Check{"settings.view_model", "By it product_embedding_stats tells which vectors are stale.", look_view_model},
};

}  // namespace

std::span<const Check> settings_checks() noexcept {
    return checks;
}

}  // namespace decant::operate::detail
