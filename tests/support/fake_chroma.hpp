#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "chroma/source.hpp"
#include "tests/support/http_stand_in.hpp"
#include "tests/support/synthetic_chroma.hpp"

namespace decant::test {

/// A stand-in for a Chroma server, as docs/formats/chroma.md describes its API, with what a test puts into it. A
/// request that a real server would not get from its own client is answered 422 and kept as a violation.
class FakeChroma {
public:
    enum class Api { v1, v2 };
    /// Answers in the place of the server; none: the server does. May change what the server holds.
    using Fault = std::function<std::optional<StandInAnswer>(const StandInRequest&)>;

    explicit FakeChroma(Api api, const std::filesystem::path& certificate = {});

    struct Place {
        std::string tenant = "default_tenant";
        std::string database = "default_database";
    };
    /// An empty collection of dimension 4.
    void add_collection(const std::string& name, const Place& place, chroma::Space space = chroma::Space::cosine);
    void add_collection(const std::string& name) { add_collection(name, {}); }
    /// As if it were deleted and made anew: empty, with another id.
    void renew_collection(const std::string& name);
    /// Everything that `source` holds.
    void take(const chroma::Source& source);
    /// In the place of a record with the same id; of the first collection of that name.
    void put(const std::string& collection, const SourceRecord& record);
    void put_samples(const std::string& collection, std::uint64_t first, std::uint64_t count, std::size_t dimension);
    void remove(const std::string& collection, const std::string& id);

    void set_fault(Fault fault);
    /// As 0.4 describes collections.
    void leave_dimensions_out();
    /// From now on every request but version must carry this header; the refusal is 403, as Chroma's.
    void require_header(const std::string& name, const std::string& value);

    std::string url() const { return http_.url(); }
    HttpStandIn& http() noexcept { return http_; }
    chroma::SourceAddress address() const { return {.from = url()}; }
    std::vector<std::string> violations() const;

private:
    struct Row {
        std::string id;
        boost::json::value embedding;
        boost::json::value document;
        boost::json::value metadata;
        boost::json::value uri;
    };
    struct Collection {
        boost::json::object described;  ///< as the list of collections has it
        std::vector<Row> rows;          ///< in the order of their coming
        std::string text(std::string_view key) const { return described.at(key).as_string().c_str(); }
    };

    StandInAnswer answer(const StandInRequest& request);
    StandInAnswer route(const StandInRequest& request, std::string path, const std::string& query);
    StandInAnswer list(const Place& place, const std::string& query) const;
    StandInAnswer databases(const std::string& tenant) const;
    StandInAnswer get(const Collection& collection, const std::string& body);
    StandInAnswer nearest(const Collection& collection, const std::string& body);
    std::string space_of(const Collection& collection) const;
    StandInAnswer create(const Place& place, const std::string& body);
    StandInAnswer upsert(Collection& collection, const std::string& body);
    StandInAnswer erase(Collection& collection, const std::string& body);
    StandInAnswer violation(const std::string& what);
    bool has(const Place& place, bool any_database) const;
    Collection& named(const std::string& name);
    Collection& add(const chroma::Collection& collection);
    static void put_row(Collection& collection, Row row);

    Api api_;
    mutable std::mutex mutex_;
    std::vector<Collection> collections_;
    std::vector<std::string> violations_;
    Fault fault_;
    std::string header_name_;
    std::string header_value_;
    HttpStandIn http_;  ///< last: its threads use the others
};

}  // namespace decant::test
