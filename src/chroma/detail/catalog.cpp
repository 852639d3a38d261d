#include "chroma/detail/catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "chroma/detail/configuration.hpp"
#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

constexpr auto select_collections =
    "SELECT c.id, c.name, c.dimension, d.tenant_id, coalesce(d.name, c.database_id)"
    " FROM collections c LEFT JOIN databases d ON d.id = c.database_id";
constexpr auto select_collections_before_databases =
    "SELECT id, name, dimension, 'default_tenant', 'default_database' FROM collections";
constexpr auto select_segments = "SELECT id, scope, collection FROM segments";
constexpr auto select_configuration = "SELECT config_json_str FROM collections WHERE id = ?1";
constexpr auto select_schema = "SELECT schema_str FROM collections WHERE id = ?1";
constexpr auto select_segment_space =
    "SELECT str_value FROM segment_metadata WHERE segment_id = ?1 AND key = 'hnsw:space'";
constexpr auto select_collection_space =
    "SELECT str_value FROM collection_metadata WHERE collection_id = ?1 AND key = 'hnsw:space'";

constexpr std::array needed_tables{"collections",        "collection_metadata", "segments",        "embeddings",
                                   "embedding_metadata", "max_seq_id",          "embeddings_queue"};

void require_tables(const Database& db) {
    for (const char* table : needed_tables) {
        if (!db.has_table(table)) {
            throw Error{ErrorCode::source_unreadable, fmt::format("chroma.sqlite3 has no table {}.", table),
                        "give a directory written by Chroma 0.4 to 1.5"};
        }
    }
}

/// The first column of the first row, or none where there is no row or it is null.
std::optional<std::string> read_text(const Database& db, const char* sql, std::string_view key) {
    Statement statement = db.prepare(sql);
    if (!statement.bind(1, key).step() || statement.is_null(0)) {
        return std::nullopt;
    }
    return std::string{statement.text(0)};
}

class CatalogReader {
public:
    explicit CatalogReader(const Database& db) : db_(db) { catalog_.traits = detail::traits_of(db); }

    Catalog read() {
        read_collections();
        read_segments();
        for (CatalogEntry& entry : catalog_.entries) {
            configure(entry);
        }
        std::sort(catalog_.segments.begin(), catalog_.segments.end());
        std::sort(catalog_.entries.begin(), catalog_.entries.end(), [](const auto& left, const auto& right) {
            const auto key = [](const Collection& c) { return std::tie(c.tenant, c.database, c.name, c.id); };
            const bool is_left_orphan = left.collection.name.empty();
            const bool is_right_orphan = right.collection.name.empty();
            return is_left_orphan != is_right_orphan ? is_right_orphan : key(left.collection) < key(right.collection);
        });
        return std::move(catalog_);
    }

private:
    void read_collections() {
        Statement rows =
            db_.prepare(catalog_.traits.has_databases ? select_collections : select_collections_before_databases);
        while (rows.step()) {
            require_honest_count();
            Collection collection{.tenant = std::string{rows.is_null(3) ? "default_tenant" : rows.text(3)},
                                  .database = std::string{rows.is_null(4) ? "default_database" : rows.text(4)},
                                  .name = std::string{rows.text(1)},
                                  .id = std::string{rows.text(0)},
                                  .dimension = std::nullopt,
                                  .space = std::nullopt,
                                  .embedding_function = {}};
            const std::int64_t dimension = rows.integer(2);
            if (dimension > 0 && dimension <= 0x7fffffff) {
                collection.dimension = static_cast<std::uint32_t>(dimension);
            }
            index_.emplace(collection.id, catalog_.entries.size());
            catalog_.entries.push_back({std::move(collection), {}, {}});
        }
    }

    void require_honest_count() const {
        constexpr std::uint64_t least_row_bytes = 16;
        if (catalog_.entries.size() + catalog_.segments.size() > db_.file_bytes() / least_row_bytes) {
            throw_malformed_table("collections and segments");
        }
    }

