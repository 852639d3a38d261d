#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/http_stand_in.hpp"

namespace decant::test {

/// What a page is answered with in the place of its items.
enum class DuxFault {
    html,            ///< 200, a page for people
    cut_json,        ///< 200, half of the answer, whole as HTTP
    cut_connection,  ///< 200, the connection ends in the middle
    error_body,      ///< 200, JSON of an error
    unauthorized,    ///< 401
    forbidden,       ///< 403: the plan has no API
    server_error,    ///< 503
    silence,         ///< nothing, until the client gives up
};

/// How a 429 says when to come again.
enum class DuxHint { seconds, date, body, none };

/// A stand-in for the ERP DUX, as its public clients know it: /items and /rubros of version 1, /v2/items and /v2/rubros
/// of version 2. A request that a strict server would refuse (method, form of the key, accept, an unknown or bad
/// parameter, more than 50 items, faster than the pace, sooner than a 429 has asked for) is refused and kept as a
/// violation.
class DuxServer {
public:
    using Clock = std::function<std::chrono::steady_clock::time_point()>;
    struct Options {
        int version = 1;
        std::string key = "k3y-of-the-shop";
        std::chrono::milliseconds pace{0};  ///< the least from one request to the next; a quarter less is let pass
        Clock clock = [] { return std::chrono::steady_clock::now(); };
    };
    /// Changes the catalog while it is read.
    using Change = std::function<void(boost::json::array& items)>;

    DuxServer() : DuxServer(Options{}) {}
    explicit DuxServer(Options options);

    /// The catalog in the form of version 1, in the order of its pages; /rubros lists the categories in it. An item
    /// that is new or other than before has been changed on this day.
    void set_items(boost::json::array items, const std::string& day = "2026-01-01");
    boost::json::array items() const;

    /// The next `times` answers to requests for a page with the item of this offset; `times` < 0: all.
    void fail(std::size_t offset, DuxFault fault, int times = 1);
    void fail_rubros(DuxFault fault, int times = 1);
    /// The next `times` requests are too many: 429 that asks to wait for `wait`, which a sooner one violates.
    void refuse(DuxHint hint, std::chrono::seconds wait, int times = 1);
    /// Once, before the first answer to a request for a page with the item of this offset.
    void before(std::size_t offset, Change change);
    /// Before every answer to a request for items.
    void before_all(Change change);
    /// What every answer to a request for items has in the place of a text of its own.
    void replace(const std::string& text, const std::string& other);
    /// Called with each offset that is asked for, before it is answered.
    void watch(std::function<void(std::size_t offset)> watcher);

    std::string url() const { return http_.url(); }
    /// KEY=VALUE for the program: address, key, version, pace and timeouts that suit a test.
    std::vector<std::string> environment() const;
    /// The offsets asked of /items, in their order.
    std::vector<std::size_t> offsets() const;
    /// What /items was asked, after '?', in their order.
    std::vector<std::string> queries() const;
    std::size_t requests() const { return http_.requests().size(); }
    std::vector<std::string> violations() const;

private:
    struct Dated {
        boost::json::value item;
        std::string day;
    };
    struct Page {
        std::size_t offset = 0;
        std::size_t limit = 0;
        std::string changed_since;  ///< empty: any day
        std::optional<bool> is_enabled;
    };
    struct Trouble {
        std::size_t offset;
        DuxFault fault;
        int times;
    };
    struct Refusal {
        DuxHint hint;
        std::chrono::seconds wait;
        int times;
    };

    StandInAnswer answer(const StandInRequest& request);
    std::optional<StandInAnswer> refusal_of(const StandInRequest& request);
    std::optional<StandInAnswer> too_fast();
    StandInAnswer too_many(DuxHint hint, std::chrono::seconds wait) const;
    StandInAnswer items_page(const std::string& query);
    StandInAnswer rubros() const;
    void apply(const Change& change);
    std::optional<Page> page_of(const std::string& query);
    boost::json::object page_json(const Page& page) const;
    StandInAnswer violation(int status, const std::string& what);
    StandInAnswer error(int status, const std::string& message) const;
    StandInAnswer faulty(DuxFault fault, const std::string& whole) const;
    std::optional<DuxFault> take_trouble(std::vector<Trouble>& troubles, std::size_t first, std::size_t count) const;

    Options options_;
    mutable std::mutex mutex_;
    std::vector<Dated> items_;
    std::vector<Trouble> troubles_;
    std::vector<Trouble> rubro_troubles_;
    std::vector<Refusal> refusals_;
    std::map<std::size_t, Change> changes_;
    Change change_of_all_;
    std::map<std::string, std::string> replaced_;
    std::function<void(std::size_t)> watcher_;
    std::vector<std::size_t> offsets_;
    std::vector<std::string> queries_;
    std::vector<std::string> violations_;
    std::optional<std::chrono::steady_clock::time_point> next_allowed_;
    std::optional<std::chrono::steady_clock::time_point> asked_to_wait_until_;
    HttpStandIn http_;  ///< last: its threads use the others
};

}  // namespace decant::test
