#include "store/second_column.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.hpp"

namespace decant::store {
namespace {

constexpr std::string_view suffix = "_second";
constexpr std::string_view statistics = "product_embedding_stats";
constexpr std::string_view statistics_index = "idx_product_embedding_stats";
constexpr std::string_view trigger = "trigger_update_embedding_version_second";
constexpr std::string_view function = "decant_mark_second_embedding";

constexpr std::array pairs{
    std::pair{live_columns.embedding, second_columns.embedding}, std::pair{live_columns.model, second_columns.model},
    std::pair{live_columns.hash, second_columns.hash}, std::pair{live_columns.update, second_columns.update}};

constexpr std::string_view find_sql = R"sql(
SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = a.attrelid AND t.tgname = $1 AND t.tgenabled <> 'D')
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = pg_catalog.to_regclass('products') AND a.attname = 'embedding_second' AND NOT a.attisdropped)sql";

constexpr std::string_view count_sql = R"sql(
SELECT count(*), count(embedding_second) FILTER (WHERE embedding_second_update IS NOT NULL),
       count(embedding_second) FILTER (WHERE embedding_second_update IS NULL),
       count(*) FILTER (WHERE embedding_second IS NULL)
FROM products WHERE active)sql";

constexpr std::string_view types_sql = R"sql(
SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a
WHERE a.attrelid = pg_catalog.to_regclass('products') AND a.attname = ANY ($1::text[]) AND NOT a.attisdropped
ORDER BY pg_catalog.array_position($1::text[], a.attname::text))sql";

// After the trigger that counts the version, by their names: this one sees what that did.
constexpr std::string_view trigger_template = R"sql(
CREATE OR REPLACE FUNCTION {0}.{1}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.embedding_second_update := NULL;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER {2} BEFORE UPDATE ON products FOR EACH ROW
WHEN (OLD.embedding_version IS DISTINCT FROM NEW.embedding_version) EXECUTE FUNCTION {0}.{1}())sql";

// As migrations/001 has it of the live columns.
constexpr std::string_view statistics_template = R"sql(
CREATE MATERIALIZED VIEW {0}.product_embedding_stats_second AS
SELECT count(*) AS total_products,
       count(embedding_second) AS products_with_embeddings,
       count(*) - count(embedding_second) AS missing_embeddings,
       count(*) FILTER (WHERE embedding_second IS NOT NULL
                        AND (embedding_second_update IS NULL
                             OR embedding_second_model IS DISTINCT FROM
                                coalesce(nullif(current_setting('decant.embedding_model', true), ''),
                                         embedding_second_model)))
           AS stale_embeddings,
       (avg(extract(epoch FROM timezone('UTC', now()) - embedding_second_update)) / 3600)::float8
           AS avg_hours_since_update,
       min(embedding_second_update) AS oldest_embedding_update,
       max(embedding_second_update) AS newest_embedding_update,
       array_agg(DISTINCT embedding_second_model) FILTER (WHERE embedding_second_model IS NOT NULL)
           AS embedding_models_used
FROM products
WHERE active;
CREATE UNIQUE INDEX idx_product_embedding_stats_second ON {0}.product_embedding_stats_second (total_products))sql";

// What may be done with the live columns and the view may be done with their twins. {0} is the schema, quoted.
constexpr std::string_view column_grants_sql = R"sql(
SELECT pg_catalog.format('GRANT %s (%I) ON products TO %s%s', g.privilege_type, $2::text,
                         CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END,
                         CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) g
WHERE a.attrelid = pg_catalog.to_regclass('products') AND a.attname = $1 AND NOT a.attisdropped)sql";

constexpr std::string_view view_grants_sql = R"sql(
SELECT pg_catalog.format('GRANT %s ON %s_second TO %s%s', g.privilege_type, c.oid::pg_catalog.regclass,
                         CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END,
                         CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) g
WHERE c.oid = pg_catalog.to_regclass('product_embedding_stats') AND g.grantee <> c.relowner
UNION ALL
SELECT pg_catalog.format('ALTER MATERIALIZED VIEW %s_second OWNER TO %I', c.oid::pg_catalog.regclass,
                         pg_catalog.pg_get_userbyid(c.relowner))
FROM pg_catalog.pg_class c
WHERE c.oid = pg_catalog.to_regclass('product_embedding_stats')
  AND pg_catalog.pg_get_userbyid(c.relowner) <> current_user)sql";

// Indexes that one of the columns is a part of, or that an expression or a condition of them asks for.
constexpr std::string_view indexes_sql = R"sql(
SELECT DISTINCT c.relname FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'i'
JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid AND (i.indisvalid OR $2::boolean)
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND d.refobjid = pg_catalog.to_regclass('products') AND a.attname = ANY ($1::text[])
ORDER BY 1)sql";

constexpr std::string_view dependents_sql = R"sql(
SELECT pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, r.ev_class, 0)
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = pg_catalog.to_regclass('products')
  AND a.attname = ANY ($1::text[]) AND r.ev_class <> coalesce(pg_catalog.to_regclass('product_embedding_stats')::oid, 0)
