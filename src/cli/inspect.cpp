#include "cli/commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "chroma/source.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/quantity_text.hpp"
#include "core/shell_word.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"

namespace decant::cli {
namespace {

using chroma::Collection;
using chroma::CollectionSurvey;
using chroma::Finding;

/// One collection; where nothing of it can be read, the survey has only the collection and the finding that says why.
struct Inspected {
    CollectionSurvey survey;
    bool is_readable = true;
    std::vector<chroma::LostRecord> lost;  ///< filled for --list-lost
};

std::string_view name_of(Finding::Severity severity) {
    return EnumNames<Finding::Severity, 3>{{"note", "warning", "damage"}}[severity];
}

std::string shown_name(const Collection& collection) {
    return collection.name.empty() ? fmt::format("({})", collection.id) : collection.name;
}

Inspected inspect(const chroma::Source& source, const Collection& collection, bool wants_lost) {
    Inspected inspected;
    inspected.survey.collection = collection;
    try {
        inspected.survey = source.survey(collection);
        if (wants_lost && inspected.survey.records_lost > 0) {
            inspected.lost = source.read(collection)->lost();
        }
    } catch (const Error& error) {
        if (error.code() != ErrorCode::source_unreadable || source.is_server()) throw;
        inspected.is_readable = false;
        inspected.survey.findings.push_back({Finding::Severity::damage, "chroma.sqlite3", error.happened()});
    }
    return inspected;
}

/// Without the last columns when they are about files that only a directory shows.
std::string table_of(const std::vector<Inspected>& all, bool shows_places) {
    using enum Table::Align;
    std::vector<Table::Column> columns{{"Tenant"},           {"Database"}, {"Collection"},        {"Records", right},
                                       {"Dimension", right}, {"Space"},    {"Embedding function"}};
    if (shows_places) {
        columns.insert(columns.end(), {{"In HNSW", right},
                                       {"In queue", right},
                                       {"Queue rows", right},
                                       {"Not persisted", right},
                                       {"Lost", right}});
    }
    Table table{std::move(columns)};
    for (const auto& [survey, is_readable, lost] : all) {
        const Collection& collection = survey.collection;
        const auto number = [readable = is_readable](std::uint64_t value) { return readable ? grouped(value) : "?"; };
        std::vector<std::string> row{collection.tenant,
                                     collection.database,
                                     shown_name(collection),
                                     number(survey.records),
                                     collection.dimension ? std::to_string(*collection.dimension) : "-",
                                     collection.space ? std::string{chroma::name_of(*collection.space)} : "unknown",
                                     collection.embedding_function.empty() ? "-" : collection.embedding_function};
        if (shows_places) {
            for (const std::uint64_t value :
                 {survey.vectors_in_hnsw, survey.vectors_in_wal, survey.wal_rows, survey.wal_gap, survey.records_lost})
                row.push_back(number(value));
        }
        table.add_row(std::move(row));
    }
    return table.text();
}

void print_findings(std::string_view heading, const std::vector<Finding>& findings) {
    if (findings.empty()) return;
    fmt::print("\n{}\n", printable(heading));
    for (const Finding& finding : findings) {
        fmt::print("  {:<8} {}: {}\n", name_of(finding.severity), printable(finding.object),
                   printable(finding.happened));
    }
}

json::array json_of(const std::vector<Finding>& findings) {
    json::array out;
    for (const Finding& finding : findings) {
        out.push_back(json::object{
            {"severity", name_of(finding.severity)}, {"object", finding.object}, {"happened", finding.happened}});
    }
    return out;
}

json::object json_of(const Inspected& inspected, bool lists_lost) {
    const CollectionSurvey& survey = inspected.survey;
    const Collection& collection = survey.collection;
    const auto number = [&](std::uint64_t value) { return inspected.is_readable ? json::value(value) : nullptr; };
    const auto place = [&](std::uint64_t value) { return survey.tells_places ? number(value) : nullptr; };
    json::object out{{"tenant", collection.tenant},
                     {"database", collection.database},
                     {"name", collection.name},
                     {"id", collection.id},
                     {"dimension", collection.dimension ? json::value(*collection.dimension) : nullptr},
                     {"space", collection.space ? json::value(chroma::name_of(*collection.space)) : nullptr},
                     {"embedding_function", collection.embedding_function},
                     {"records", number(survey.records)},
                     {"vectors_in_hnsw", place(survey.vectors_in_hnsw)},
                     {"vectors_in_queue", place(survey.vectors_in_wal)},
                     {"queue_rows", place(survey.wal_rows)},
                     {"queue_rows_not_persisted", place(survey.wal_gap)},
                     {"records_lost", place(survey.records_lost)},
                     {"findings", json_of(survey.findings)}};
    if (lists_lost) {
        json::array lost;
        for (const chroma::LostRecord& record : inspected.lost) {
            lost.push_back(json::object{{"id", record.id}, {"reason", record.reason}});
        }
        out["lost"] = std::move(lost);
    }
    return out;
}

class Inspect final : public Command {
public:
    Inspect()
        : Command("inspect", "Show what a Chroma directory or server holds, where its vectors are and what is damaged",
                  {"decant inspect ./chroma", "decant inspect ./chroma --collection products --list-lost",
                   "decant inspect ./chroma --json", "decant inspect http://localhost:8000"}) {}

