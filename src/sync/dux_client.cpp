#include "sync/dux_client.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <charconv>
#include <cmath>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/utf8.hpp"
#include "net/retry_after.hpp"

namespace decant::sync {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

/// "Too many requests" says when to come again, so it is no failure, up to a point.
constexpr int most_refusals = 20;
constexpr milliseconds longest_pause = 60s;
constexpr milliseconds longest_wait = 10min;  ///< over it another run does the rest
constexpr double most_hint_seconds = 1e7;

double number_of(const Settings& settings, std::string_view key, double least, double most) {
    const std::string text = settings.get(key).value_or("");
    double value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) || value < least ||
        value > most)
        throw Error{ErrorCode::config_invalid,
                    fmt::format("{}={} is no number from {} to {}", key, printable(text), least, most),
                    fmt::format("Set {} to such a number.", key)};
    return value;
}

std::string required(const Settings& settings, std::string_view key) {
    std::string value = settings.get(key).value_or("");
    if (value.empty())
        throw Error{ErrorCode::config_invalid, fmt::format("{} is not set", key),
                    fmt::format("Set {}: docs/sync.md.", key)};
    return value;
}

Error closed_until(milliseconds wait) {
    const auto then = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now() + wait);
    return {ErrorCode::source_unavailable,
            fmt::format("The DUX API wants to be left alone until {:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(then)),
            "Run it again then: it goes on where this one ended."};
}

net::HttpService service_of(const DuxSetup& setup) {
    const std::string bearer = setup.version == 2 ? "Bearer " : "";
    return {.name = "The DUX API",
            .url = setup.url,
            .headers = {"authorization: " + bearer + setup.key, "accept: application/json"},
            .unavailable = ErrorCode::source_unavailable,
            .unavailable_remedy = "Run it again when DUX_API_BASE_URL answers: it goes on where this one ended.",
            .connect_timeout = std::min(setup.timeout, milliseconds{10s}),
            .idle_timeout = setup.timeout,
            .total_timeout = setup.timeout};
}

}  // namespace

DuxSetup DuxSetup::from(const Settings& settings) {
    const auto seconds = [&](std::string_view key, double least, double most) {
        return milliseconds{std::llround(number_of(settings, key, least, most) * 1000)};
    };
    return {.url = net::parse_url(required(settings, "DUX_API_BASE_URL"), "DUX_API_BASE_URL"),
            .key = required(settings, "DUX_API_KEY"),
            .version = static_cast<int>(number_of(settings, "DUX_API_VERSION", 1, 2)),
            .timeout = seconds("DUX_API_TIMEOUT", 0.1, 600),
            .interval = seconds("DUX_API_RATE_LIMIT_SECONDS", 0, 3600),
            .page_items = static_cast<std::size_t>(number_of(settings, "DUX_SYNC_BATCH_SIZE", 2, 50)),
            .retries = static_cast<int>(number_of(settings, "DUX_API_RETRIES", 0, 20)),
            .reading = {.mark = decimal_mark_names.find(settings.get("DUX_DECIMAL_MARK").value_or("auto"))
                                    .value_or(DecimalMark::automatic),
                        .price_list = required(settings, "DUX_PRICE_LIST"),
                        .stock_location = required(settings, "DUX_STOCK_LOCATION")}};
}

DuxClient::DuxClient(DuxSetup setup, milliseconds since_last, std::stop_token stop)
    : setup_(std::move(setup)),
      stop_(std::move(stop)),
      http_(service_of(setup_)),
      pages_(setup_.reading),
      pacer_(setup_.interval, since_last, [this](milliseconds span) { return sleep_unless_interrupted(span, stop_); }),
      random_(std::random_device{}()) {
    http_.limit({.stop = stop_, .tries = 1});
}

std::string DuxClient::path_of(std::size_t offset) const {
    std::string path =
        fmt::format("{}/items?offset={}&limit={}", setup_.version == 2 ? "/v2" : "", offset, setup_.page_items);
    if (!since_.empty()) path += "&fecha_ult_actualizacion=" + since_;
    return path;
}

DuxClient::Failure DuxClient::failure_of(const net::HttpResponse& response) const {
    if (response.status == 401)
        throw Error{ErrorCode::unauthenticated, "The DUX API does not accept the key (401)",
                    "Set DUX_API_KEY to a valid one."};
    if (response.status == 403)
        throw Error{ErrorCode::forbidden, "The DUX API refuses this key (403): the plan of the account may have no API",
                    "Ask DUX for a plan with API access, or set another DUX_API_KEY."};
    if (response.status != 429 && response.status != 408 && response.status < 500)
        throw Error{ErrorCode::source_unreadable,
                    fmt::format("The DUX API answered {} to {}", response.status, setup_.url.text()),
                    "Set DUX_API_BASE_URL and DUX_API_VERSION to an API that lists items."};
    Failure failure{.what = fmt::format("it answered {}", response.status)};
    const auto header = response.headers.find("retry-after");
    if (header != response.headers.end()) failure.wait = net::retry_after(header->second);
    if (!failure.wait) {
        boost::system::error_code is_no_json;
        const json::value body = json::parse(response.body, is_no_json);
        const json::value* hint = is_no_json ? nullptr : body.find_pointer("/error/reintentar_en_segundos", is_no_json);
        if (hint != nullptr && hint->is_number()) {
            const double seconds = std::clamp(hint->to_number<double>(), 0.0, most_hint_seconds);
            failure.wait = milliseconds{std::llround(seconds * 1000)};
        }
    }
    return failure;
}

/// As it asked for; else twice as long each time, with jitter, so that two clients do not meet again.
milliseconds DuxClient::pause_after(const Failure& failure, int attempt) {
    if (failure.wait) return *failure.wait;
    const auto base = std::max(setup_.interval, milliseconds{200});
    const double factor = std::uniform_real_distribution{0.5, 1.0}(random_)*std::pow(2, attempt);
    return std::min(longest_pause, std::chrono::duration_cast<milliseconds>(base * factor));
}

Page DuxClient::page(std::size_t offset) {
    int refusals = 0;
    milliseconds pause{0};
    for (int attempt = 0;;) {
        if (!pacer_.wait(pause))
            throw Error{ErrorCode::cancelled, "The sync was ended while it waited for DUX",
                        "Run it again: it goes on where this one ended."};
        Failure failure;
        bool is_refused = false;
        try {
            const net::HttpResponse response = http_.send({.path = path_of(offset), .tries = 1});
            if (response.is_ok()) {
                Page page = pages_.read(response.body, offset);
                if (page.fault.empty() || attempt >= setup_.retries) return page;
                failure = {.what = page.fault};
            } else {
                failure = failure_of(response);
                is_refused = response.status == 429;
            }
        } catch (const Error& error) {
            if (!error.is_retryable() && error.code() != ErrorCode::too_large) throw;
            failure = {.what = error.happened()};
        }
        if (failure.wait && *failure.wait > longest_wait) throw closed_until(*failure.wait);
        if (is_refused && ++refusals <= most_refusals) {
            pause = pause_after(failure, std::min(refusals, 5) - 1);
            continue;
        }
        if (attempt >= setup_.retries) {
            throw Error{
                ErrorCode::source_unavailable,
                fmt::format("The DUX API gave no page at offset {} in {} tries: {}", offset, attempt + 1, failure.what),
                "Run it again when it answers: it goes on where this one ended."};
        }
        pause = pause_after(failure, attempt++);
    }
}

}  // namespace decant::sync
