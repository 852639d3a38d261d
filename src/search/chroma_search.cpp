#include "search/chroma_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>
#include <numeric>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "catalog/similarity.hpp"
#include "chroma/directory_vectors.hpp"
#include "chroma/server_query.hpp"
#include "core/error.hpp"
#include "core/settings.hpp"
#include "search/detail/passing_products.hpp"
#include "search/detail/product_join.hpp"

namespace decant::search {
namespace {

constexpr std::uint64_t growth = 4;
constexpr std::size_t most_joined_unseen = 500;
constexpr double unit_slack = 1e-3;

/// Some records are of products that went or do not pass.
std::size_t first_count(const VectorQuery& query, const BoundFilter& filter) {
    const std::uint64_t wanted = query.limit + query.offset;
    return filter.is_narrow ? growth * wanted + 60 : 2 * wanted + 20;
}

void require_direction(std::span<const float> vector) {
    double squares = 0;
    for (const float value : vector)
        squares += static_cast<double>(value) * static_cast<double>(value);
    if (std::isfinite(squares) && squares > 0) return;
    throw Error{
        ErrorCode::request_invalid,
        fmt::format("The question's vector of {} values is {}", vector.size(), squares == 0 ? "zero" : "not finite"),
        "Ask with a text that the model embeds."};
}

void require_dimension(const chroma::Collection& collection, std::size_t dimension) {
    if (!collection.dimension || *collection.dimension == dimension) return;
    throw Error{ErrorCode::dimension_mismatch,
                fmt::format("Embedding dimension mismatch: the question has a {}-d vector, collection '{}' holds {}-d "
                            "vectors",
                            dimension, collection.name, *collection.dimension),
                "Verify embedding model configuration: echo $OLLAMA_API_MODEL_EMBEDDING, or DECANT_EMBEDDING_MODEL of "
                "another embedder. It must name the model that made the collection's vectors; else name the right "
                "collection in CHROMA_COLLECTION."};
}

/// Records in the order of their similarity become hits: a lot at a time is joined with the catalog.
class Collector {
public:
    Collector(const VectorQuery& query, const BoundFilter& filter, pg::Connection& db)
        : query_(query), filter_(filter), db_(db) {}

    void add(const chroma::ProductNames& names, double similarity) {
        lot_.add(names);
        similarities_.push_back(similarity);
    }

    /// How many of the lot's records are of no product of the catalog.
    std::uint64_t join_lot() {
        detail::ProductJoin::Answer answer = lot_.run(db_);
        for (auto& [record, hit] : answer.found) {
            if (is_full() || !seen_.insert(hit.id).second) continue;
            hit.similarity = hit.score = similarities_[record];
            hits_.push_back(std::move(hit));
        }
        const std::uint64_t unknown = lot_.size() - answer.known;
        lot_.clear();
        similarities_.clear();
        return unknown;
    }

    bool is_full() const noexcept { return hits_.size() >= query_.limit + query_.offset; }

