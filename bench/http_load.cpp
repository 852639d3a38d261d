// The load of scripts/bench server: many HTTP/1.1 callers in one thread.
//
//   http_load PORT CONNECTIONS SECONDS RATE REQUESTS
//
// REQUESTS is a file with one request a line, asked in turn: a path, and after a blank the JSON that is posted there.
// RATE is how many are due a second, whether or not others are answered: time counts from when a request is due, also
// while all connections are busy. With RATE 0 every connection asks again as soon as it has its answer. Prints JSON:
// answers with status 200 a second, their milliseconds (p50, p95, p99, and all of them), those of refusals (503), and
// how many requests failed.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <deque>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct Task {
    std::uint16_t port;
    std::size_t connections;
    double seconds;
    double rate;
    std::vector<std::string> requests;
};

Task read_task(const std::vector<std::string>& given) {
    Task task{.port = static_cast<std::uint16_t>(std::stoul(given[0])),
              .connections = std::stoul(given[1]),
              .seconds = std::stod(given[2]),
              .rate = std::stod(given[3]),
              .requests = {}};
    std::ifstream file{given[4]};
    for (std::string line; std::getline(file, line);) {
        const std::size_t blank = std::min(line.find(' '), line.size());
        const std::string body = line.substr(std::min(blank + 1, line.size()));
        task.requests.push_back(
            fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n", body.empty() ? "GET" : "POST", line.substr(0, blank)));
        if (!body.empty())
            task.requests.back() +=
                fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
        task.requests.back() += "\r\n" + body;
    }
    if (task.requests.empty()) throw std::runtime_error("no requests in " + given[4]);
    return task;
}

int connect_to(std::uint16_t port) {
    const int file = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (file < 0 || ::connect(file, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("no connection");
    const int yes = 1;
    ::setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return file;
}

/// Content-Length of an answer whose head is whole.
std::size_t body_bytes(std::string_view head) {
    constexpr std::string_view name = "Content-Length: ";
    const std::size_t at = head.find(name);
    std::size_t bytes = 0;
    if (at != std::string_view::npos) std::from_chars(head.data() + at + name.size(), head.data() + head.size(), bytes);
    return bytes;
}

struct Caller {
    int file = -1;
    std::string answer = {};
    Clock::time_point due = {};
    bool is_busy = false;
};

class Load {
public:
    explicit Load(Task task) : task_(std::move(task)), callers_(task_.connections), poll_(::epoll_create1(0)) {
        for (std::size_t number = 0; number < callers_.size(); ++number)
            open(number);
    }

    void run() {
        const auto start = Clock::now();
        const auto end =
            start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(task_.seconds));
        const auto interval = std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>(task_.rate > 0 ? 1 / task_.rate : 0));
        for (auto next = start; Clock::now() < end;) {
            for (const auto now = Clock::now(); task_.rate > 0 && next <= now; next += interval)
                due_.push_back(next);
            while (!idle_.empty() && (task_.rate <= 0 || !due_.empty()))
                ask();
            wait(task_.rate > 0 ? std::max<Clock::duration>(next - Clock::now(), 0ns) : Clock::duration{100ms});
        }
        print(std::chrono::duration<double>(Clock::now() - start).count());
    }

private:
    void open(std::size_t number) {
        Caller& caller = callers_[number];
        if (caller.file >= 0) ::close(caller.file);
        caller = {.file = connect_to(task_.port)};
        epoll_event event{.events = EPOLLIN, .data = {.u64 = number}};
        ::epoll_ctl(poll_, EPOLL_CTL_ADD, caller.file, &event);
        idle_.push_back(number);
    }

    void ask() {
        const std::size_t number = idle_.front();
        idle_.pop_front();
        Caller& caller = callers_[number];
        caller.due = Clock::now();
        if (task_.rate > 0) {
            caller.due = due_.front();
            due_.pop_front();
        }
        caller.is_busy = true;
        const std::string& request = task_.requests[asked_++ % task_.requests.size()];
        if (::send(caller.file, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
            fail(number);
    }

    void wait(Clock::duration span) {
        std::array<epoll_event, 256> events;
        const auto whole = std::chrono::duration_cast<std::chrono::seconds>(span);
        const timespec limit{.tv_sec = whole.count(), .tv_nsec = std::chrono::nanoseconds{span - whole}.count()};
        const int count = ::epoll_pwait2(poll_, events.data(), static_cast<int>(events.size()), &limit, nullptr);
        for (int i = 0; i < count; ++i)
            read(events[static_cast<std::size_t>(i)].data.u64);
    }

    void read(std::size_t number) {
        Caller& caller = callers_[number];
        std::array<char, 65536> buffer;
        const ssize_t got = ::recv(caller.file, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got <= 0) return fail(number);
        caller.answer.append(buffer.data(), static_cast<std::size_t>(got));
        const std::size_t head = caller.answer.find("\r\n\r\n");
        if (head == std::string::npos) return;
        if (caller.answer.size() < head + 4 + body_bytes(std::string_view{caller.answer}.substr(0, head))) return;
        const double milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - caller.due).count();
        const std::string_view status = std::string_view{caller.answer}.substr(9, 3);
        if (status == "200") answered_.push_back(milliseconds);
        if (status == "503") refused_.push_back(milliseconds);
        if (status != "200" && status != "503") ++failed_;
        caller.answer.clear();
        caller.is_busy = false;
        idle_.push_back(number);
    }

    void fail(std::size_t number) {
        if (callers_[number].is_busy) ++failed_;
        if (const auto place = std::ranges::find(idle_, number); place != idle_.end()) idle_.erase(place);
        open(number);
    }

    static double percentile(std::vector<double>& values, std::size_t percent) {
        if (values.empty()) return 0;
        const auto place = values.begin() + static_cast<std::ptrdiff_t>(values.size() * percent / 100);
        std::ranges::nth_element(values, place);
        return *place;
    }

    void print(double seconds) {
        fmt::print(R"({{"rate": {:.2f}, "p50": {:.4f}, "p95": {:.4f}, "p99": {:.4f}, "answered": {}, "refused": {}, )"
                   R"("refused_p99": {:.4f}, "failed": {}, "unsent": {}, "milliseconds": [{:.4f}]}})"
                   "\n",
                   static_cast<double>(answered_.size()) / seconds, percentile(answered_, 50),
                   percentile(answered_, 95), percentile(answered_, 99), answered_.size(), refused_.size(),
                   percentile(refused_, 99), failed_, due_.size(), fmt::join(answered_, ", "));
    }

    Task task_;
    std::vector<Caller> callers_;
    int poll_;
    std::deque<std::size_t> idle_;
    std::deque<Clock::time_point> due_;  ///< of requests that wait for a connection
    std::size_t asked_ = 0;
    std::vector<double> answered_;
    std::vector<double> refused_;
    std::size_t failed_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
    const std::vector<std::string> given{arguments + 1, arguments + count};
    if (given.size() != 5) {
        fmt::print(stderr, "usage: http_load PORT CONNECTIONS SECONDS RATE REQUESTS\n");
        return 2;
    }
    try {
        Load{read_task(given)}.run();
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 1;
    }
    return 0;
}
