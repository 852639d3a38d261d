#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <random>
#include <stop_token>
#include <string>

#include "core/settings.hpp"
#include "net/http_client.hpp"
#include "sync/dux_item.hpp"
#include "sync/rate_pacer.hpp"

namespace decant::sync {

struct DuxSetup {
    net::Url url;
    std::string key;
    int version = 1;
    std::chrono::milliseconds timeout{30'000};
    std::chrono::milliseconds interval{5'000};
    std::size_t page_items = 50;
    int retries = 4;  ///< further tries of a page
    DuxReading reading = {};

    /// DUX_*. Throws Error{config_invalid}.
    static DuxSetup from(const Settings& settings);
};

/// The DUX ERP's list of items, a page at a time, within its pace. One thread at a time.
class DuxClient {
public:
    /// `since_last`: how long ago the last request before was.
    DuxClient(DuxSetup setup, std::chrono::milliseconds since_last, std::stop_token stop = {});

    /// Of version 2: only items that changed on this day (YYYY-MM-DD) or later.
    void only_since(std::string day) { since_ = std::move(day); }

    /// A page whose content is of no use after all tries has a fault. Throws Error: unauthenticated and forbidden (401,
    /// 403), source_unavailable (no connection, timeouts, 5xx, 429 without end or for over ten minutes),
    /// source_unreadable (another status), cancelled.
    Page page(std::size_t offset);

    const DuxSetup& setup() const noexcept { return setup_; }

private:
    struct Failure {
        std::string what;
        std::optional<std::chrono::milliseconds> wait = {};  ///< as the answer asks for
        bool is_content = false;                             ///< it answered, but what is of no use
    };
    std::string path_of(std::size_t offset) const;
    Failure failure_of(const net::HttpResponse& response) const;
    std::chrono::milliseconds pause_after(const Failure& failure, int attempt);

    DuxSetup setup_;
    std::stop_token stop_;
    std::string since_;
    net::HttpClient http_;
    DuxPages pages_;
    RatePacer pacer_;
    std::minstd_rand random_;
};

}  // namespace decant::sync
