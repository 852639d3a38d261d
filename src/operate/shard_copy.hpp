#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace decant::operate {

struct ShardRequest {
    std::string conninfo;              ///< of the live catalog
    std::vector<std::string> servers;  ///< URLs of the shards, each with a database of its own
    std::uint64_t ef_search = 200;     ///< of the shards' indexes
    bool is_dry = false;
    std::function<void(const std::string&)> on_step = [](const std::string&) {};
    std::function<bool()> may_go_on = [] { return true; };
};

struct ShardReport {
    struct Shard {
        std::string address;  ///< "10.0.0.2:5432/shop"
        std::uint64_t rows = 0;
        std::uint64_t bytes = 0;  ///< of table and index; of a dry run as computed
    };
    std::vector<Shard> shards;
    std::string model;
    std::uint32_t dimension = 0;
    std::uint64_t rows = 0;
    std::vector<std::string> removed = {};  ///< tables of copies before
};

/// Copies the vectors of the live catalog, and what filters ask, to the shards by the hash of the product's id, builds
/// an index on each, and makes them the sharded copy of the catalog in one transaction: searches see the one before or
/// this one. The live tables are only read. Whatever an interrupted run left is removed by the next. Throws Error:
/// busy; permission_denied, not_found, store_rejected and config_invalid of what was found wrong with the servers
/// before anything is written; cancelled.
ShardReport make_sharded_copy(const ShardRequest& request);

/// Removes the sharded copy from the live database, and from those of `request.servers` that are named. False: there
/// was none.
bool drop_sharded_copy(const ShardRequest& request);

/// Bytes of a shard with so many vectors, as docs/scale.md computes them: table and HNSW index.
std::uint64_t shard_bytes(std::uint64_t rows, std::uint32_t dimension) noexcept;

}  // namespace decant::operate
