#include "migrate/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <span>

#include <boost/json/parse.hpp>

#include "catalog/embedding_text.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/write_file.hpp"
#include "pg/binary_row.hpp"
#include "pg/copy.hpp"
#include "store/catalog_state.hpp"

namespace decant::migrate {
namespace {

constexpr std::size_t page_bytes = 4UL << 20U;
constexpr std::size_t page_records = 500;

/// What a table calls a record's parts: decant's own, PGVectorStore's, PGVector's.
struct TableForm {
    std::string_view id;
    std::string_view document;
    std::string_view metadata;
};
constexpr std::array forms{TableForm{"id", "document", "metadata"},
                           TableForm{"langchain_id", "content", "langchain_metadata"},
                           TableForm{"id", "document", "cmetadata"}};
constexpr std::size_t shared_form = 2;

constexpr std::string_view columns_sql =
    "SELECT a.attname, t.typname, a.atttypmod FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t "
    "ON t.oid = a.atttypid WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped";

constexpr std::string_view index_space_sql =
    "SELECT pg_catalog.split_part(o.opcname, '_', 2) FROM pg_catalog.pg_index i "
    "JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0] JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod "
    "WHERE i.indrelid = pg_catalog.to_regclass($1) AND m.amname IN ('hnsw', 'ivfflat') LIMIT 1";

// The document is what the embedding text is made of, the id what the guide's records have. A price stays a float.
constexpr std::string_view catalog_sql =
    "SELECT 'product_' || p.id AS id, jsonb_build_object('name', p.name, 'brand', b.name, 'category', c.name, "
    "'category_display_name', c.display_name, 'model', p.model, 'description', p.description, 'specs', p.specs, "
    "'technical_specs', p.technical_specs::jsonb::text, 'features', p.features::jsonb::text)::text AS document, "
    "jsonb_strip_nulls(jsonb_build_object('product_id', p.id, 'name', p.name, "
    "'sku', p.sku, 'model', p.model, 'price', CASE scale(r.price) WHEN 0 THEN round(r.price, 1) ELSE r.price END, "
    "'stock', p.stock, 'description', p.description, 'specs', p.specs, 'brand_name', b.name, 'category_name', c.name, "
    "'category_display_name', c.display_name, 'active', p.active)) AS m, p.embedding AS e FROM products p "
    "LEFT JOIN brands b ON b.id = p.brand_id LEFT JOIN categories c ON c.id = p.category_id "
    "CROSS JOIN LATERAL (SELECT p.price::text::numeric AS price) r WHERE p.active AND p.embedding IS NOT NULL";

// 17 digits tell every float from its neighbours; more are of a number that Chroma would round.
constexpr std::string_view fault_sql =
    "CASE WHEN e IS NULL THEN 'it has no embedding' "
    "WHEN jsonb_typeof(m) NOT IN ('object', 'null') THEN 'its metadata is no object' ELSE "
    "(SELECT format('metadata %L: Chroma holds no such value as %s', pair.key, left(pair.value::text, 80)) "
    "FROM jsonb_each(CASE jsonb_typeof(m) WHEN 'object' THEN m END) pair WHERE pair.key LIKE 'chroma:%' AND "
    "pair.key <> 'chroma:uri' OR (SELECT count(DISTINCT kind) <> 1 OR "
    "bool_or(kind IN ('object', 'array', 'null', 'none')) FROM jsonb_array_elements(CASE jsonb_typeof(pair.value) "
    "WHEN 'array' THEN pair.value ELSE jsonb_build_array(pair.value) END) v, LATERAL (SELECT CASE "
    "WHEN jsonb_typeof(v) <> 'number' THEN jsonb_typeof(v) WHEN v::text LIKE '%.%' THEN CASE "
    "WHEN length(btrim(translate(v::text, '-.', ''), '0')) <= 17 AND abs(v::numeric) < 1.7976931348623158e308 "
    "THEN 'float' ELSE 'none' END WHEN v::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 THEN 'int' "
    "ELSE 'none' END AS kind) k) LIMIT 1) END";

std::optional<chroma::Space> space_named(std::string_view name) {
    for (const auto space : {chroma::Space::l2, chroma::Space::cosine, chroma::Space::ip}) {
        if (chroma::name_of(space) == name) return space;
    }
    return std::nullopt;
}

std::string text_json(std::string_view text) {
    return text.data() == nullptr ? "null" : json_text(json::string(text));
}

/// The text that is embedded, of an object of a product's fields.
std::string document_of(std::string_view fields) {
    catalog::Product product;
    const json::value given = json::parse(fields);
    for (const auto& [name, value] : given.as_object()) {
        const auto member = catalog::find_field(name)->member;
        if (value.is_string())
            product.*std::get<std::optional<std::string> catalog::Product::*>(member) = value.as_string();
    }
    return catalog::embedding_text(product, catalog::TextRecipe::labelled);
}

/// A row of the export; `fault` is why Chroma cannot hold it, empty when it can.
struct Row {
    std::string_view id;
    std::string_view fault;
    chroma::RecordParts parts;
};

/// The rows of one state of the table, to be read as often as wanted.
class Rows {
public:
    Rows(const ExportRequest& request, bool is_for_chroma)
        : request_(request),
          db_(pg::Connection::open(request.conninfo)),
          tx_(db_,
              "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; SET LOCAL jit = "
              "off") {
        const std::string parts = is_for_chroma
                                      ? fmt::format(
                                            "CASE jsonb_typeof(m) WHEN 'object' THEN nullif(m - 'chroma:uri', "
                                            "'{{}}')::text END, m ->> 'chroma:uri', {}",
                                            fault_sql)
                                      : "m::text, NULL::text, NULL::text";
        const std::string rows = request.table ? table_sql() : catalog();
        count_ = static_cast<std::uint64_t>(db_.exec(fmt::format("SELECT count(*) FROM ({}) r", rows)).integer(0, 0));
        copy_sql_ = fmt::format(
            "COPY (SELECT id, document, {}, e FROM ({}) r ORDER BY id COLLATE \"C\") TO STDOUT "
            "(FORMAT binary)",
            parts, rows);
    }

