#include "chat/detail/search_log.hpp"

#include <fmt/format.h>

namespace decant::chat::detail {
namespace {

using search::Strategy;

constexpr std::string_view agent_logger = "app.agents.subagent.product_agent";
constexpr std::string_view pgvector_logger = "app.agents.integrations.pgvector_integration";
constexpr std::string_view chroma_logger = "app.agents.integrations.chroma_integration";

std::string_view first_leg(const search::EngineOptions& options) {
    if (options.strategy == Strategy::chroma_primary || options.strategy == Strategy::chroma) return "chroma semantic";
    if (!options.use_pgvector || options.strategy == Strategy::keyword) return "keyword";
    return "pgvector semantic";
}

}  // namespace

void log_attempt(const search::EngineOptions& options, log::Level level) {
    if (log::is_enabled(level))
        log::named(agent_logger, level, fmt::format("Attempting {} search...", first_leg(options)));
}

void log_outcome(const search::Answer& answer, log::Level level) {
    for (const search::LegReport& leg : answer.legs) {
        const std::string_view name = search::leg_names[leg.leg];
        const std::string_view logger = leg.leg == search::Leg::pgvector ? pgvector_logger
                                        : leg.leg == search::Leg::chroma ? chroma_logger
                                                                         : agent_logger;
        if (leg.failure) {
            log::named(logger, log::Level::warning, fmt::format("{} search failed: {}", name, leg.failure->happened()));
            continue;
        }
        const std::string least = leg.leg == search::Leg::pgvector && answer.threshold
                                      ? fmt::format(" (similarity >= {})", *answer.threshold)
                                      : std::string{};
        log::named(logger, level, fmt::format("{} search found {} products{}", name, leg.found, least));
    }
    log::named(agent_logger, level,
               fmt::format("Using {} results: {} products found", answer.used, answer.hits.size()));
}

}  // namespace decant::chat::detail
