#include "tests/support/synthetic_chroma.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

namespace decant::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view collection_id = "11111111-2222-3333-4444-555555555555";
constexpr std::string_view vector_segment = "aaaaaaaa-0000-0000-0000-000000000001";
constexpr std::string_view metadata_segment = "aaaaaaaa-0000-0000-0000-000000000002";

constexpr std::string_view catalog_sql = R"sql(
BEGIN;
{schema}
INSERT INTO tenants VALUES ('default_tenant');
INSERT INTO databases VALUES ('00000000-0000-0000-0000-000000000000', 'default_database', 'default_tenant');
INSERT INTO collections VALUES ('{collection}', 'products', {dimension}, '00000000-0000-0000-0000-000000000000', '{{}}', NULL);
INSERT INTO collection_metadata VALUES ('{collection}', 'hnsw:space', '{space}', NULL, NULL, NULL);
INSERT INTO segments VALUES ('{vectors}', 'urn:chroma:segment/vector/hnsw-local-persisted', 'VECTOR', '{collection}');
INSERT INTO segments VALUES ('{metadata}', 'urn:chroma:segment/metadata/sqlite', 'METADATA', '{collection}');
INSERT INTO embeddings_queue_config VALUES (1, '{{"automatically_purge":true}}');
COMMIT;
)sql";

std::string schema_of_chroma() {
    std::ifstream file{fs::path{DECANT_SOURCE_DIR} / "bench/chroma-1.5-schema.sql"};
    return {std::istreambuf_iterator<char>{file}, {}};
}

enum Operation { upsert = 2, remove_record = 3 };

}  // namespace

/// Reset when it is destroyed, so that it can be kept and run again.
class SyntheticChroma::Statement {
public:
    Statement(sqlite3* db, const char* sql) : db_(db) {
        if (sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr) != SQLITE_OK) fail();
    }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement() { sqlite3_finalize(statement_); }

    Statement& text(std::string_view value) {
        sqlite3_bind_text(statement_, ++bound_, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
        return *this;
    }
    Statement& number(std::int64_t value) {
        sqlite3_bind_int64(statement_, ++bound_, value);
        return *this;
    }
    Statement& real(double value) {
        sqlite3_bind_double(statement_, ++bound_, value);
        return *this;
    }
    Statement& blob(std::span<const float> value) {
        sqlite3_bind_blob(statement_, ++bound_, value.data(), static_cast<int>(value.size_bytes()), SQLITE_TRANSIENT);
        return *this;
    }
    Statement& null() {
        ++bound_;
        return *this;
    }
    void run() {
        if (sqlite3_step(statement_) == SQLITE_ERROR) fail();
    }

private:
    [[noreturn]] void fail() const { throw std::runtime_error(sqlite3_errmsg(db_)); }

    sqlite3* db_;
    sqlite3_stmt* statement_ = nullptr;
    int bound_ = 0;
};

SourceRecord sample_record(std::uint64_t number, std::size_t dimension, std::uint64_t version) {
    std::mt19937_64 random{number * 1'000'003 + version};
    std::uniform_real_distribution<float> value{-1, 1};
    SourceRecord record{.id = fmt::format("record-{:06}", number), .vector = std::vector<float>(dimension)};
    for (float& component : record.vector)
        component = value(random);
    record.document = fmt::format("Document {} in version {}: Televisor Ñandú, garantía de 2 años.", number, version);
    record.metadata = {{"version", static_cast<std::int64_t>(version)},
                       {"price", static_cast<double>(random() % 1'000'000) / 100},
                       {"active", random() % 2 == 0},
                       {"brand", fmt::format("brand-{}", random() % 20)}};
    return record;
}