    std::uint64_t count() const noexcept { return count_; }
    std::optional<std::uint32_t> dimension() const noexcept { return dimension_; }
    std::string shown() const { return request_.table ? request_.table->shown() : "the catalog"; }

    template <typename Take>
    void each(const Take& take) {
        pg::CopyOut copy{db_, copy_sql_};
        while (const auto tuple = copy.next()) {
            const std::vector<std::string_view> fields = pg::fields_of(*tuple);
            Row row{.id = fields[0],
                    .fault = fields[4],
                    .parts = {.id = text_json(fields[0]),
                              .document = request_.table ? text_json(fields[1]) : text_json(document_of(fields[1])),
                              .metadata = fields[2].data() == nullptr ? "null" : std::string{fields[2]},
                              .uri = text_json(fields[3])}};
            if (fields[5].data() != nullptr)
                (is_half_ ? pg::decode_halfvec : pg::decode_vector)(fields[5], row.parts.vector);
            take(std::move(row));
        }
    }

    /// Of the vector index, else of the copy that made the table.
    std::optional<chroma::Space> space() {
        const pg::Result found =
            db_.query(index_space_sql, {request_.table ? request_.table->quoted(db_) : "products"});
        if (!found.empty()) return space_named(found.text(0, 0));
        RunStore runs{db_};
        const auto run = request_.table && runs.is_prepared()
                             ? runs.origin(request_.table->schema, request_.table->table)
                             : std::nullopt;
        return run ? std::optional{run->shape.space} : std::nullopt;
    }

private:
    std::string catalog() {
        if (const auto problem = store::embedding_problem(db_, store::read_catalog_state(db_))) throw *problem;
        columns_of("products");
        return std::string{catalog_sql};
    }

