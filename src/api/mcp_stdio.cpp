#include "api/mcp_stdio.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include <poll.h>
#include <unistd.h>

#include "api/mcp_message.hpp"
#include "api/routes.hpp"
#include "core/json_members.hpp"
#include "core/log.hpp"

namespace decant::api {
namespace {

using namespace std::chrono_literals;

/// As many as a body over HTTP may have.
constexpr std::size_t most_line_bytes = 1024 * 1024;
constexpr auto most_drain_time = 10s;
constexpr int poll_milliseconds = 100;

struct Line {
    std::string text;
    bool is_whole = true;  ///< false: it was longer than what is taken, and is its beginning
};

/// Lines of a descriptor, each at most most_line_bytes in memory.
class LineReader {
public:
    LineReader(int descriptor, std::function<bool()> is_end_asked)
        : descriptor_(descriptor), is_end_asked_(std::move(is_end_asked)) {}

    /// None at the end.
    std::optional<Line> next() {
        Line line;
        while (true) {
            const std::size_t end = buffer_.find('\n');
            take(line, end);
            if (end != std::string::npos) return line;
            if (!fill()) break;
        }
        return line.text.empty() ? std::nullopt : std::optional{std::move(line)};
    }

private:
    void take(Line& line, std::size_t end) {
        const std::size_t count = std::min(end, buffer_.size());
        const std::size_t room = most_line_bytes - line.text.size();
        line.text.append(buffer_, 0, std::min(count, room));
        if (count > room) line.is_whole = false;
        buffer_.erase(0, end == std::string::npos ? count : count + 1);
    }

    bool fill() {
        while (!is_end_asked_()) {
            pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
            const int ready = poll(&waiting, 1, poll_milliseconds);
            if (ready < 0 && errno != EINTR) return false;
            if (ready <= 0) continue;
            buffer_.resize(64UL * 1024);
            const ssize_t count = read(descriptor_, buffer_.data(), buffer_.size());
            buffer_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
            return count > 0;
        }
        return false;
    }

    int descriptor_;
    std::function<bool()> is_end_asked_;
    std::string buffer_;
};

/// Where answers go, and which requests are still to be answered. Any thread.
class Outbox {
public:
    explicit Outbox(int descriptor) : descriptor_(descriptor) {}

    void write(std::string line) {
        line += '\n';
        const std::lock_guard lock{mutex_};
        std::string_view rest = line;
        while (!rest.empty() && !is_broken_) {
            const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
            if (count > 0)
                rest.remove_prefix(static_cast<std::size_t>(count));
            else if (errno != EINTR)
                is_broken_ = true;
        }
    }
    bool is_broken() const {
        const std::lock_guard lock{mutex_};
        return is_broken_;
    }

    void begin() {
        const std::lock_guard lock{mutex_};
        ++open_;
    }
    void end() {
        const std::lock_guard lock{mutex_};
        --open_;
        is_done_.notify_all();
    }
    bool wait_for_all() {
        std::unique_lock lock{mutex_};
        return is_done_.wait_for(lock, most_drain_time, [this] { return open_ == 0; });
    }

private:
    int descriptor_;
    mutable std::mutex mutex_;
    std::condition_variable is_done_;
    std::size_t open_ = 0;
    bool is_broken_ = false;
};

/// One message as a request of this machine's own user to the route of the protocol.
class LineExchange final : public net::Exchange {
public:
    LineExchange(std::shared_ptr<Outbox> outbox, net::ServerRequest request, json::value id)
        : outbox_(std::move(outbox)), request_(std::move(request)), id_(std::move(id)) {
        outbox_->begin();
    }
    LineExchange(const LineExchange&) = delete;
    LineExchange& operator=(const LineExchange&) = delete;
    ~LineExchange() override {
        if (!is_answered_) reply({.status = 500});
        outbox_->end();
    }

    const net::ServerRequest& request() const noexcept override { return request_; }
    std::stop_token left() const noexcept override { return left_.get_token(); }

