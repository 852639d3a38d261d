#include "core/settings.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <filesystem>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "core/dotenv.hpp"
#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "core/nearest.hpp"
#include "core/setting_file.hpp"

namespace decant {
namespace {

constexpr std::array setting_table{
    SettingSpec{"DATABASE_URL", "", true, "",
                "The target database as a URL or as libpq's key=value pairs; goes before DB_*. --db goes before it."},
    SettingSpec{"DB_HOST", "", false, "",
                "Server of the target database. Without it, DATABASE_URL and libpq's PG* the embedded server is used."},
    SettingSpec{"DB_PORT", "5432", false, "1..65535", "Its port."},
    SettingSpec{"DB_NAME", "aynux", false, "", "Its database."},
    SettingSpec{"DB_USER", "", false, "", "The role to connect as."},
    SettingSpec{"DB_PASSWORD", "", true, "",
                "Its password; better in a file named by DB_PASSWORD_FILE, or in ~/.pgpass."},
    SettingSpec{"DB_READ_HOSTS", "", false, "",
                "Hot standbys of the database, as host:port with commas, that `decant serve` gives searches to; user, "
                "password and database are the same there."},
    SettingSpec{"DB_READ_LAG_BYTES", "16777216", false, "0..1099511627776",
                "Bytes of the write-ahead log that one of them may be behind and still answer."},
    SettingSpec{"DB_READ_LAG_SECONDS", "10", false, "1..86400", "Seconds, in the same way."},
    SettingSpec{"CHROMA_PATH", "data/vector_db", false, "",
                "The Chroma directory to read: the folder of chroma.sqlite3, or one up to three levels above it."},
    SettingSpec{"CHROMA_URL", "", true, "",
                "The Chroma server to read in the place of a directory: http://localhost:8000, or with https://; it "
                "may hold USER:PASSWORD@."},
    SettingSpec{"CHROMA_TENANT", "", false, "",
                "Tenant of the Chroma server. Default: the one that the token belongs to, else default_tenant."},
    SettingSpec{"CHROMA_DATABASE", "", false, "", "Database of the Chroma server. Default: all of the tenant's."},
    SettingSpec{"CHROMA_TOKEN", "", true, "", "Token for the Chroma server, or the API key of Chroma Cloud."},
    SettingSpec{
        "CHROMA_AUTH_HEADER", "", false, "Authorization|X-Chroma-Token",
        "The header that carries CHROMA_TOKEN: Authorization as a bearer token, the default, or X-Chroma-Token, "
        "the default for Chroma Cloud."},
    SettingSpec{"CHROMA_USER", "", false, "", "User of a Chroma server with basic authentication."},
    SettingSpec{"CHROMA_PASSWORD", "", true, "", "That user's password."},
    SettingSpec{"CHROMA_CA_FILE", "", false, "",
                "File (PEM) of the authority that signed the Chroma server's certificate, where the system does not "
                "know it."},
    SettingSpec{"CHROMA_COLLECTION", "products_all_products", false, "", "The collection to copy."},
    SettingSpec{"USE_PGVECTOR", "true", false, "true|false|True|False|1|0|yes|no|on|off",
                "Whether products are searched in PostgreSQL."},
    SettingSpec{"PRODUCT_SEARCH_STRATEGY", "pgvector_primary", false, "pgvector_primary|chroma_primary|hybrid|fusion",
                "Where products are searched first."},
    SettingSpec{"SHARD_SERVERS", "", true, "",
                "URLs, with commas, of the PostgreSQL servers that `decant schema shard` copies the catalog to."},
    SettingSpec{"SHARD_SEARCH", "false", false, "true|false|True|False|1|0|yes|no|on|off",
                "Whether vectors are searched for in that copy in the place of the catalog's own."},
    SettingSpec{"SHARD_FAILURE", "partial", false, "partial|error",
                "What becomes of a search while one of these servers does not answer: partial goes on with the others, "
                "and the answer says so."},
    SettingSpec{"PGVECTOR_SIMILARITY_THRESHOLD", "", false, "",
                "Least similarity of products found in PostgreSQL, from -1 to 1. Default: the model's own, 0.7 for "
                "nomic-embed-text."},
    SettingSpec{"CHROMA_SIMILARITY_THRESHOLD", "", false, "",
                "Least similarity of products found in Chroma. Default: the model's own, 0.5 for nomic-embed-text."},
    SettingSpec{
        "DECANT_EMBEDDER", "auto", false, "auto|local|ollama|openai|none",
        "What embeds texts: local is the embedded model, none leaves products without a vector waiting; auto is "
        "ollama where OLLAMA_API_URL or OLLAMA_API_MODEL_EMBEDDING is set, else local."},
    SettingSpec{"DECANT_EMBEDDING_MODEL", "", false, "",
                "Its model. Default: multilingual-e5-small, OLLAMA_API_MODEL_EMBEDDING or text-embedding-3-small."},
    SettingSpec{"DECANT_EMBEDDING_PRECISION", "fast", false, "fast|f32",
                "How the embedded model computes: in 8-bit integers where its weights and the processor allow, or in "
                "float32 throughout. Vectors of both may be compared with each other."},
    SettingSpec{"DECANT_EMBEDDING_DIMENSIONS", "", false, "1..16000",
                "Length of the vectors to ask Ollama's or OpenAI's model for, where it gives shorter ones too."},
    SettingSpec{"DECANT_PASSAGE_PREFIX", "", false, "",
                "What stands before a product's text, blank included, for a model of a server that is not known by "
                "name; of one that is known it goes before what is known."},
    SettingSpec{"DECANT_QUERY_PREFIX", "", false, "", "What stands before a question, in the same way."},
    SettingSpec{"DECANT_TEXT_RECIPE", "", false, "labelled|title-first",
                "How a product becomes a text, in the same way. Default: labelled."},
    SettingSpec{"OLLAMA_API_URL", "", true, "",
                "The Ollama server; it may hold USER:PASSWORD@. Default: http://localhost:11434."},
    SettingSpec{"OLLAMA_API_MODEL_EMBEDDING", "", false, "",
                "The model of Ollama that embeds products. Default: nomic-embed-text."},
    SettingSpec{"OLLAMA_API_MODEL", "", false, "",
                "The model of Ollama that reads questions of the chat and words its answers. Default: none, then rules "
                "and templates do."},
    SettingSpec{"OPENAI_BASE_URL", "", true, "",
                "Where OpenAI's API, or another like it, is, up to /v1; it may hold USER:PASSWORD@. Default: "
                "https://api.openai.com/v1."},
    SettingSpec{"OPENAI_API_KEY", "", true, "", "Key for it, sent as a bearer token; none is sent where it is unset."},
    SettingSpec{"JWT_SECRET_KEY", "", true, "",
                "Secret, of at least 32 bytes, that tokens (JWT, HS256) for the HTTP API are signed with; without it, "
                "only keys of `decant key create` are taken."},
    SettingSpec{"JWT_AUDIENCE", "", false, "",
                "What the claim aud of a token must name; without it, a token with that claim is refused."},
    SettingSpec{"DECANT_TRUSTED_PROXIES", "", false, "",
                "Addresses and ranges, with commas, of the proxies whose X-Forwarded-For tells who calls the HTTP API: "
                "10.0.0.0/8, fd00::/8."},
    SettingSpec{"DECANT_ALLOWED_HOSTS", "", false, "",
                "Names, with commas, that the HTTP API may be called by besides localhost and the address it listens "
                "on. Default: where credentials are asked for, any."},
    SettingSpec{"DECANT_CORS_ORIGINS", "", false, "",
                "Origins, with commas, of the web pages that may call the HTTP API from a browser: "
                "https://shop.example. Default: only its own."},
    SettingSpec{"DUX_API_BASE_URL", "", false, "", "Address of the DUX ERP's API, without /items."},
    SettingSpec{"DUX_API_KEY", "", true, "", "Its key."},
    SettingSpec{"DUX_API_VERSION", "1", false, "1|2", "Its version."},
    SettingSpec{"DUX_API_TIMEOUT", "30", false, "", "Seconds that an answer of it may take."},
    SettingSpec{"DUX_API_RATE_LIMIT_SECONDS", "5", false, "",
                "Least seconds from one of its requests to the next, over all processes; 0: none."},
    SettingSpec{"DUX_API_RETRIES", "4", false, "0..20", "Further tries of a page that could not be had."},
    SettingSpec{"DUX_SYNC_BATCH_SIZE", "50", false, "2..50", "Items a page."},
    SettingSpec{"DUX_PRICE_LIST", "LISTA GENERAL", false, "", "The list of prices that products are sold by."},
    SettingSpec{"DUX_STOCK_LOCATION", "LOCAL", false, "", "The location whose stock counts."},
    SettingSpec{
        "DUX_DECIMAL_MARK", "auto", false, "auto|point|comma",
        "What stands before the decimals; auto: by each figure, and 1.234 is not taken, because it may be either."},
    SettingSpec{"DUX_MAX_VANISHED_PERCENT", "20", false, "0..100",
                "Where more products than this would be deactivated because the ERP lists them no longer, none is."},
    SettingSpec{"DUX_SYNC_ENABLED", "false", false, "true|false|True|False|1|0|yes|no|on|off",
                "Whether decant serve synchronises with DUX by itself."},
    SettingSpec{"DUX_SYNC_HOURS", "[2,14]", false, "", "At which hours of the day."},
    SettingSpec{"DUX_SYNC_TIMEZONE", "", false, "",
                "The time zone of these hours: America/Argentina/Buenos_Aires. Default: the system's."},
    SettingSpec{
        "DUX_FORCE_SYNC_THRESHOLD_HOURS", "24", false, "1..8760",
        "A sync older than this is made up for at once; with version 2, all items are read when the last time is "
        "that long ago."},
    SettingSpec{"DECANT_RATE_SEARCH", "600", false, "0..100000",
                "Searches a minute that a caller of the HTTP API may make; 0: as many as it likes."},
    SettingSpec{"DECANT_RATE_EMBEDDING", "60", false, "0..100000", "Its calls that embed something, in the same way."},
    SettingSpec{"DECANT_RATE_BATCH", "5", false, "0..100000", "Its batches of products to embed."},
    SettingSpec{"DECANT_RATE_MONITORING", "600", false, "0..100000", "Its calls for health, statistics and metrics."},
    SettingSpec{"DECANT_RATE_CHAT", "60", false, "0..100000", "Its messages to the chat."},
    SettingSpec{"DECANT_RATE_FAILED_LOGIN", "60", false, "0..100000",
                "Calls a minute from one address with credentials that are not valid, before they are answered with "
                "429."},
    SettingSpec{"DECANT_LLM", "auto", false, "auto|ollama|openai|none",
                "What words the answers of the chat: none is rules and templates; auto is ollama where "
                "OLLAMA_API_MODEL is set, else none. Where it is away, rules and templates do."},
    SettingSpec{"DECANT_LLM_MODEL", "", false, "", "The model of openai; that of ollama is OLLAMA_API_MODEL."},
    SettingSpec{"DECANT_LLM_TIMEOUT", "60", false, "1..3600",
                "Seconds that one answer of the LLM may take; half of them without a word."},
    SettingSpec{"DECANT_CHAT_RETENTION_DAYS", "90", false, "0..36500",
                "Days that a chat session is kept after its last message; 0 keeps all."},
    SettingSpec{
        "DECANT_MODEL_DIR", "", false, "",
        "Folder of the embedded models. Default: .deps/models of the project, which scripts/setup fills, or that of "
        "the package decant-models."},
    SettingSpec{
        "DECANT_HOST", "127.0.0.1", false, "",
        "The address that `decant serve` listens on. Another than loopback needs an API key or JWT_SECRET_KEY."},
    SettingSpec{"DECANT_PORT", "8000", false, "0..65535", "Its port; 0 takes any free one."},
    SettingSpec{"DECANT_TLS_CERTIFICATE", "", false, "",
                "File (PEM) of the server's certificate with its chain: it serves HTTPS. Read again at SIGHUP."},
    SettingSpec{"DECANT_TLS_KEY", "", false, "", "File (PEM) of the certificate's private key."},
    SettingSpec{"DECANT_SEARCH_THREADS", "", false, "1..256",
                "How many searches the server runs at once, each with a connection of its own. Default: twice the "
                "processors, from 4 to 16."},
    SettingSpec{
        "DECANT_HOME", "", false, "",
        "Folder of the embedded server's data, settings and password. Default: .decant of the project; of root's "
        "servers the data is under /var/lib/decant."},
    SettingSpec{
        "DECANT_POSTGRES_DIR", "", false, "",
        "Installation of PostgreSQL with pgvector that the embedded server runs from: the folder that holds bin/. "
        "Default: the one that scripts/setup made."},
    SettingSpec{"DECANT_ENV_FILE", ".env", false, "", "Another file to read in the place of .env."},
    SettingSpec{"DECANT_FAILPOINT", "", false, "",
                "For tests: NAME:N kills the process when it passes the named point for the N-th time."},
    SettingSpec{"DECANT_EVENTS_RETENTION_DAYS", "30", false, "1..3650",
                "Days that the server keeps its record of searches, which the metrics over time are made of, and what "
                "was said of and chosen from their answers."},
    SettingSpec{"DECANT_QUALITY_PROBE_MINUTES", "60", false, "0..10080",
                "Minutes between two probes of the vector index's recall against the exact scan, which the server "
                "makes; 0: none."},
    SettingSpec{"DECANT_MAINTENANCE_HOURS", "[3]", false, "",
                "At which hours of the day the server does what `decant maintain` does, in the zone of "
                "DUX_SYNC_TIMEZONE; none: never."},
    SettingSpec{"DECANT_KEEP_QUESTIONS", "false", false, "true|false",
                "Whether that record, and the traces in PostgreSQL, hold the text of what was asked, which may be "
                "personal."},
    SettingSpec{"LANGSMITH_TRACING", "", false, "",
                "true: LangSmith gets the traces that the server keeps in PostgreSQL anyway. LANGSMITH_TRACING_V2 goes "
                "before it; every LANGSMITH_* has its LANGCHAIN_* as a second name."},
    SettingSpec{"LANGSMITH_ENDPOINT", "", true, "",
                "LangSmith's API; of a server of one's own https://HOST/api/v1. Default: "
                "https://api.smith.langchain.com."},
    SettingSpec{"LANGSMITH_API_KEY", "", true, "", "Key for it."},
    SettingSpec{"LANGSMITH_RUNS_ENDPOINTS", "", true, "",
                R"(Several LangSmiths that all get the traces, in the place of these two: {"URL": "KEY"} or )"
                R"([{"api_url": "URL", "api_key": "KEY"}]. The first gets feedback too.)"},
    SettingSpec{"LANGSMITH_TRACING_MODE", "langsmith", false, "langsmith|otel|hybrid",
                "How LangSmith gets them. otel: as spans of OpenTelemetry, by the collector of "
                "OTEL_EXPORTER_OTLP_ENDPOINT, else straight to LangSmith. hybrid: both, which a collector beside "
                "LangSmith gives anyway."},
    SettingSpec{"LANGSMITH_WORKSPACE_ID", "", false, "", "The workspace, where the key is the organisation's."},
    SettingSpec{"LANGSMITH_PROJECT", "aynux-production", false, "", "The project that the traces go to."},
    SettingSpec{"LANGSMITH_TRACING_SAMPLING_RATE", "", false, "",
                "Share of the traces that LangSmith gets, from 0 to 1. Default: all."},
    SettingSpec{"LANGSMITH_HIDE_INPUTS", "", false, "", "true: what was asked is not sent to LangSmith."},
    SettingSpec{"LANGSMITH_HIDE_OUTPUTS", "", false, "", "true: what was found and answered is not."},
    SettingSpec{"LANGSMITH_HIDE_METADATA", "", false, "",
                "true: neither are models, numbers of tokens and what else belongs to a step."},
    SettingSpec{"LANGSMITH_TRACING_QUEUE_MAX_SIZE", "10000", false, "100..1000000",
                "Steps of traces that wait in memory for each place that gets them; then the oldest are dropped."},
    SettingSpec{"LANGSMITH_MAX_INGEST_MEMORY_BYTES", "67108864", false, "1048576..1073741824",
                "Bytes that they may take."},
    SettingSpec{"LANGSMITH_FAILED_TRACES_DIR", "", false, "",
                "Folder of traces that wait for a place that cannot be reached. Default: traces in the folder of "
                "DECANT_HOME."},
    SettingSpec{"LANGSMITH_FAILED_TRACES_MAX_MB", "100", false, "0..100000",
                "MiB that they may take there, for each place; then the oldest are dropped."},
    SettingSpec{"OTEL_EXPORTER_OTLP_ENDPOINT", "", true, "",
                "A collector of OpenTelemetry that gets the traces too, over HTTP: http://localhost:4318, without "
                "/v1/traces."},
    SettingSpec{"OTEL_EXPORTER_OTLP_HEADERS", "", true, "",
                "Headers for it, as in name=value,name=value; values percent-encoded."},
    SettingSpec{"OTEL_SERVICE_NAME", "decant", false, "", "What the collector knows the server by."},
    SettingSpec{"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "", false, "",
                "true: the collector gets what was asked, found and answered too."},
    SettingSpec{"DECANT_TRACE_RETENTION_DAYS", "14", false, "1..3650", "Days that PostgreSQL keeps traces."},
    SettingSpec{"DECANT_TRACE_MAX_MB", "256", false, "1..1000000",
                "MiB that they may take there; then the oldest are removed, once an hour."},
    SettingSpec{"LOG_LEVEL", "info", false, "debug|info|warning|error", "The least severe message to write."},
    SettingSpec{"LOG_FORMAT", "text", false, "text|json", "How messages are written to stderr and LOG_FILE."},
    SettingSpec{"LOG_FILE", "", false, "",
                "A file that gets every message too, with its time. Default: none; of `decant serve` logs/app.log."},
};

constexpr std::string_view file_suffix = "_FILE";

const SettingSpec* find_setting(std::string_view key) noexcept {
    const auto* found = std::ranges::find(setting_table, key, &SettingSpec::key);
    return found == setting_table.end() ? nullptr : found;
}

/// The names that LangSmith's own programs know a setting by, the first one that is set first.
std::vector<std::string> names_of(std::string_view key) {
    constexpr std::string_view prefix = "LANGSMITH_";
    if (!key.starts_with(prefix)) return {std::string{key}};
    std::vector<std::string> names;
    const auto add = [&](std::string_view rest) {
        names.push_back(fmt::format("LANGSMITH_{}", rest));
        names.push_back(fmt::format("LANGCHAIN_{}", rest));
    };
    if (key == "LANGSMITH_TRACING") add("TRACING_V2");
    if (key == "LANGSMITH_PROJECT") names.emplace_back("HOSTED_LANGSERVE_PROJECT_NAME");
    add(key.substr(prefix.size()));
    if (key == "LANGSMITH_PROJECT") add("SESSION");
    return names;
}

std::vector<std::string> known_keys() {
    std::vector<std::string> keys;
    for (const SettingSpec& setting : setting_table) {
        keys.emplace_back(setting.key);
        if (setting.is_secret) keys.push_back(fmt::format("{}{}", setting.key, file_suffix));
    }
    return keys;
}

/// `where` is "the environment" or ".env, line 3".
void refuse_unknown(std::string_view key, std::string_view where) {
    if (!key.starts_with("DECANT_") || key.starts_with("DECANT_TEST_")) return;  // of the tests
    const std::vector<std::string> known = known_keys();
    if (std::ranges::find(known, key) != known.end()) return;
    const std::optional<std::string> meant = nearest(key, known);
    throw Error{ErrorCode::config_invalid, fmt::format("{}: there is no setting {}", where, key),
                meant ? fmt::format("did you mean {}? `decant config` lists all settings", *meant)
                      : "remove it; `decant config` lists all settings"};
}

bool is_in_range(std::string_view value, std::string_view allowed, std::size_t dots) {
    const auto parse = [](std::string_view text) -> std::optional<long> {
        long number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
        return number;
    };
    const std::optional<long> number = parse(value);
    return number && *number >= *parse(allowed.substr(0, dots)) && *number <= *parse(allowed.substr(dots + 2));
}

bool is_one_of(std::string_view value, std::string_view allowed) {
    while (!allowed.empty()) {
        const std::size_t bar = std::min(allowed.find('|'), allowed.size());
        if (allowed.substr(0, bar) == value) return true;
        allowed.remove_prefix(std::min(bar + 1, allowed.size()));
    }
    return false;
}

void check_value(const SettingSpec& setting, std::string_view value, std::string_view where) {
    if (setting.allowed.empty()) return;
    const std::size_t dots = setting.allowed.find("..");
    const bool is_allowed =
        dots == std::string_view::npos ? is_one_of(value, setting.allowed) : is_in_range(value, setting.allowed, dots);
    if (is_allowed) return;
    throw Error{ErrorCode::config_invalid, fmt::format("{}: {} has a value that is not allowed", where, setting.key),
                fmt::format("set {} to {}{}", setting.key, dots == std::string_view::npos ? "one of " : "a number of ",
                            setting.allowed)};
}

std::string place_of(SettingOrigin origin) {
    return origin == SettingOrigin::environment ? "the environment" : fmt::format("the {}", name_of(origin));
}

/// "# " lines of at most 110 characters.
std::string commented(std::string_view help) {
    constexpr std::size_t width = 108;
    std::string lines;
    while (help.size() > width) {
        const std::size_t space = help.rfind(' ', width);
        lines += fmt::format("# {}\n", help.substr(0, space));
        help.remove_prefix(space + 1);
    }
    return lines + fmt::format("# {}\n", help);
}

struct Dotenv {
    Settings::Variables variables;
    std::string path;
};

/// Keys that are not ours are another program's and ignored, DECANT_* excepted.
Dotenv read_dotenv(const Settings::Variables& environment) {
    const auto named = environment.find("DECANT_ENV_FILE");
    const bool is_named = named != environment.end() && !named->second.empty();
    const std::string path = is_named ? named->second : ".env";
    std::error_code hidden;  // a folder that may not be looked into
    if (!is_named && !std::filesystem::exists(path, hidden)) return {};
    Settings::Variables variables;
    std::map<std::string, std::size_t> lines;
    for (const DotenvEntry& entry : parse_dotenv(read_setting_file(path, SettingFile::dotenv), path)) {
        const std::string where = fmt::format("{}, line {}", path, entry.line);
        refuse_unknown(entry.key, where);
        const SettingSpec* setting = find_setting(entry.key);
        if (setting != nullptr && !entry.value.empty()) check_value(*setting, entry.value, where);
        const auto [earlier, is_new] = lines.emplace(entry.key, entry.line);
        if (!is_new && setting != nullptr) {
            throw Error{ErrorCode::config_invalid,
                        fmt::format("{}: {} is set again, after line {}", where, entry.key, earlier->second),
                        "keep one of the two lines"};
        }
        variables[entry.key] = entry.value;
    }
    return {std::move(variables), path};
}

}  // namespace

std::span<const SettingSpec> all_settings() noexcept {
    return setting_table;
}

std::string_view name_of(SettingOrigin origin) noexcept {
    return EnumNames<SettingOrigin, 5>{{"flag", "environment", ".env", "default", "unset"}}[origin];
}

Settings Settings::load(const Variables& flags) {
    Variables environment;
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
        const std::string_view text{*variable};
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return from(flags, environment);
}

Settings Settings::from(const Variables& flags, const Variables& environment) {
    for (const auto& [key, value] : environment)
        refuse_unknown(key, "the environment");
    Settings settings;
    Dotenv dotenv = read_dotenv(environment);
    settings.dotenv_path_ = std::move(dotenv.path);
    settings.flags_ = flags;
    settings.take(flags, SettingOrigin::flag);
    settings.take(environment, SettingOrigin::environment);
    settings.take(dotenv.variables, SettingOrigin::dotenv);
    for (const SettingSpec& setting : setting_table) {
        if (setting.default_value.empty()) continue;
        settings.values_.try_emplace(std::string{setting.key}, std::string{setting.default_value},
                                     SettingOrigin::default_value);
    }
    return settings;
}

void Settings::take(const Variables& variables, SettingOrigin origin) {
    const auto find = [&](std::string_view key, std::string_view suffix) -> const std::string* {
        for (const std::string& name : names_of(key)) {
            const auto found = variables.find(fmt::format("{}{}", name, suffix));
            if (found != variables.end() && !found->second.empty()) return &found->second;
        }
        return nullptr;
    };
    for (const SettingSpec& setting : setting_table) {
        const std::string* value = find(setting.key, "");
        const std::string* file = setting.is_secret ? find(setting.key, file_suffix) : nullptr;
        if (value != nullptr && file != nullptr) {
            throw Error{ErrorCode::config_invalid,
                        fmt::format("{}: {} and {}_FILE are both set", place_of(origin), setting.key, setting.key),
                        "keep one of them"};
        }
        if (values_.contains(setting.key)) continue;
        if (value != nullptr) {
            check_value(setting, *value, place_of(origin));
            values_.emplace(setting.key, Value{*value, origin});
        } else if (file != nullptr) {
            values_.emplace(setting.key, Value{read_setting_file(*file, SettingFile::secret), origin});
        }
    }
}

std::optional<std::string> Settings::get(std::string_view key) const {
    assert(find_setting(key) != nullptr);
    const auto found = values_.find(key);
    if (found == values_.end()) return std::nullopt;
    return found->second.value;
}

bool Settings::is_on(std::string_view key) const {
    constexpr std::array<std::string_view, 5> words{"true", "True", "1", "yes", "on"};
    const std::optional<std::string> value = get(key);
    return value && std::ranges::find(words, *value) != words.end();
}

SettingOrigin Settings::origin(std::string_view key) const {
    assert(find_setting(key) != nullptr);
    const auto found = values_.find(key);
    return found == values_.end() ? SettingOrigin::unset : found->second.origin;
}

std::string dotenv_example() {
    std::string text =
        "# Settings of decant. Copy to .env and uncomment what you change; a flag or an environment variable goes "
        "before\n"
        "# this file. Made by `decant config --env-example`.\n";
    for (const SettingSpec& setting : setting_table) {
        text += "\n" + commented(setting.help);
        if (!setting.allowed.empty()) text += fmt::format("# Allowed: {}\n", setting.allowed);
        if (setting.is_secret) text += fmt::format("# {}{} names a file that holds it.\n", setting.key, file_suffix);
        text += fmt::format("#{}={}\n", setting.key, setting.default_value);
    }
    return text;
}

std::string settings_document() {
    std::string text =
        "# Settings\n\nA flag goes before the environment, that before `.env`, that before the default; `decant "
        "config` shows "
        "what is in\nforce and where it came from. A secret may stand in a file of its own that KEY_FILE names. An "
        "empty "
        "value counts as\nunset; an unknown DECANT_* key is refused. This file is made by `decant config "
        "--markdown`.\n\n"
        "| key | default | allowed | what it is |\n| --- | --- | --- | --- |\n";
    for (const SettingSpec& setting : setting_table) {
        std::string allowed{setting.allowed};
        for (std::size_t bar = 0; (bar = allowed.find('|', bar)) != std::string::npos; bar += 2) {
            allowed.replace(bar, 1, ", ");
        }
        text += fmt::format("| {}{} | {} | {} | {} |\n", setting.key,
                            setting.is_secret ? fmt::format(", {}{}", setting.key, file_suffix) : "",
                            setting.default_value, allowed, setting.help);
    }
    return text;
}

}  // namespace decant