    /// Their names; takes note of the embedding's type.
    std::set<std::string, std::less<>> columns_of(const std::string& quoted) {
        const pg::Result found = db_.query(columns_sql, {quoted});
        std::set<std::string, std::less<>> names;
        for (int row = 0; row < found.rows(); ++row) {
            const std::string_view type = found.text(row, 1);
            if (found.text(row, 0) == "embedding") {
                if (type != "vector" && type != "halfvec") continue;
                is_half_ = type == "halfvec";
                if (found.integer(row, 2) > 0) dimension_ = static_cast<std::uint32_t>(found.integer(row, 2));
            }
            names.emplace(found.text(row, 0));
        }
        return names;
    }

    std::string table_sql() {
        const TableName& table = *request_.table;
        const auto names = columns_of(table.quoted(db_));
        if (names.empty()) {
            throw Error{ErrorCode::not_found,
                        fmt::format("There is no table {} in database '{}'", table.shown(), db_.database()),
                        "See what decant copied with `decant runs list`; name another schema with --schema."};
        }
        const auto form = std::ranges::find_if(forms, [&](const TableForm& each) {
            return names.contains(each.id) && names.contains(each.document) && names.contains(each.metadata) &&
                   names.contains("embedding");
        });
        if (form == forms.end()) {
            throw Error{ErrorCode::conflict,
                        fmt::format("Table {} has not the columns id, document, metadata and embedding of "
                                    "`decant copy`, nor those of langchain-postgres",
                                    table.shown()),
                        "Export the product catalog with `decant export --catalog`."};
        }
        const bool is_shared = form - forms.begin() == shared_form;
        return fmt::format("SELECT {}::text AS id, {}::text AS document, {}::jsonb AS m, embedding AS e FROM {}{}",
                           form->id, form->document, form->metadata, table.quoted(db_),
                           is_shared ? of_collection(table) : "");
    }

    std::string of_collection(const TableName& table) {
        const TableName names{table.schema, "langchain_pg_collection"};
        const pg::Result found =
            db_.query(fmt::format("SELECT uuid FROM {} WHERE name = $1", names.quoted(db_)), {request_.collection});
        if (!found.empty()) return fmt::format(" WHERE collection_id = {}", db_.quote_literal(found.text(0, 0)));
        throw Error{ErrorCode::not_found,
                    fmt::format("Table {} is shared by collections, and '{}' is none of them", table.shown(),
                                request_.collection),
                    "Name one with --collection; their names are in " + names.shown() + "."};
    }

    const ExportRequest& request_;
    pg::Connection db_;
    pg::Transaction tx_;
    std::string copy_sql_;
    std::uint64_t count_ = 0;
    bool is_half_ = false;
    std::optional<std::uint32_t> dimension_;
};

void tell(CopyObserver& observer, const ExportReport& report) {
    if (observer.progress(report.rows, report.bytes)) return;
    throw Error{ErrorCode::cancelled, fmt::format("Interrupted after {} rows of {}", report.rows, report.from),
                "Run the same command again."};
}

/// Reads the rows that Chroma can hold page by page; the others go to `refuse`.
class ServerExport {
public:
    ServerExport(const ExportRequest& request, const chroma::SourceAddress& server, CopyObserver& observer)
        : request_(request), rows_(request, true), writer_(server, request.collection), observer_(observer) {
        report_.from = rows_.shown();
    }

