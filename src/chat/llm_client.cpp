#include "chat/llm_client.hpp"

#include <chrono>

#include "chat/detail/served_llm.hpp"
#include "core/error.hpp"
#include "core/log.hpp"

namespace decant::chat {
namespace {

std::string require_model(const Settings& settings, const std::string& key) {
    if (auto model = settings.get(key)) return *model;
    throw Error{ErrorCode::config_invalid,
                "DECANT_LLM is " + settings.get("DECANT_LLM").value_or("") + ", and no model is named",
                "Set " + key + " to the model that words the answers, or DECANT_LLM to none."};
}

std::chrono::seconds timeout_of(const Settings& settings) {
    return std::chrono::seconds{std::stoi(settings.get("DECANT_LLM_TIMEOUT").value_or("60"))};
}

std::unique_ptr<LlmClient> open_ollama(const Settings& settings) {
    return std::make_unique<detail::ServedLlm>(
        detail::LlmSetup{.api = detail::LlmApi::ollama,
                         .url = settings.get("OLLAMA_API_URL").value_or("http://localhost:11434"),
                         .model = require_model(settings, "OLLAMA_API_MODEL"),
                         .timeout = timeout_of(settings)});
}

std::unique_ptr<LlmClient> open_openai(const Settings& settings) {
    const detail::LlmSetup setup{.api = detail::LlmApi::openai,
                                 .url = settings.get("OPENAI_BASE_URL").value_or("https://api.openai.com/v1"),
                                 .model = require_model(settings, "DECANT_LLM_MODEL"),
                                 .key = settings.get("OPENAI_API_KEY").value_or(""),
                                 .timeout = timeout_of(settings)};
    const net::Url url = net::parse_url(setup.url, "OPENAI_BASE_URL");
    if (!setup.key.empty() && url.scheme == "http" && !url.is_loopback())
        log::warning("{} is not encrypted: OPENAI_API_KEY passes in the open.", url.text());
    return std::make_unique<detail::ServedLlm>(setup);
}

}  // namespace

std::unique_ptr<LlmClient> open_llm(const Settings& settings) {
    const std::string named = settings.get("DECANT_LLM").value_or("auto");
    if (named == "openai") return open_openai(settings);
    if (named == "ollama" || (named == "auto" && settings.get("OLLAMA_API_MODEL"))) return open_ollama(settings);
    return nullptr;
}

}  // namespace decant::chat
