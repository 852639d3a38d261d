#pragma once

#include <memory>
#include <optional>

#include "api/services.hpp"
#include "chat/llm_client.hpp"
#include "pg/connection.hpp"
#include "search/engine.hpp"

namespace decant::api {

/// What one thread of a lane works with. Its connection is opened when it is first needed, and again after the database
/// was away.
class Worker {
public:
    /// `services` must outlive it.
    explicit Worker(Services& services) : services_(services) {}

    Services& services() noexcept { return services_; }
    /// Throws Error{store_unavailable}.
    pg::Connection& db();
    search::Engine& engine();
    /// Null where none is configured. Throws Error{config_invalid}.
    chat::LlmClient* llm();
    void drop() noexcept;
    /// The connection broke: drops it and has the database looked for.
    void lost();

private:
    Services& services_;
    std::uint64_t generation_ = 0;
    std::uint64_t options_version_ = 0;
    std::unique_ptr<pg::Connection> db_;
    std::unique_ptr<search::Engine> engine_;
    std::optional<std::unique_ptr<chat::LlmClient>> llm_;
};

}  // namespace decant::api
