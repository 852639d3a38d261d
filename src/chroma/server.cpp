#include "chroma/server.hpp"

#include <fmt/format.h>

#include <utility>

#include "chroma/detail/server_api.hpp"
#include "chroma/detail/server_reader.hpp"

namespace decant::chroma {
namespace {

class Server final : public Source {
public:
    explicit Server(const SourceAddress& address) : address_(address), api_(address), collections_(api_.collections()) {
        const net::Url url = net::parse_url(address.from, "The source");
        const bool has_secret = !address.token.empty() || !address.password.empty();
        if (has_secret && url.scheme == "http" && !url.is_loopback()) {
            findings_.push_back({Finding::Severity::warning, "connection",
                                 fmt::format("{} is not encrypted: the credentials pass in the open.", url.text())});
        }
    }

    bool is_server() const noexcept override { return true; }
    std::string name() const override { return api_.url(); }
    std::string location() const override { return api_.url(); }
    const std::optional<Snapshot>& snapshot() const noexcept override { return snapshot_; }
    const std::vector<Collection>& collections() const noexcept override { return collections_; }
    const std::vector<Finding>& findings() const noexcept override { return findings_; }

    CollectionSurvey survey(const Collection& collection) const override {
        return {.collection = collection, .records = api_.count(collection), .tells_places = false};
    }

    std::unique_ptr<RecordReader> read(const Collection& collection) const override {
        return std::make_unique<detail::ServerReader>(address_, collection);
    }

private:
    SourceAddress address_;
    mutable detail::ServerApi api_;  ///< a connection: asking changes nothing that shows
    std::vector<Collection> collections_;
    std::vector<Finding> findings_;
    std::optional<Snapshot> snapshot_;
};

}  // namespace

std::unique_ptr<Source> open_server(const SourceAddress& address) {
    return std::make_unique<Server>(address);
}

}  // namespace decant::chroma
