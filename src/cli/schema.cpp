#include "cli/schema.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/confirm.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/quantity_text.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "embed/known_models.hpp"
#include "embed/open_embedder.hpp"
#include "store/database_address.hpp"
#include "store/migrations.hpp"
#include "store/schema_migrator.hpp"

namespace decant::cli {
namespace {

store::SchemaMigrator open_migrator(const Context& context) {
    catch_interrupts();
    return store::SchemaMigrator{store::resolve_database(context.settings).conninfo,
                                 [](const std::string& line) { log::warning("{}", printable(line)); }};
}

template <typename Names>
json::array json_names(const Names& names) {
    json::array out;
    for (const auto& name : names)
        out.emplace_back(name);
    return out;
}

json::value json_dimension(const store::CatalogState& state) {
    return state.dimension ? json::value(*state.dimension) : json::value(nullptr);
}

void print_column(const store::CatalogState& state) {
    if (state.has_embedding())
        fmt::print("embedding  {}.products.embedding {}\n", printable(state.schema), state.column_type());
    else
        fmt::print("embedding  no column\n");
}

class SchemaUp final : public Command {
public:
    SchemaUp()
        : Command("schema up", "Make the product catalog and its pgvector support where missing",
                  {"decant schema up", "decant schema up --dimension 384"}) {}
    void declare(Options& options) override {
        options.number("--dimension", dimension_,
                       "Dimension of a new embedding column (default: the model's, else 768)");
    }

    int run(const Context& context) override {
        if (dimension_ && *dimension_ > UINT32_MAX) dimension_ = UINT32_MAX;
        store::SchemaMigrator migrator = open_migrator(context);
        const std::vector<std::string> applied = migrator.up(wanted_dimension(context, migrator));
        const store::CatalogState state = store::read_catalog_state(migrator.db());
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{{"applied", json_names(applied)},
                                                      {"schema", state.schema},
                                                      {"dimension", json_dimension(state)}}));
            return 0;
        }
        for (const std::string& name : applied)
            fmt::print("applied    {}\n", name);
        if (applied.empty()) fmt::print("nothing to apply\n");
        print_column(state);
        return 0;
    }

private:
    /// Of a column that is there nothing is asked.
    std::optional<std::uint32_t> wanted_dimension(const Context& context, store::SchemaMigrator& migrator) const {
        if (dimension_) return static_cast<std::uint32_t>(*dimension_);
        if (store::read_catalog_state(migrator.db()).has_embedding()) return std::nullopt;
        const embed::EmbedderChoice choice = embed::chosen_embedder(context.settings);
        const embed::Model* known = embed::find_known_model(choice.provider, choice.model);
        return known != nullptr ? std::optional{static_cast<std::uint32_t>(known->dimension)} : std::nullopt;
    }

    std::optional<std::uint64_t> dimension_;
};

class SchemaDown final : public Command {
public:
    SchemaDown()
        : Command("schema down", "Take pgvector support away from the catalog, with all its vectors",
                  {"decant schema down --yes"}) {}
    void declare(Options& options) override { options.flag("--yes", is_confirmed_, "Do not ask"); }

    int run(const Context& context) override {
        if (!is_confirmed_ && !confirm_catalog_removal(context, "schema down")) return 1;
        json::object out;
        remove_catalog_support(context, out);
        if (context.json) fmt::print("{}\n", json_text(out));
        return 0;
    }

private:
    bool is_confirmed_ = false;
};

class SchemaStatus final : public Command {
public:
    SchemaStatus()
        : Command("schema status", "Show what of the catalog's schema is there; exit 1 when some is not",
                  {"decant schema status", "decant schema status --json"}) {}

    int run(const Context& context) override {
        store::SchemaMigrator migrator = open_migrator(context);
        const store::CatalogState state = store::read_catalog_state(migrator.db());
        const store::ServerFacts facts = store::read_server_facts(migrator.db());
        const std::vector<store::MigrationStatus> all = migrator.status();
        const bool is_complete =
            std::ranges::all_of(all, [](const auto& migration) { return migration.missing.empty(); });
        if (context.json)
            print_json(state, facts, all);
        else
            print_text(state, facts, all);
        return is_complete ? 0 : 1;
    }

private:
    static void print_json(const store::CatalogState& state, const store::ServerFacts& facts,
                           const std::vector<store::MigrationStatus>& all) {
        json::array migrations;
        for (const store::MigrationStatus& migration : all) {
            migrations.push_back(json::object{{"version", migration.version},
                                              {"name", migration.name},
                                              {"state", migration.state},
                                              {"applied_at", migration.applied_at},
                                              {"missing", json_names(migration.missing)}});
        }
        fmt::print("{}\n", json_text(json::object{
                               {"pgvector", facts.pgvector ? json::value(facts.pgvector->version) : nullptr},
                               {"available_pgvector", facts.available ? json::value(*facts.available) : nullptr},
                               {"schema", state.schema},
                               {"embedding_type", state.embedding_type},
                               {"dimension", json_dimension(state)},
                               {"may_alter", state.may_alter},
                               {"may_write", state.may_write},
                               {"migrations", std::move(migrations)}}));
    }

