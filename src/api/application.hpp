#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "api/access.hpp"
#include "api/lane.hpp"
#include "api/rate_limiter.hpp"
#include "api/route.hpp"
#include "api/services.hpp"

namespace decant::api {

struct LaneSizes {
    std::size_t search_threads = 4;
    std::size_t search_waiting = 128;
    std::size_t chat_threads = 8;
    std::size_t chat_waiting = 32;
    std::size_t work_threads = 2;
    std::size_t work_waiting = 64;
    std::size_t embedding_threads = 1;  ///< the model is one, and batches for it keep nobody else's work waiting
    std::size_t embedding_waiting = 16;
};

/// From a request to its answer: route, host, access, rate, lane, validation, handler. Owns the lanes.
class Application {
public:
    /// `services`, `access` and `limiter` must outlive it.
    Application(RouteTable routes, Services& services, Access& access, RateLimiter& limiter, LaneSizes sizes = {});
    ~Application();

    /// On the I/O thread: answers at once or hands on to a lane.
    void handle(std::shared_ptr<net::Exchange> exchange);

    const RouteTable& routes() const noexcept { return routes_; }
    std::vector<LaneState> lanes() const;

private:
    struct Admitted;

    void dispatch(const std::shared_ptr<net::Exchange>& exchange, const std::string& request_id,
                  const RouteTable::Found& found);
    /// What every answer has; counts it. `route` null: there is no such path.
    void finish(const net::ServerRequest& request, const Route* route, const std::string& request_id,
                net::ServerResponse& response) const;
    void count(const net::ServerRequest& request, const Route* route, int status) const;
    void add_headers(const net::ServerRequest& request, const std::string& request_id,
                     net::ServerResponse& response) const;
    void answer_options(const net::ServerRequest& request, const std::string& allowed,
                        net::ServerResponse& response) const;
    void answer(const Admitted& admitted, Worker* worker);
    Reply run(const Admitted& admitted, Worker* worker);
    Lane* lane_of(LaneKind kind);

    RouteTable routes_;
    Services& services_;
    Access& access_;
    RateLimiter& limiter_;
    Lane search_;
    Lane chat_;
    Lane work_;
    Lane embedding_;
};

}  // namespace decant::api