    std::vector<Hit> page() {
        const auto skipped = std::min<std::uint64_t>(query_.offset, hits_.size());
        hits_.erase(hits_.begin(), hits_.begin() + static_cast<std::ptrdiff_t>(skipped));
        return std::move(hits_);
    }

private:
    const VectorQuery& query_;
    const BoundFilter& filter_;
    pg::Connection& db_;
    detail::ProductJoin lot_{filter_};
    std::vector<double> similarities_;  ///< of the lot's records
    std::vector<Hit> hits_;
    std::unordered_set<std::string> seen_;
};

/// Of what is left of the order, joins only records that may be of a product that passes: where few pass, asking the
/// database about every record would take a second for 100,000.
void find_among_passing(const chroma::VectorTable& table, chroma::Ranking& ranking, Collector& collector,
                        const detail::PassingProducts& passing) {
    std::size_t lot = 0;
    for (const auto& [similarity, row] : ranking.next(table.size())) {
        if (!passing.may_be(table.names(row))) continue;
        collector.add(table.names(row), static_cast<double>(similarity));
        if (++lot < most_joined_unseen) continue;
        collector.join_lot();
        if (collector.is_full()) return;
        lot = 0;
    }
    collector.join_lot();
}

ChromaAnswer find_in(const chroma::VectorTable& table, const VectorQuery& query, const BoundFilter& filter,
                     pg::Connection& db) {
    require_dimension(table.collection(), query.vector.size());
    ChromaAnswer answer{
        .hits = {}, .compared = table.size(), .unusable = table.unusable().total(), .held_bytes = table.bytes()};
    chroma::Ranking ranking{table, query.vector, query.threshold};
    Collector collector{query, filter, db};
    for (std::size_t count = first_count(query, filter);; count *= growth) {
        const auto ranked = ranking.next(count);
        for (const auto& [similarity, row] : ranked)
            collector.add(table.names(row), static_cast<double>(similarity));
        answer.unknown += collector.join_lot();
        if (collector.is_full() || ranked.size() < count) break;
        if (count * growth < most_joined_unseen) continue;
        find_among_passing(table, ranking, collector, detail::PassingProducts{db, filter});
        break;
    }
    answer.hits = collector.page();
    return answer;
}

/// A record of a server's answer that compares.
struct NearRecord {
    const chroma::Record* record;
    double similarity;
};

/// What a server's answer says of the records.
struct Neighbours {
    std::vector<NearRecord> near;  ///< not under the threshold, the nearest first
    std::uint64_t unusable = 0;
    bool is_past_threshold = false;  ///< and so would be all that follow
};

/// NaN when it has no direction or is of another length.
double cosine_to(std::span<const float> question, std::span<const float> vector) {
    const bool is_comparable = vector.size() == question.size() &&
                               std::ranges::all_of(vector, [](float value) { return std::isfinite(value); }) &&
                               std::ranges::any_of(vector, [](float value) { return value != 0; });
    return is_comparable ? catalog::cosine(question, vector) : std::nan("");
}

bool is_of_length_1(std::span<const float> vector) {
    const double squares = std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0);
    return std::abs(squares - 1) < unit_slack;
}

Neighbours neighbours_of(const chroma::ServerQuery::Nearest& nearest, chroma::Space space, const VectorQuery& query) {
    Neighbours out;
    bool follows_cosine = true;
    double least = 1;
    for (std::size_t i = 0; i < nearest.records.size(); ++i) {
        const chroma::Record& record = nearest.records[i];
        const bool is_told = space == chroma::Space::cosine;
        const double similarity = is_told ? 1 - nearest.distances[i] : cosine_to(query.vector, record.vector);
        if (!std::isfinite(similarity)) {
            ++out.unusable;
            continue;
        }
        follows_cosine = follows_cosine && (is_told || is_of_length_1(record.vector));
        least = std::min(least, similarity);
        if (similarity >= query.threshold) out.near.push_back({&record, std::clamp(similarity, -1.0, 1.0)});
    }
    std::ranges::sort(out.near, [](const NearRecord& a, const NearRecord& b) {
        return a.similarity != b.similarity ? a.similarity > b.similarity : a.record->id < b.record->id;
    });
    out.is_past_threshold = follows_cosine && least < query.threshold;
    return out;
}

/// One answer of a server's, from its first question to the last one for all that it has.
class ServerSearch {
public:
    ServerSearch(chroma::ServerQuery& server, const VectorQuery& query, const BoundFilter& filter, pg::Connection& db)
        : server_(server), query_(query), filter_(filter), db_(db) {}

    ChromaAnswer run() {
        require_dimension(server_.collection(), query_.vector.size());
        std::size_t count = first_count(query_, filter_);
        if (!is_given(count)) {
            count = query_.limit + query_.offset;
            if (!is_given(count)) throw *refusal_;
        }
        while (!take(count) && is_given(count * growth))
            count *= growth;
        if (refusal_) answer_.cut = fmt::format("of more than {} records: {}", answer_.compared, refusal_->happened());
        return std::move(answer_);
    }

private:
    /// Asks the server; false when it does not give so many records, and says why not in refusal_.
    bool is_given(std::size_t count) {
        const chroma::Collection& collection = server_.collection();
        nearest_ = {};
        if (!collection.dimension) return true;  // empty
        const bool wants_vectors = collection.space != chroma::Space::cosine;
        try {
            nearest_ = server_.nearest({.vector = query_.vector, .count = count, .wants_vectors = wants_vectors});
            return true;
        } catch (const Error& error) {
            const bool is_slow = error.code() == ErrorCode::timed_out && answer_.compared > 0;
            if (error.code() != ErrorCode::too_large && !is_slow) throw;
            refusal_ = error;
            return false;
        }
    }

