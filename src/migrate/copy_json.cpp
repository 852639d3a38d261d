#include "migrate/copy_json.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/json.hpp"
#include "core/utf8.hpp"

namespace decant::migrate {
namespace {

json::object json_of(const Counts& counts, std::uint64_t lost) {
    return {{"read", counts.read},           {"copied", counts.copied},     {"updated", counts.updated},
            {"unchanged", counts.unchanged}, {"rejected", counts.rejected}, {"lost", lost},
            {"kept", counts.kept},           {"pruned", counts.pruned},     {"bytes", counts.bytes}};
}

json::object json_of(const VerifyOutcome& outcome) {
    json::array differences;
    for (const Difference& difference : outcome.differences) {
        differences.push_back(
            {{"id", difference.id}, {"kind", std::string{name_of(difference.kind)}}, {"what", difference.what}});
    }
    return {{"against", outcome.against},
            {"equal", outcome.is_equal()},
            {"rows", outcome.rows},
            {"known_extra", outcome.known_extra},
            {"bytes", outcome.bytes},
            {"difference_count", outcome.difference_count},
            {"differences", std::move(differences)},
            {"seconds", outcome.seconds}};
}

json::object json_of(const RecallOutcome& recall) {
    return {{"k", recall_k},
            {"queries", recall.queries},
            {"recall", recall.recall},
            {"exact_seconds", recall.exact_seconds},
            {"index_seconds", recall.index_seconds}};
}

json::object json_of(const chroma::Collection& collection) {
    return {{"tenant", collection.tenant},
            {"database", collection.database},
            {"name", collection.name},
            {"id", collection.id}};
}

bool has_control(std::string_view text) {
    return printable(text) != text;
}

/// `name` as an SQL identifier: bare where PostgreSQL would keep it so.
std::string sql_identifier(const std::string& name) {
    const bool is_bare = !name.empty() &&
                         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos &&
                         (name[0] < '0' || name[0] > '9');
    if (is_bare) return name;
    std::string out = "\"";
    for (const char c : name)
        out += c == '"' ? "\"\"" : std::string(1, c);
    return printable(out + "\"");
}

/// A character that would steer the terminal is written as its bytes, which PostgreSQL puts together again.
std::string sql_literal(const std::string& text) {
    const bool is_escaped = has_control(text);
    std::string out;
    for (const char c : text) {
        const bool is_doubled = c == '\'' || (is_escaped && c == '\\');
        if (is_escaped && (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f))
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else
            out += std::string(is_doubled ? 2 : 1, c);
    }
    return fmt::format("{}'{}'", is_escaped ? "E" : "", out);
}

/// As a Python literal in single quotes.
std::string python_literal(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

/// psycopg reads % as the start of a placeholder where a statement has parameters.
std::string with_percent_doubled(std::string_view sql) {
    std::string out;
    for (const char c : sql)
        out += std::string(c == '%' ? 2 : 1, c);
    return out;
}

std::string example_operator(const CopyReport& report) {
    const std::string_view op = store::operator_of(report.shape.space);
    return report.extension_schema.empty() ? std::string{op}
                                           : fmt::format("OPERATOR({}.{})", report.extension_schema, op);
}

}  // namespace

std::string verification_json(const VerifyOutcome& outcome) {
    return json_text(json_of(outcome));
}

json::object verification_json(const VerifyTableReport& report) {
    json::object out = json_of(report.outcome);
    out["table"] = report.table.shown();
    out["run"] = report.run_id;
    out["digest"] = report.root;
    if (!report.why_not_source.empty()) out["why_not_source"] = report.why_not_source;
    out["recall"] = report.recall ? json::value(json_of(*report.recall)) : json::value(nullptr);
    return out;
}

std::string into_json(const IntoReport& report) {
    const auto texts = [](const std::vector<std::string>& list) {
        json::array out;
        for (const std::string& text : list)
            out.emplace_back(text);
        return out;
    };
    json::object out{{"run", report.run_id},
                     {"collection", json_of(report.collection)},
                     {"table", report.table.shown()},
                     {"column", report.column},
                     {"column_added", report.column_added},
                     {"counts", json_of(report.counts, report.lost)},
                     {"unmatched_records", report.unmatched_records},
                     {"unmatched_record_ids", texts(report.unmatched_ids)},
                     {"unmatched_rows", report.unmatched_rows},
                     {"unmatched_row_keys", texts(report.unmatched_keys)}};
    out["verification"] = report.verification ? json::value(json_of(*report.verification)) : json::value(nullptr);
    return json_text(out);
}

json::object report_json(const CopyReport& report) {
    json::array phases;
    for (const PhaseTime& phase : report.phases)
        phases.push_back({{"name", phase.name}, {"seconds", phase.seconds}});
    json::array index_sql;
    for (const std::string& sql : report.index_sql)
        index_sql.emplace_back(sql);
    json::array warnings;
    for (const std::string& warning : report.warnings)
        warnings.emplace_back(warning);
    json::object out{{"run", report.run_id},
                     {"collection", json_of(report.collection)},
                     {"table", report.is_empty ? json::value(nullptr) : json::value(report.table.shown())},
                     {"resumed", report.is_resumed},
                     {"type", std::string{pg::name_of(report.shape.type)}},
                     {"dimension", report.shape.dimension},
                     {"space", std::string{name_of(report.shape.space)}},
                     {"counts", json_of(report.counts, report.lost)},
                     {"phases", std::move(phases)},
                     {"index_sql", std::move(index_sql)},
                     {"maintenance_work_mem_kib", report.resources.maintenance_work_mem_kib},
                     {"parallel_workers", report.resources.parallel_workers},
                     {"root", report.root},
                     {"warnings", std::move(warnings)}};
    out["verification"] = report.verification ? json::value(json_of(*report.verification)) : json::value(nullptr);
    out["recall"] = report.recall ? json::value(json_of(*report.recall)) : json::value(nullptr);
    out["previous_table"] = report.previous_table.empty() ? json::value(nullptr) : json::value(report.previous_table);
    if (report.snapshot) {
        out["snapshot"] = {{"reason", report.snapshot->reason}, {"seq_id", report.snapshot->seq_id}};
    }
    return out;
}

std::string example_sql(const CopyReport& report) {
    const std::string table = sql_identifier(report.table.schema) + "." + sql_identifier(report.table.table);
    const std::string op = example_operator(report);
    const std::string id = sql_literal(report.example_id);
    return fmt::format(
        "SELECT id, document, embedding {0} (SELECT embedding FROM {1} WHERE id = {2}) AS distance\n"
        "FROM {1} ORDER BY embedding {0} (SELECT embedding FROM {1} WHERE id = {2}) LIMIT 10;",
        op, table, id);
}

std::string example_python(const CopyReport& report, const std::string& dsn) {
    const std::string table = sql_identifier(report.table.schema) + "." + sql_identifier(report.table.table);
    const std::string type{pg::name_of(report.shape.type)};
    const std::string first = fmt::format("SELECT embedding::text FROM {} LIMIT 1", table);
    const std::string nearest = fmt::format(
        "SELECT id, document FROM {} ORDER BY embedding {} %s::{} LIMIT 10", with_percent_doubled(table),
        example_operator(report), report.extension_schema.empty() ? type : report.extension_schema + "." + type);
    return fmt::format(
        "import psycopg\n"
        "with psycopg.connect({}) as db:\n"
        "    vector = db.execute({}).fetchone()[0]  # or your model's\n"
        "    print(db.execute({}, [vector]).fetchall())",
        json_text(json::string(dsn)), python_literal(first), python_literal(nearest));
}

}  // namespace decant::migrate