UNION
SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = pg_catalog.to_regclass('products')
  AND a.attname = ANY ($1::text[]) AND d.classid NOT IN ('pg_catalog.pg_rewrite'::pg_catalog.regclass,
      'pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_attrdef'::pg_catalog.regclass)
ORDER BY 1)sql";

constexpr std::string_view pending_sql =
    "SELECT id FROM products WHERE active AND (embedding_second IS NULL OR embedding_second_update IS NULL) "
    "AND ($1::uuid IS NULL OR id > $1::uuid) ORDER BY id LIMIT $2::bigint";

constexpr std::string_view pending_at_swap_sql =
    "(SELECT id FROM products WHERE active AND embedding_second IS NULL LIMIT 1000) UNION ALL "
    "(SELECT id FROM products WHERE active AND embedding_second IS NOT NULL AND embedding_second_update IS NULL "
    "LIMIT 1000)";

struct Twin {
    std::string_view name;
    std::string_view definition;
};
// As migrations/001 has them of the live columns; {0} is the schema, quoted.
constexpr std::array twins{
    Twin{"idx_products_embedding_update_second",
         "ON {0}.products (embedding_second_update) WHERE embedding_second IS NOT NULL"},
    Twin{"idx_products_stale_embeddings_second",
         "ON {0}.products (embedding_version, embedding_second_update) WHERE active AND embedding_second IS NULL"},
    Twin{"idx_products_category_brand_stock_second",
         "ON {0}.products (category_id, brand_id, stock) WHERE active AND embedding_second IS NOT NULL"},
};

std::string names_of(const VectorColumns& columns) {
    return pg::array_literal({std::string{columns.embedding}, std::string{columns.model}, std::string{columns.hash},
                              std::string{columns.update}});
}

std::vector<std::string> first_column(const pg::Result& rows) {
    std::vector<std::string> texts;
    for (int row = 0; row < rows.rows(); ++row)
        texts.emplace_back(rows.text(row, 0));
    return texts;
}

/// Names; those that a cut-short build left, too, with `also_invalid`.
std::vector<std::string> indexes_of(pg::Connection& db, const VectorColumns& columns, bool also_invalid) {
    return first_column(db.query(indexes_sql, {names_of(columns), also_invalid ? "true" : "false"}));
}

void set_comment(pg::Connection& db, std::string_view column, const ColumnComment& comment) {
    db.exec(fmt::format("COMMENT ON COLUMN products.{} IS {}", column, db.quote_literal(comment_text(comment))));
}

/// Exchanges the names of two kinds of things by a third name that nobody has.
class Renames {
public:
    Renames(pg::Connection& db, const std::string& schema) : db_(db), schema_(db.quote_identifier(schema)) {}

    void columns() {
        for (const auto& [live, second] : pairs) {
            const std::string between = fmt::format("{}_swap", live);
            column(live, between);
            column(second, live);
            column(between, second);
        }
    }
    void indexes(const std::vector<std::string>& live, const std::vector<std::string>& second) {
        for (const std::string& name : live)
            relation("INDEX", name, name + "_swap");
        for (const std::string& name : second)
            if (name.ends_with(suffix)) relation("INDEX", name, name.substr(0, name.size() - suffix.size()));
        for (const std::string& name : live)
            relation("INDEX", name + "_swap", name + std::string{suffix});
    }
    void relation(std::string_view kind, const std::string& from, const std::string& to) {
        db_.exec(fmt::format("ALTER {} {}.{} RENAME TO {}", kind, schema_, db_.quote_identifier(from),
                             db_.quote_identifier(to)));
    }

private:
    void column(std::string_view from, std::string_view to) {
        db_.exec(fmt::format("ALTER TABLE products RENAME COLUMN {} TO {}", from, to));
    }

    pg::Connection& db_;
    std::string schema_;
};

}  // namespace

std::optional<SecondColumn> read_second_column(pg::Connection& db) {
    const pg::Result row = db.query(find_sql, {std::string{trigger}});
    if (row.empty()) return std::nullopt;
    SecondColumn column{.comment = read_column_comment(db, second_columns.embedding),
                        .is_marked = row.boolean(0, 0),
                        .indexes = indexes_of(db, second_columns, false)};
    if (column.comment && !column.comment->second) column.comment->second = SecondState::filling;
    return column;
}

SecondCounts count_second(pg::Connection& db) {
    const pg::Result row = db.exec(count_sql);
    const auto number = [&](int column) { return static_cast<std::uint64_t>(row.integer(0, column)); };
    return {.products = number(0), .fresh = number(1), .stale = number(2), .missing = number(3)};
}

