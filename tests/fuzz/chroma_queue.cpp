#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/fuzz/support/read_everything.hpp"
#include "tests/fuzz/support/scratch.hpp"

namespace {

constexpr auto schema = R"(
CREATE TABLE collections (id TEXT PRIMARY KEY, name TEXT NOT NULL, dimension INTEGER);
CREATE TABLE collection_metadata (collection_id TEXT, key TEXT NOT NULL, str_value TEXT);
CREATE TABLE segments (id TEXT PRIMARY KEY, type TEXT NOT NULL, scope TEXT NOT NULL, collection TEXT);
CREATE TABLE embeddings (id INTEGER PRIMARY KEY, segment_id TEXT NOT NULL, embedding_id TEXT NOT NULL,
    seq_id BLOB NOT NULL, UNIQUE (segment_id, embedding_id));
CREATE TABLE embedding_metadata (id INTEGER, key TEXT NOT NULL, string_value TEXT, int_value INTEGER, float_value REAL,
    bool_value INTEGER, PRIMARY KEY (id, key));
CREATE TABLE max_seq_id (segment_id TEXT PRIMARY KEY, seq_id BLOB NOT NULL);
CREATE TABLE embeddings_queue (seq_id INTEGER PRIMARY KEY, operation INTEGER NOT NULL, topic TEXT NOT NULL,
    id TEXT NOT NULL, vector BLOB, encoding TEXT, metadata TEXT);
INSERT INTO collections VALUES ('c', 'queue', 4);
INSERT INTO segments VALUES ('a', 'vector', 'VECTOR', 'c'), ('b', 'metadata', 'METADATA', 'c');
INSERT INTO embeddings VALUES (1, 'b', 'i1', 1), (2, 'b', 'i2', 2);
INSERT INTO embedding_metadata VALUES (1, 'k', 'v', NULL, NULL, NULL), (2, 'chroma:document', 'd', NULL, NULL, NULL);
)";

/// Takes the input apart; what is asked for past its end is empty.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : rest_{reinterpret_cast<const char*>(data), size} {}
    bool is_empty() const { return rest_.empty(); }
    std::string_view take(std::size_t count) {
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(taken.size());
        return taken;
    }
    std::size_t number() {
        const std::string_view byte = take(1);
        return byte.empty() ? 0 : static_cast<unsigned char>(byte.front());
    }

private:
    std::string_view rest_;
};

void bind(sqlite3_stmt* statement, int index, bool is_null, std::string_view text, bool is_blob) {
    if (is_null) {
        sqlite3_bind_null(statement, index);
    } else if (is_blob) {
        sqlite3_bind_blob64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT);
    } else {
        sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    }
}

/// Per row: operation, id (one of 8), flags, size of the vector, the vector, size of the metadata, the metadata.
void insert_row(sqlite3_stmt* insert, Input& input) {
    constexpr std::array ids{"i0", "i1", "i2", "i3", "", "\xff", "i6", "i7"};
    sqlite3_bind_int64(insert, 1, static_cast<std::int64_t>(input.number() % 6));
    sqlite3_bind_text(insert, 2, ids[input.number() % ids.size()], -1, SQLITE_STATIC);
    const std::size_t flags = input.number();
    bind(insert, 3, (flags & 1U) != 0, input.take(input.number()), (flags & 2U) == 0);
    bind(insert, 4, (flags & 4U) != 0, (flags & 8U) != 0 ? "INT32" : "FLOAT32", false);
    bind(insert, 5, (flags & 16U) != 0, input.take(input.number()), (flags & 32U) != 0);
    sqlite3_step(insert);
    sqlite3_reset(insert);
}

void make_database(const std::filesystem::path& file, Input input) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    sqlite3* db = nullptr;
    if (sqlite3_open(file.c_str(), &db) != SQLITE_OK) std::abort();
    if (sqlite3_exec(db, "PRAGMA synchronous = OFF; BEGIN", nullptr, nullptr, nullptr) != SQLITE_OK) std::abort();
    if (sqlite3_exec(db, schema, nullptr, nullptr, nullptr) != SQLITE_OK) std::abort();
    sqlite3_stmt* insert = nullptr;
    sqlite3_prepare_v2(
        db, "INSERT INTO embeddings_queue VALUES (NULL, ?1, 'persistent://default/default/c', ?2, ?3, ?4, ?5)", -1,
        &insert, nullptr);
    while (!input.is_empty())
        insert_row(insert, input);
    sqlite3_finalize(insert);
    sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
    sqlite3_close(db);
}

}  // namespace

// Rows of embeddings_queue: operations, vectors of any length, metadata that is JSON or not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const decant::fuzz::Scratch scratch;
    make_database(scratch.folder() / "chroma.sqlite3", Input{data, size});
    decant::fuzz::read_everything(scratch.folder());
    return 0;
}