    void declare(Options& options) override {
        options.required_positional("SOURCE", path_,
                                    "The directory given to chromadb.PersistentClient(path=...), or http://HOST:PORT");
        options.text("--collection", collection_, "Only this collection: its name or uuid");
        options.text("--tenant", tenant_, "With --collection: its tenant; of a server: only this one");
        options.text("--database", database_, "With --collection: its database; of a server: only this one");
        options.flag("--list-lost", lists_lost_, "List the id of every record that cannot be had whole, with why");
    }

    /// 0, or 1 when something of the collections shown cannot be had.
    int run(const Context& context) override {
        const std::unique_ptr<chroma::Source> opened =
            chroma::open_source(chroma::source_address(context.settings, path_, {tenant_, database_, ""}));
        const chroma::Source& source = *opened;
        std::vector<Inspected> all;
        for (const Collection& collection : chosen(source)) {
            all.push_back(inspect(source, collection, lists_lost_));
        }
        if (context.json) {
            print_json(source, all);
        } else {
            print_text(source, all);
        }
        return std::any_of(all.begin(), all.end(),
                           [](const Inspected& each) { return !each.is_readable || each.survey.records_lost > 0; });
    }

private:
    std::vector<Collection> chosen(const chroma::Source& source) const {
        if (!collection_) return source.collections();
        return {chroma::find_collection(source, {.tenant = tenant_, .database = database_, .name = *collection_})};
    }

    void print_text(const chroma::Source& source, const std::vector<Inspected>& all) const {
        fmt::print("Chroma {} {}\n", source.is_server() ? "server" : "directory", printable(source.name()));
        if (const auto& snapshot = source.snapshot()) {
            fmt::print("Read from a private copy, because {}; newest seq_id {}.\n", printable(snapshot->reason),
                       snapshot->seq_id);
        }
        fmt::print("\n{}", table_of(all, !source.is_server()));
        print_findings(source.is_server() ? "The server:" : "The directory:", source.findings());
        for (const Inspected& inspected : all) {
            const CollectionSurvey& survey = inspected.survey;
            print_findings(fmt::format("Collection {}:", shown_name(survey.collection)), survey.findings);
            if (survey.records_lost > 0) print_losses(inspected);
        }
    }

    void print_losses(const Inspected& inspected) const {
        const CollectionSurvey& survey = inspected.survey;
        const std::string name = shown_name(survey.collection);
        fmt::print("\n{} of {} records of {} can be had: decant copy --from {} --collection {} --allow-partial\n",
                   grouped(survey.records - survey.records_lost), grouped(survey.records), printable(name),
                   printable(shell_word(path_)), printable(shell_word(name)));
        if (!lists_lost_) {
            fmt::print("The others, with why: decant inspect {} --collection {} --list-lost\n",
                       printable(shell_word(path_)), printable(shell_word(name)));
        }
        for (const chroma::LostRecord& lost : inspected.lost) {
            fmt::print("  lost     {}: {}\n", printable(lost.id), printable(lost.reason));
        }
    }

    void print_json(const chroma::Source& source, const std::vector<Inspected>& all) const {
        json::array collections;
        for (const Inspected& inspected : all)
            collections.push_back(json_of(inspected, lists_lost_));
        json::value snapshot = nullptr;
        if (source.snapshot()) {
            snapshot = json::object{{"reason", source.snapshot()->reason}, {"seq_id", source.snapshot()->seq_id}};
        }
        fmt::print("{}\n", json_text(json::object{{"path", source.name()},
                                                  {"snapshot", std::move(snapshot)},
                                                  {"collections", std::move(collections)},
                                                  {"findings", json_of(source.findings())}}));
    }

    std::string path_;
    std::optional<std::string> collection_;
    std::optional<std::string> tenant_;
    std::optional<std::string> database_;
    bool lists_lost_ = false;
};

}  // namespace

Commands make_inspect() {
    return commands_of<Inspect>();
}

}  // namespace decant::cli