    /// Makes the answer of what the server gave; true when more records would not change it, or there are none.
    bool take(std::size_t count) {
        const auto space = server_.collection().space.value_or(chroma::Space::l2);
        const Neighbours neighbours = neighbours_of(nearest_, space, query_);
        Collector collector{query_, filter_, db_};
        for (const auto& [record, similarity] : neighbours.near)
            collector.add(chroma::ProductNameTexts{*record}.names(), similarity);
        answer_.unknown = collector.join_lot();
        answer_.unusable = neighbours.unusable;
        answer_.compared = nearest_.records.size();
        const bool is_done = collector.is_full() || neighbours.is_past_threshold;
        answer_.hits = collector.page();
        if (is_done) {
            refusal_.reset();
            return true;
        }
        if (refusal_) return true;
        if (answer_.compared >= count) return false;
        note_missing();
        return true;
    }

    void note_missing() {
        const std::uint64_t all = server_.collection().dimension ? server_.count() : 0;
        if (answer_.compared >= all) return;
        answer_.cut = fmt::format("the server's index gives {} of {} records", answer_.compared, all);
    }

    chroma::ServerQuery& server_;
    const VectorQuery& query_;
    const BoundFilter& filter_;
    pg::Connection& db_;
    chroma::ServerQuery::Nearest nearest_;
    std::optional<Error> refusal_;
    ChromaAnswer answer_;
};

}  // namespace

struct ChromaSearch::State {
    chroma::SourceAddress address;
    chroma::CollectionName collection;
    std::chrono::milliseconds server_time;
    std::optional<chroma::DirectoryVectors> directory;
    std::mutex mutex;
    std::vector<std::unique_ptr<chroma::ServerQuery>> idle;

    std::unique_ptr<chroma::ServerQuery> take_server() {
        const std::lock_guard lock{mutex};
        if (idle.empty()) return std::make_unique<chroma::ServerQuery>(address, collection);
        auto server = std::move(idle.back());
        idle.pop_back();
        return server;
    }

    void give_back(std::unique_ptr<chroma::ServerQuery> server) {
        const std::lock_guard lock{mutex};
        idle.push_back(std::move(server));
    }
};

ChromaSearch::ChromaSearch(chroma::SourceAddress address, std::string collection, std::chrono::milliseconds server_time)
    : state_(new State{
          .address = std::move(address), .collection = {.name = std::move(collection)}, .server_time = server_time}) {
    state_->collection.tenant = state_->address.tenant;
    state_->collection.database = state_->address.database;
    if (!state_->address.is_server()) state_->directory.emplace(state_->address.from, state_->collection);
}

ChromaSearch::~ChromaSearch() = default;

std::unique_ptr<ChromaSearch> ChromaSearch::from(const Settings& settings) {
    const bool is_set = settings.get("CHROMA_URL") || settings.origin("CHROMA_PATH") != SettingOrigin::default_value;
    std::error_code ignored;
    if (!is_set && !std::filesystem::exists(settings.get("CHROMA_PATH").value_or(""), ignored)) return nullptr;
    return std::make_unique<ChromaSearch>(chroma::source_address(settings, std::nullopt),
                                          settings.get("CHROMA_COLLECTION").value_or(""));
}

std::string ChromaSearch::place() const {
    return fmt::format("collection '{}' of {}", state_->collection.name, state_->address.from);
}

ChromaAnswer ChromaSearch::find(const VectorQuery& query, pg::Connection& db, const std::stop_token& stop) const {
    require_direction(query.vector);
    const BoundFilter filter = bind(db, query.filter);
    if (state_->directory) return find_in(*state_->directory->current(stop), query, filter, db);
    auto server = state_->take_server();
    server->limit({.deadline = std::chrono::steady_clock::now() + state_->server_time, .stop = stop});
    const bool was_known = server->knows_collection();
    ChromaAnswer answer;
    try {
        answer = ServerSearch{*server, query, filter, db}.run();
    } catch (const Error& error) {
        // Deleted and made anew, it has another id.
        if (error.code() != ErrorCode::not_found || !was_known) throw;
        server->forget_collection();
        answer = ServerSearch{*server, query, filter, db}.run();
    }
    state_->give_back(std::move(server));
    return answer;
}

}  // namespace decant::search