void make_second_column(pg::Connection& db, const std::string& schema, const ColumnComment& comment) {
    const auto pgvector = find_pgvector(db);
    if (!pgvector) throw Error{ErrorCode::not_found, "pgvector extension not installed", "Run `decant schema up`."};
    const std::vector<std::string> types = first_column(db.query(types_sql, {names_of(live_columns)}));
    if (types.size() != pairs.size())
        throw Error{ErrorCode::conflict, "The columns of products' vectors are not all there",
                    "Run `decant schema up`."};
    db.exec(
        fmt::format("ALTER TABLE products ADD COLUMN {} {}({}), ADD COLUMN {} {}, ADD COLUMN {} {}, ADD COLUMN {} {}",
                    second_columns.embedding, pgvector->type(pg::VectorType::vector), comment.model.dimension,
                    second_columns.model, types[1], second_columns.hash, types[2], second_columns.update, types[3]));
    for (const auto& [live, second] : pairs) {
        for (const std::string& grant :
             first_column(db.query(column_grants_sql, {std::string{live}, std::string{second}})))
            db.exec(grant);
    }
    db.exec(fmt::format(trigger_template, db.quote_identifier(schema), function, trigger));
    set_comment(db, second_columns.embedding, comment);
}

void set_second_comment(pg::Connection& db, const ColumnComment& comment) {
    set_comment(db, second_columns.embedding, comment);
}

void make_second_statistics(pg::Connection& db, const std::string& schema) {
    const std::string quoted = db.quote_identifier(schema);
    db.exec(fmt::format("DROP MATERIALIZED VIEW IF EXISTS {}.{}{}", quoted, statistics, suffix));
    db.exec(fmt::format(statistics_template, quoted));
    for (const std::string& statement : first_column(db.exec(view_grants_sql)))
        db.exec(statement);
}

void restore_second_marks(pg::Connection& db, const std::string& schema) {
    db.exec(fmt::format(trigger_template, db.quote_identifier(schema), function, trigger));
    db.exec(
        fmt::format("ALTER TABLE products ENABLE TRIGGER {}; "
                    "UPDATE products SET embedding_second_update = NULL WHERE embedding_second IS NOT NULL",
                    trigger));
}

void drop_second_column(pg::Connection& db, const std::string& schema) {
    const std::string quoted = db.quote_identifier(schema);
    db.exec(
        fmt::format("DROP MATERIALIZED VIEW IF EXISTS {0}.{1}{2}; DROP TRIGGER IF EXISTS {3} ON products; "
                    "DROP FUNCTION IF EXISTS {0}.{4}()",
                    quoted, statistics, suffix, trigger, function));
    for (const auto& [live, second] : pairs)
        db.exec(fmt::format("ALTER TABLE products DROP COLUMN IF EXISTS {}", second));
}

std::vector<std::string> second_index_statements(pg::Connection& db, const std::string& schema) {
    const auto column = read_second_column(db);
    std::vector<std::string> statements;
    for (const Twin& twin : twins) {
        if (column && std::ranges::find(column->indexes, twin.name) != column->indexes.end()) continue;
        statements.push_back(fmt::format("CREATE INDEX CONCURRENTLY {} {}", twin.name,
                                         fmt::format(fmt::runtime(twin.definition), db.quote_identifier(schema))));
    }
    return statements;
}

std::vector<std::string> drop_invalid_second_indexes(pg::Connection& db, const std::string& schema) {
    std::vector<std::string> dropped;
    const auto column = read_second_column(db);
    for (const std::string& name : indexes_of(db, second_columns, true)) {
        if (column && std::ranges::find(column->indexes, name) != column->indexes.end()) continue;
        db.exec(fmt::format("DROP INDEX CONCURRENTLY IF EXISTS {}.{}", db.quote_identifier(schema),
                            db.quote_identifier(name)));
        dropped.push_back(name);
    }
    return dropped;
}

std::string second_vector_index(IndexKind kind) {
    return fmt::format("idx_products_embedding_{}{}", name_of(kind), suffix);
}

std::vector<std::string> pending_products(pg::Connection& db, const std::optional<std::string>& after,
                                          std::size_t limit) {
    return first_column(db.query(pending_sql, {after, std::to_string(limit)}));
}

std::vector<std::string> pending_at_swap(pg::Connection& db) {
    db.exec("SET LOCAL enable_seqscan = off");
    std::vector<std::string> pending = first_column(db.exec(pending_at_swap_sql));
    db.exec("SET LOCAL enable_seqscan = on");
    return pending;
}

void swap_second_statistics(pg::Connection& db, const std::string& schema) {
    Renames renames{db, schema};
    const std::string view{statistics};
    renames.relation("MATERIALIZED VIEW", view, view + "_swap");
    renames.relation("MATERIALIZED VIEW", view + std::string{suffix}, view);
    renames.relation("MATERIALIZED VIEW", view + "_swap", view + std::string{suffix});
    const std::string index{statistics_index};
    renames.indexes({index}, {index + std::string{suffix}});
}

void swap_second_column(pg::Connection& db, const std::string& schema, const ColumnComment& live,
                        const ColumnComment& second) {
    const std::vector<std::string> of_live = indexes_of(db, live_columns, true);
    const std::vector<std::string> of_second = indexes_of(db, second_columns, true);
    Renames renames{db, schema};
    renames.indexes(of_live, of_second);
    renames.columns();
    set_comment(db, live_columns.embedding, live);
    set_comment(db, second_columns.embedding, second);
}

std::vector<std::string> dependents_of_live(pg::Connection& db) {
    return first_column(db.query(dependents_sql, {names_of(live_columns)}));
}

}  // namespace decant::store