    ExportReport run() {
        open_collection();
        const std::size_t most = std::min(writer_.most_records_a_write(), page_records);
        report_.written = {};
        read("export", most, [&](const auto& page) { writer_.put(page, report_.written); });
        std::set<std::string, std::less<>> refused;
        for (const chroma::RefusedRecord& record : report_.written.refused)
            refused.insert(record.id);
        read("verify", most, [&](const auto& page) {
            writer_.check(page, report_.read_back);
            std::erase_if(report_.read_back.differing, [&](const std::string& id) { return refused.contains(id); });
        });
        const std::uint64_t ours = report_.rows - report_.written.refused.size();
        const std::uint64_t there = writer_.count();
        report_.others = there - std::min(ours, there);
        report_.collection = *writer_.collection();
        return std::move(report_);
    }

private:
    void open_collection() {
        const std::optional<chroma::Space> known = request_.space ? request_.space : rows_.space();
        const auto& there = writer_.collection();
        if (!there) {
            if (!known) {
                throw Error{
                    ErrorCode::request_invalid,
                    fmt::format("Nothing tells the distance space of {}: it has no vector index", rows_.shown()),
                    "Say it with --space cosine, l2 or ip; the collection is made with it."};
            }
            writer_.create(*known);
            report_.is_new = true;
            return;
        }
        constexpr std::string_view remedy = "Name another collection with --collection: it is made.";
        if (known && there->space && there->space != known) {
            throw Error{ErrorCode::conflict,
                        fmt::format("Collection '{}' has the space {}, {} is searched by {}", there->name,
                                    chroma::name_of(*there->space), rows_.shown(), chroma::name_of(*known)),
                        std::string{remedy}};
        }
        if (there->dimension && rows_.dimension() && there->dimension != rows_.dimension()) {
            throw Error{ErrorCode::dimension_mismatch,
                        fmt::format("Embedding dimension mismatch: collection '{}' holds {}-d vectors, the column of "
                                    "{} is vector({})",
                                    there->name, *there->dimension, rows_.shown(), *rows_.dimension()),
                        std::string{remedy}};
        }
    }

    template <typename Take>
    void read(const std::string& phase, std::size_t most, const Take& take) {
        observer_.begin_phase(phase, rows_.count());
        report_.rows = report_.bytes = 0;
        std::vector<chroma::RecordParts> page;
        std::size_t bytes = 0;
        const auto flush = [&] {
            if (!page.empty()) take(page);
            page.clear();
            report_.bytes += bytes;
            bytes = 0;
            tell(observer_, report_);
        };
        rows_.each([&](Row row) {
            ++report_.rows;
            if (row.fault.empty()) {
                bytes += row.parts.bytes();
                page.push_back(std::move(row.parts));
            } else if (phase == "export") {
                report_.written.refused.push_back({std::string{row.id}, std::string{row.fault}});
            }
            if (bytes >= page_bytes || page.size() >= most) flush();
        });
        flush();
        observer_.end_phase();
    }

    const ExportRequest& request_;
    Rows rows_;
    chroma::ServerWriter writer_;
    CopyObserver& observer_;
    ExportReport report_;
};

template <typename Work>
ExportReport timed(const Work& work) {
    const auto start = std::chrono::steady_clock::now();
    ExportReport report = work();
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return report;
}

}  // namespace

ExportReport export_to_file(const ExportRequest& request, const std::filesystem::path& path, CopyObserver& observer) {
    return timed([&] {
        Rows rows{request, false};
        ExportReport report{.from = rows.shown()};
        FileWriter file{path};
        std::string lines;
        observer.begin_phase("export", rows.count());
        const auto flush = [&] {
            file.write(lines);
            report.bytes += lines.size();
            lines.clear();
            tell(observer, report);
        };
        rows.each([&](const Row& row) {
            const chroma::RecordParts& parts = row.parts;
            lines += fmt::format("{{\"id\":{},\"document\":{},\"metadata\":{},\"embedding\":{}}}\n", parts.id,
                                 parts.document, parts.metadata,
                                 parts.vector.empty() ? "null" : json_text(std::span<const float>{parts.vector}));
            ++report.rows;
            if (lines.size() >= page_bytes) flush();
        });
        flush();
        file.finish();
        observer.end_phase();
        return report;
    });
}

ExportReport export_to_server(const ExportRequest& request, const chroma::SourceAddress& server,
                              CopyObserver& observer) {
    return timed([&] { return ServerExport{request, server, observer}.run(); });
}

}  // namespace decant::migrate
