#pragma once

#include <string>

#include "pg/connection.hpp"
#include "pg/conninfo.hpp"

namespace decant::operate::detail {

/// A server that was named as a shard.
struct ShardServer {
    std::string address;  ///< "10.0.0.2:5432/shop"; never a password
    std::string conninfo;
    pg::Keywords keywords;
};

/// Throws Error{config_invalid}: no URL, or one with settings that postgres_fdw does not take. Messages show no
/// password.
ShardServer read_shard_server(const std::string& url, std::size_t number);

/// Where a part of the copy is, seen from the live database.
struct ForeignShard {
    std::string name;    ///< of server and table: "products_1a2b3c4d_01"
    std::string remote;  ///< table in the shard's schema
    std::uint64_t ef_search;
    std::string vector_type;  ///< "public.vector(384)"
};

/// CREATE SERVER, its user mapping and its foreign table, in the transaction under way. The password is sent as a
/// parameter and stands in no statement, so that no log of the server has it. Throws what the server refuses.
void make_foreign_shard(pg::Connection& db, const ShardServer& server, const ForeignShard& shard);

/// Keeps this transaction's statements out of the server's log as far as the role may.
void keep_out_of_the_log(pg::Connection& db);

}  // namespace decant::operate::detail
