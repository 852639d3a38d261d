#include "tests/support/search_load.hpp"

#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <utility>

#include "tests/support/raw_client.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

bool connect(std::optional<RawClient>& client, std::uint16_t port) {
    try {
        client.emplace(port);
        return true;
    } catch (const std::runtime_error&) {
        return false;
    }
}

std::optional<RawAnswer> ask(RawClient& client, const std::string& request) {
    try {
        return client.send(request) ? client.read_answer() : std::nullopt;
    } catch (const std::runtime_error&) {
        return std::nullopt;  // cut or silent
    }
}

}  // namespace

std::string json_post(const std::string& path, const std::string& body, bool keeps_alive) {
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\n\r\n{}", path,
        keeps_alive ? "" : "Connection: close\r\n", body.size(), body);
}

SearchLoad::SearchLoad(std::uint16_t port, std::size_t callers) {
    for (std::size_t number = 0; number < callers; ++number)
        callers_.emplace_back([this, port, number] { call(port, number); });
}

SearchLoad::~SearchLoad() {
    stop();
}

std::vector<LoadSample> SearchLoad::stop() {
    is_stopping_ = true;
    return wait();
}

std::vector<LoadSample> SearchLoad::wait() {
    for (std::thread& caller : callers_)
        caller.join();
    callers_.clear();
    return std::exchange(samples_, {});
}

void SearchLoad::call(std::uint16_t port, std::size_t number) {
    const bool keeps_alive = number % 4 != 3;
    std::optional<RawClient> client;
    for (std::size_t count = number; !is_stopping_; count += 7) {
        const bool is_first = !client;
        if (is_first && !connect(client, port)) return;
        const std::string request = json_post("/api/v1/pgvector/search",
                                              fmt::format(R"({{"query": "producto {}"}})", count % 199), keeps_alive);
        const auto start = Clock::now();
        const std::optional<RawAnswer> answer = ask(*client, request);
        const auto end = Clock::now();
        LoadSample sample{.end = end,
                          .milliseconds = std::chrono::duration<double, std::milli>(end - start).count(),
                          .is_first = is_first};
        if (answer) {
            sample.status = answer->status;
            sample.is_problem = net::header(answer->headers, "content-type") == "application/problem+json";
            if (answer->status != 200) sample.body = answer->body;
        }
        keep(sample);
        if (sample.status == 503) std::this_thread::sleep_for(5ms);
        if (!answer || net::header(answer->headers, "connection") == "close") client.reset();
    }
}

void SearchLoad::keep(const LoadSample& sample) {
    const std::lock_guard lock{mutex_};
    samples_.push_back(sample);
    if (sample.status == 200) ++answered_;
}

}  // namespace decant::test