    void read_segments() {
        Statement rows = db_.prepare(select_segments);
        while (rows.step()) {
            require_honest_count();
            const std::string owner{rows.text(2)};
            catalog_.segments.emplace_back(rows.text(0));
            const auto [found, is_orphan] = index_.emplace(owner, catalog_.entries.size());
            if (is_orphan) {
                catalog_.entries.emplace_back().collection.id = owner;
                catalog_.findings.push_back(
                    {Finding::Severity::damage, "collections",
                     fmt::format("The row of collection {} is missing, its segments are left.", owner)});
            }
            CatalogEntry& entry = catalog_.entries[found->second];
            if (rows.text(1) == "VECTOR") {
                entry.vector_segment = rows.text(0);
            } else if (rows.text(1) == "METADATA") {
                entry.metadata_segment = rows.text(0);
            }
        }
    }

    /// Space and embedding function, from the first place that has them. config_json_str of 0.5.4 to 0.6.3
    /// ("hnsw_configuration") says l2 for collections that are not, so it is passed over.
    void configure(CatalogEntry& entry) {
        Collection& collection = entry.collection;
        const bool is_orphan = collection.name.empty();
        if (catalog_.traits.has_schema) {
            if (const auto text = read_text(db_, select_schema, collection.id)) {
                return apply_configuration(collection, "schema_str", *text,
                                           {"keys", "#embedding", "float_list", "vector_index", "config"}, {});
            }
        }
        if (catalog_.traits.has_configuration) {
            const auto text = read_text(db_, select_configuration, collection.id);
            if (text && text->find("\"vector_index\"") != std::string::npos) {
                return apply_configuration(collection, "config_json_str", *text, {}, {"vector_index", "hnsw"});
            }
        }
        auto space = catalog_.traits.has_segment_metadata ? read_text(db_, select_segment_space, entry.vector_segment)
                                                          : std::nullopt;
        if (!space) {
            space = read_text(db_, select_collection_space, collection.id);
        }
        if (space || !is_orphan) {
            set_space(collection, space.value_or("l2"), "hnsw:space");
        }
    }

    void apply_configuration(Collection& collection, std::string_view column, std::string_view text,
                             std::initializer_list<std::string_view> to_config,
                             std::initializer_list<std::string_view> to_space) {
        const auto root = parse_json(text);
        const Json* config = root ? find_path(*root, to_config) : nullptr;
        const Json* holder = config != nullptr ? find_path(*config, to_space) : nullptr;
        const Json* space = holder != nullptr ? holder->find("space") : nullptr;
        if (config != nullptr) {
            collection.embedding_function = describe_function(config->find("embedding_function"));
        }
        set_space(collection, space != nullptr && space->text() != nullptr ? *space->text() : "", column);
    }

    void set_space(Collection& collection, std::string_view name, std::string_view source) {
        collection.space = parse_space(name);
        if (!collection.space) {
            catalog_.findings.push_back({Finding::Severity::damage, "collections",
                                         fmt::format("{} of collection {} names no known distance space: '{}'.", source,
                                                     collection.name, name)});
        }
    }

    const Database& db_;
    Catalog catalog_{};
    std::map<std::string, std::size_t, std::less<>> index_;
};

}  // namespace

SchemaTraits traits_of(const Database& db) {
    return {.has_databases = db.has_table("databases") && db.has_column("collections", "database_id"),
            .has_bool_values = db.has_column("embedding_metadata", "bool_value"),
            .has_segment_metadata = db.has_table("segment_metadata"),
            .has_configuration = db.has_column("collections", "config_json_str"),
            .has_schema = db.has_column("collections", "schema_str"),
            .has_arrays = db.has_table("embedding_metadata_array")};
}

Catalog read_catalog(const Database& db) {
    require_tables(db);
    return CatalogReader{db}.read();
}

}  // namespace decant::chroma::detail
