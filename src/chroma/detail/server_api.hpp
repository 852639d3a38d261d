#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chroma/detail/json.hpp"
#include "chroma/detail/server_page.hpp"
#include "chroma/server_query.hpp"
#include "chroma/source.hpp"
#include "net/http_client.hpp"

namespace decant::chroma::detail {

/// A Chroma server's HTTP API: /api/v2 of 1.x, else /api/v1 of 0.4 to 0.6. One connection, one thread at a time.
///
/// All calls throw Error: source_unavailable, timed_out, rate_limited (after several tries), unauthenticated and
/// permission_denied (the remedy names CHROMA_TOKEN), not_found (the collection, tenant or database is gone),
/// source_unreadable (no Chroma server, or an answer that cannot be understood), too_large, cancelled.
class ServerApi {
public:
    /// Asks for the version.
    explicit ServerApi(const SourceAddress& address, const net::HttpLimits& limits = {});

    void limit(const net::HttpLimits& limits) { client_.limit(limits); }

    std::string url() const { return client_.service().url.text(); }
    const std::string& version() const noexcept { return version_; }  ///< as the server says it: 1.5.9 says "1.0.0"

    /// Of the tenant and database that the address names. Of a tenant without database all that v2 lists; of none the
    /// tenant that the token belongs to, else default_tenant; v1 lists no databases: default_database.
    std::vector<Collection> collections();

    std::uint64_t count(const Collection& collection);

    /// At most `limit` ids, at the server's own order's `offset`. Views live until the next call.
    std::span<const Record> ids(const Collection& collection, std::size_t offset, std::size_t limit);

    struct Page {
        std::span<const Record> records;  ///< by id; those of unknown ids are absent. Views live until the next call.
        std::size_t bytes;                ///< of the answer
    };
    /// Throws Error{too_large} for more than the server gives, or than is held, at once.
    Page get(const Collection& collection, std::span<const std::string_view> ids);

    /// The records that the server's index finds nearest.
    ServerQuery::Nearest nearest(const Collection& collection, const ServerQuery::Question& question);

    /// Makes an empty collection in the tenant and database that the address names, else in the default one; or gives
    /// the one of that name that is there.
    Collection create(const std::string& name, Space space);

    /// That the server takes in one write.
    std::size_t most_records_a_write();

    /// `verb` is "upsert" or "delete". Why the server refuses what `body` holds, or none when it is done.
    std::optional<std::string> write(const Collection& collection, std::string_view verb, const std::string& body);

private:
    struct Place {
        std::string tenant;
        std::string database;
    };

    void detect_version();
    Json ask(const std::string& path);
    std::vector<Place> places();
    void require_place(const Place& place);
    std::string path_of(const Place& place, std::string_view rest, std::string_view query = {}) const;
    void list_collections(const Place& place, std::vector<Collection>& out);
    void find_dimension(Collection& collection);
    Page post_get(const Collection& collection, const std::string& body);
    [[noreturn]] void throw_refusal(const net::HttpResponse& response, const std::string& path) const;

    SourceAddress address_;
    net::HttpClient client_;
    bool is_v2_ = false;
    bool has_uris_ = true;
    std::string version_;
    ServerPage page_;
    std::string answer_;  ///< what page_'s views are in
};

}  // namespace decant::chroma::detail
