#include "store/synonym_store.hpp"

#include <fmt/format.h>

#include "catalog/synonym_groups.hpp"
#include "core/error.hpp"
#include "core/nearest.hpp"
#include "core/utf8.hpp"

namespace decant::store {
namespace {

constexpr std::string_view is_there_sql = "SELECT pg_catalog.to_regclass('decant.synonyms') IS NOT NULL";

// Two who join the same groups at once would each see the other's as they were.
constexpr std::string_view lock_sql = "LOCK TABLE decant.synonyms IN SHARE ROW EXCLUSIVE MODE";

constexpr std::string_view list_sql =
    "SELECT group_id, written FROM decant.synonyms ORDER BY min(place) OVER (PARTITION BY group_id), place";

constexpr std::string_view group_sql = "SELECT written FROM decant.synonyms WHERE group_id = $1 ORDER BY place";

constexpr std::string_view groups_of_sql =
    "SELECT DISTINCT group_id FROM decant.synonyms WHERE word = ANY ($1::text[]) ORDER BY 1";

constexpr std::string_view new_group_sql = "SELECT pg_catalog.nextval('decant.synonym_groups')";

constexpr std::string_view join_sql =
    "UPDATE decant.synonyms SET group_id = $1 WHERE group_id = ANY ($2::bigint[]) AND group_id <> $1";

constexpr std::string_view insert_sql =
    "INSERT INTO decant.synonyms (word, written, group_id) SELECT w.word, w.written, $3::bigint "
    "FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) WITH ORDINALITY "
    "AS w (word, written, n) ORDER BY n ON CONFLICT (word) DO NOTHING";

constexpr std::string_view remove_sql = "DELETE FROM decant.synonyms WHERE word = $1 RETURNING group_id, written";

constexpr std::string_view remove_group_sql = "DELETE FROM decant.synonyms WHERE group_id = $1";

constexpr std::string_view words_sql = "SELECT word FROM decant.synonyms";

std::vector<std::string> column(const pg::Result& rows) {
    std::vector<std::string> texts;
    for (int row = 0; row < rows.rows(); ++row)
        texts.emplace_back(rows.text(row, 0));
    return texts;
}

}  // namespace

SynonymStore::SynonymStore(pg::Connection& db) : db_(db) {
    if (!db_.exec(is_there_sql).boolean(0, 0)) {
        throw Error{ErrorCode::not_found,
                    fmt::format("There is no table decant.synonyms in database '{}'", db_.database()),
                    "Make it with `decant schema up`."};
    }
}

std::vector<SynonymGroup> SynonymStore::list() {
    const pg::Result rows = db_.exec(list_sql);
    std::vector<SynonymGroup> groups;
    for (int row = 0; row < rows.rows(); ++row) {
        if (row == 0 || rows.text(row, 0) != rows.text(row - 1, 0)) groups.emplace_back();
        groups.back().emplace_back(rows.text(row, 1));
    }
    return groups;
}

SynonymStore::Added SynonymStore::add(std::span<const std::string> words) {
    pg::Transaction tx{db_};
    db_.exec(lock_sql);
    Added added = add_locked(words);
    tx.commit();
    return added;
}

std::vector<SynonymStore::Added> SynonymStore::add_all(std::span<const SynonymGroup> groups) {
    pg::Transaction tx{db_};
    db_.exec(lock_sql);
    std::vector<Added> all;
    for (const SynonymGroup& group : groups)
        all.push_back(add_locked(group));
    tx.commit();
    return all;
}

SynonymStore::Added SynonymStore::add_locked(std::span<const std::string> words) {
    if (const auto fault = catalog::synonym_fault(words)) {
        throw Error{ErrorCode::request_invalid, "These are no synonyms: " + *fault,
                    "Give two or more words or phrases that mean the same, as in: notebook laptop."};
    }
    std::vector<std::string> keys;
    for (const std::string& word : words)
        keys.push_back(catalog::synonym_key(word));
    const std::vector<std::string> groups = column(db_.query(groups_of_sql, {pg::array_literal(keys)}));
    const std::string group{groups.empty() ? std::string{db_.exec(new_group_sql).text(0, 0)} : groups.front()};
    if (groups.size() > 1) db_.query(join_sql, {group, pg::array_literal(groups)});
    const int before = db_.query(group_sql, {group}).rows();
    db_.query(insert_sql, {pg::array_literal(keys), pg::array_literal({words.begin(), words.end()}), group});
    Added added{.group = column(db_.query(group_sql, {group})), .joined = groups.size()};
    added.words = added.group.size() - static_cast<std::size_t>(before);
    return added;
}

SynonymStore::Removed SynonymStore::remove(const std::string& word) {
    pg::Transaction tx{db_};
    db_.exec(lock_sql);
    const std::string key = catalog::synonym_key(word);
    const pg::Result gone = db_.query(remove_sql, {key});
    if (gone.empty()) {
        const auto meant = nearest(key, column(db_.exec(words_sql)));
        throw Error{ErrorCode::not_found, fmt::format("'{}' has no synonyms", printable(word)),
                    meant ? fmt::format("Did you mean '{}'?", *meant) : "See them with `decant synonyms list`."};
    }
    const std::string group{gone.text(0, 0)};
    Removed removed{.left = column(db_.query(group_sql, {group})), .word = std::string{gone.text(0, 1)}};
    if (removed.left.size() == 1) {
        db_.query(remove_group_sql, {group});
        removed.left.clear();
    }
    tx.commit();
    return removed;
}

}  // namespace decant::store