    static void print_text(const store::CatalogState& state, const store::ServerFacts& facts,
                           const std::vector<store::MigrationStatus>& all) {
        fmt::print("pgvector   {}\n", facts.pgvector ? facts.pgvector->version : "not installed");
        print_column(state);
        fmt::print("\n");
        Table table{{{"migration"}, {"state"}, {"applied (UTC)"}, {"missing", Table::Align::right}}};
        for (const store::MigrationStatus& migration : all) {
            table.add_row(
                {migration.name, migration.state, migration.applied_at, std::to_string(migration.missing.size())});
        }
        fmt::print("{}", table.text());
        for (const store::MigrationStatus& migration : all) {
            if (migration.state != "incomplete") continue;
            fmt::print("\nmissing of {}: {}\n", migration.name, fmt::join(migration.missing, ", "));
        }
    }
};

class SchemaPrint final : public Command {
public:
    SchemaPrint()
        : Command("schema print", "Print the SQL that schema up applies, for psql",
                  {"decant schema print > catalog.sql", "decant schema print 1 --down"}) {}
    void declare(Options& options) override {
        options.optional_positional("VERSION", version_, "Only this one, as in: decant schema print 1");
        options.number("--dimension", dimension_, "Dimension of a new embedding column (default: 768)");
        options.flag("--down", is_down_, "What takes it back");
    }

    int run(const Context& context) override {
        std::string text;
        json::array out;
        if (dimension_ && !is_down_) text = fmt::format("SET decant.dimension = {};\n\n", *dimension_);
        for (const store::Migration& migration : store::all_migrations()) {
            if (version_ && *version_ != std::to_string(migration.version)) continue;
            text = is_down_ ? std::string{migration.down} + text : text + std::string{migration.up};
            out.push_back(json::object{{"name", migration.name}, {"up", migration.up}, {"down", migration.down}});
        }
        if (out.empty()) {
            throw Error{ErrorCode::not_found, fmt::format("There is no migration {}", *version_),
                        "See them with `decant schema status`."};
        }
        fmt::print("{}", context.json ? json_text(out) + "\n" : text);
        return 0;
    }

private:
    std::optional<std::string> version_;
    std::optional<std::uint64_t> dimension_;
    bool is_down_ = false;
};

}  // namespace

Commands make_schema() {
    return commands_of<SchemaUp, SchemaDown, SchemaStatus, SchemaPrint>();
}

bool confirm_catalog_removal(const Context& context, const std::string& command) {
    pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
    const bool has_vectors = store::read_catalog_state(db).has_embedding();
    const std::int64_t vectors = has_vectors ? db.exec("SELECT count(embedding) FROM products").integer(0, 0) : 0;
    return confirm(fmt::format("{} removes pgvector support and {} embeddings of products in database '{}', with all "
                               "that decant keeps there (API keys, conversations, feedback, traces, ...)",
                               command, grouped(static_cast<std::uint64_t>(vectors)), db.database()),
                   "decant " + command);
}

void remove_catalog_support(const Context& context, json::object& out) {
    store::SchemaMigrator migrator = open_migrator(context);
    constexpr int catalog_version = 0;
    const store::SchemaMigrator::Undone undone = migrator.down(catalog_version);
    const bool stays = !undone.extension_stays.empty();
    out["undone"] = json_names(undone.names);
    out["extension_stays"] = stays ? json::value(undone.extension_stays) : nullptr;
    if (context.json) return;
    for (const std::string& name : undone.names)
        fmt::print("undone     {}\n", name);
    fmt::print("extension  vector {}\n", stays ? "stays: " + printable(undone.extension_stays) : "is removed");
}

}  // namespace decant::cli