SyntheticChroma::SyntheticChroma(Options options) : options_(std::move(options)), db_(nullptr, &sqlite3_close) {
    std::string pattern = (fs::temp_directory_path() / "decant-chroma-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    path_ = pattern;
    fs::permissions(path_, fs::perms{0755});
    open();
    exec(fmt::format(catalog_sql, fmt::arg("schema", schema_of_chroma()), fmt::arg("collection", collection_id),
                     fmt::arg("dimension", options_.dimension), fmt::arg("space", options_.space),
                     fmt::arg("vectors", vector_segment), fmt::arg("metadata", metadata_segment)));
    db_.reset();
}

SyntheticChroma::~SyntheticChroma() {
    db_.reset();
    fs::remove_all(path_);
}

void SyntheticChroma::open() {
    sqlite3* db = nullptr;
    const int opened = sqlite3_open((path_ / "chroma.sqlite3").c_str(), &db);
    db_.reset(db);
    if (opened != SQLITE_OK) throw std::runtime_error("cannot open the database in " + path_.string());
    // As chromadb's writers wait for whoever reads.
    sqlite3_busy_timeout(db, 30'000);
    exec("PRAGMA synchronous = off");
}

void SyntheticChroma::exec(const std::string& sql) {
    if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        throw std::runtime_error(sqlite3_errmsg(db_.get()));
}

void SyntheticChroma::put(std::span<const SourceRecord> records) {
    open();
    exec("BEGIN");
    for (const SourceRecord& record : records)
        put_one(record);
    note_applied();
    exec("COMMIT");
    db_.reset();
}

void SyntheticChroma::put_samples(std::uint64_t first, std::uint64_t count, std::uint64_t version) {
    std::vector<SourceRecord> records;
    for (std::uint64_t number = first; number < first + count; ++number)
        records.push_back(sample_record(number, options_.dimension, version));
    put(records);
}

void SyntheticChroma::remove(std::span<const std::string> ids) {
    open();
    exec("BEGIN");
    for (const std::string& id : ids) {
        enqueue(Operation::remove_record, id, {});
        drop_metadata(id);
        Statement{db_.get(), "DELETE FROM embeddings WHERE embedding_id = ?"}.text(id).run();
    }
    note_applied();
    exec("COMMIT");
    db_.reset();
}

void SyntheticChroma::write_pickle(int max_seq_id) {
    constexpr std::string_view head{"\x80\x02}(X\x0b\0\0\0id_to_label}X\x0a\0\0\0max_seq_idK", 37};
    fs::create_directories(path_ / vector_segment);
    std::ofstream{path_ / vector_segment / "index_metadata.pickle", std::ios::binary}
        << head << static_cast<char>(max_seq_id) << "u.";
}

void SyntheticChroma::lose_vector(const std::string& id) {
    open();
    Statement{db_.get(), "DELETE FROM embeddings_queue WHERE id = ?"}.text(id).run();
    db_.reset();
}

void SyntheticChroma::put_one(const SourceRecord& record) {
    sqlite3* db = db_.get();
    enqueue(Operation::upsert, record.id, record.vector);
    drop_metadata(record.id);
    Statement{db,
              "INSERT INTO embeddings (segment_id, embedding_id, seq_id) VALUES (?, ?, ?) "
              "ON CONFLICT (segment_id, embedding_id) DO UPDATE SET seq_id = excluded.seq_id"}
        .text(metadata_segment)
        .text(record.id)
        .number(seq_id_)
        .run();
    const auto insert = [&](std::string_view key, const SourceValue& value) {
        Statement row{db,
                      "INSERT INTO embedding_metadata SELECT id, ?, ?, ?, ?, ? FROM embeddings WHERE embedding_id = ?"};
        row.text(key);
        const auto column = [&](auto* held, auto bind) { held != nullptr ? bind(*held) : void(row.null()); };
        column(std::get_if<std::string>(&value), [&](const std::string& text) { row.text(text); });
        column(std::get_if<std::int64_t>(&value), [&](std::int64_t number) { row.number(number); });
        column(std::get_if<double>(&value), [&](double number) { row.real(number); });
        column(std::get_if<bool>(&value), [&](bool flag) { row.number(flag ? 1 : 0); });
        row.text(record.id).run();
    };
    if (record.document) insert("chroma:document", *record.document);
    for (const auto& [key, value] : record.metadata)
        insert(key, value);
}

void SyntheticChroma::enqueue(int operation, const std::string& id, std::span<const float> vector) {
    Statement row{db_.get(),
                  "INSERT INTO embeddings_queue (seq_id, operation, topic, id, vector, encoding, metadata) "
                  "VALUES (?, ?, ?, ?, ?, 'FLOAT32', '{}')"};
    row.number(++seq_id_).number(operation);
    row.text(fmt::format("persistent://default/default/{}", collection_id)).text(id);
    if (vector.empty())
        row.null();
    else
        row.blob(vector);
    row.run();
}

void SyntheticChroma::drop_metadata(const std::string& id) {
    Statement{db_.get(), "DELETE FROM embedding_metadata WHERE id = (SELECT id FROM embeddings WHERE embedding_id = ?)"}
        .text(id)
        .run();
}

void SyntheticChroma::note_applied() {
    Statement{db_.get(), "INSERT OR REPLACE INTO max_seq_id VALUES (?, ?)"}
        .text(metadata_segment)
        .number(seq_id_)
        .run();
}

}  // namespace decant::test