    void reply(net::ServerResponse response) override {
        is_answered_ = true;
        const bool is_message = !response.body.empty() && is_rpc(response);
        if (left_.stop_requested() || (!is_message && id_.is_null())) return;
        outbox_->write(is_message ? std::move(response.body) : json_text(rpc_error(fault_of(response))));
    }
    void begin_stream(net::ServerResponse response) override { reply(std::move(response)); }
    bool write(std::string /*bytes*/) override { return false; }
    void end_stream() override {}

    /// Nobody wants the answer any more.
    void cancel() { left_.request_stop(); }

private:
    static bool is_rpc(const net::ServerResponse& response) {
        return std::ranges::any_of(response.headers, [](const auto& header) {
            return header.first == "Content-Type" && header.second == "application/json";
        });
    }

    /// Of what the server refused before the protocol's own route saw it.
    RpcFault fault_of(const net::ServerResponse& response) const {
        boost::system::error_code no_json;
        const json::value body = json::parse(response.body, no_json);
        const auto detail = body.is_object() ? text_member(body.get_object(), "detail") : std::nullopt;
        return {.code = RpcCode::internal_error,
                .message = detail.value_or("Something went wrong in the server; its log says what."),
                .id = id_};
    }

    std::shared_ptr<Outbox> outbox_;
    net::ServerRequest request_;
    json::value id_;  ///< null: no answer is wanted
    std::stop_source left_;
    bool is_answered_ = false;
};

net::ServerRequest request_of(std::string line, const std::string& token) {
    return {.method = "POST",
            .target = std::string{mcp_path},
            .headers = {{"host", "localhost"},
                        {"authorization", "Bearer " + token},
                        {"content-type", "application/json"},
                        {"accept", "application/json"}},
            .body = std::move(line),
            .peer = "127.0.0.1",
            .is_loopback = true,
            .arrived = std::chrono::steady_clock::now()};
}

/// Requests by their ids, for as long as somebody works at them.
class OpenRequests {
public:
    void add(const json::value& id, const std::shared_ptr<LineExchange>& exchange) {
        std::erase_if(open_, [](const auto& one) { return one.second.expired(); });
        open_[json_text(id)] = exchange;
    }
    void cancel(const json::object& params) {
        const json::value* id = given_member(params, "requestId");
        const auto found = id == nullptr ? open_.end() : open_.find(json_text(*id));
        if (found == open_.end()) return;
        if (const auto exchange = found->second.lock()) exchange->cancel();
    }

private:
    std::map<std::string, std::weak_ptr<LineExchange>> open_;
};

}  // namespace

void serve_mcp(Server& server, const McpStdio& streams) {
    const auto outbox = std::make_shared<Outbox>(streams.out);
    LineReader lines{streams.in, streams.is_end_asked};
    OpenRequests requests;
    while (auto line = outbox->is_broken() ? std::nullopt : lines.next()) {
        if (line->text.ends_with('\r')) line->text.pop_back();
        if (line->text.empty()) continue;
        if (!line->is_whole) {
            outbox->write(json_text(rpc_error(
                {.message = fmt::format("The message is longer than the {} bytes that are taken", most_line_bytes)})));
            continue;
        }
        const auto read = read_rpc_message(line->text);
        if (const auto* fault = std::get_if<RpcFault>(&read)) {
            outbox->write(json_text(rpc_error(*fault)));
            continue;
        }
        const auto& message = std::get<RpcMessage>(read);
        if (message.kind != RpcMessage::Kind::request) {
            if (message.method == "notifications/cancelled") requests.cancel(message.params);
            continue;
        }
        const auto exchange =
            std::make_shared<LineExchange>(outbox, request_of(std::move(line->text), server.local_token()), message.id);
        requests.add(message.id, exchange);
        server.answer(exchange);
    }
    if (!outbox->wait_for_all()) log::warning("some requests were not answered");
}

}  // namespace decant::api
