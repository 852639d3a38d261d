#include "chroma/server_query.hpp"

#include <optional>
#include <utility>

#include "chroma/detail/server_api.hpp"

namespace decant::chroma {
namespace {

/// Once more for a connection that the server closed meanwhile; a server that is down is not worth a person's wait.
constexpr int most_tries = 2;

}  // namespace

struct ServerQuery::State {
    SourceAddress address;
    CollectionName wanted;
    net::HttpLimits limits{.tries = most_tries};
    std::optional<detail::ServerApi> api;
    std::optional<Collection> collection;

    detail::ServerApi& connected() {
        if (!api) api.emplace(address, limits);
        return *api;
    }
};

ServerQuery::ServerQuery(SourceAddress address, CollectionName collection)
    : state_(new State{.address = std::move(address), .wanted = std::move(collection)}) {}
ServerQuery::~ServerQuery() = default;

void ServerQuery::limit(const ServerPatience& patience) {
    state_->limits = {.deadline = patience.deadline, .stop = patience.stop, .tries = most_tries};
    if (state_->api) state_->api->limit(state_->limits);
}

bool ServerQuery::knows_collection() const noexcept {
    return state_->collection && state_->collection->dimension;
}

void ServerQuery::forget_collection() noexcept {
    state_->collection.reset();
}

const Collection& ServerQuery::collection() {
    auto& known = state_->collection;
    if (knows_collection()) return *known;
    forget_collection();
    detail::ServerApi& api = state_->connected();
    const std::vector<Collection> all = api.collections();
    known = find_collection(all, state_->wanted, api.url());
    return *known;
}

std::uint64_t ServerQuery::count() {
    return state_->connected().count(collection());
}

ServerQuery::Nearest ServerQuery::nearest(const Question& question) {
    return state_->connected().nearest(collection(), question);
}

}  // namespace decant::chroma
