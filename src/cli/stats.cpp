#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/judged_options.hpp"
#include "core/json_members.hpp"
#include "core/quantity_text.hpp"
#include "core/table.hpp"
#include "operate/maintenance.hpp"
#include "store/catalog_state.hpp"
#include "store/database_address.hpp"
#include "store/embedding_indexes.hpp"
#include "store/embedding_statistics.hpp"
#include "work/catalog_model.hpp"

namespace decant::cli {
namespace {

using store::EmbeddingStatistics;
using store::GroupCoverage;
using store::GroupedCoverage;
using store::Grouping;

constexpr auto right = Table::Align::right;

pg::Connection connect(const Context& context) {
    pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
    if (auto problem = store::embedding_problem(db, store::read_catalog_state(db))) throw std::move(*problem);
    return db;
}

std::string model_of(const Context& context, pg::Connection& db) {
    return work::catalog_choice(context.settings, db).model;
}

double coverage(std::uint64_t with_embedding, std::uint64_t products) {
    return EmbeddingStatistics{.products = products, .with_embedding = with_embedding}.coverage_percentage();
}

json::object json_of(const EmbeddingStatistics& catalog) {
    return {{"total_products", catalog.products},
            {"with_embeddings", catalog.with_embedding},
            {"missing_embeddings", catalog.without_embedding()},
            {"stale_embeddings", catalog.stale},
            {"coverage_percentage", catalog.coverage_percentage()},
            {"average_age_days", or_null(catalog.average_age_days)},
            {"last_update", or_null(catalog.last_update)}};
}

json::object json_of(const store::StatisticsView& view) {
    return {{"total_products", view.products},
            {"products_with_embeddings", view.with_embedding},
            {"missing_embeddings", view.missing},
            {"stale_embeddings", view.stale},
            {"avg_hours_since_update", or_null(view.average_hours)},
            {"oldest_embedding_update", or_null(view.oldest)},
            {"newest_embedding_update", or_null(view.newest)},
            {"embedding_models_used", json::array(view.models.begin(), view.models.end())}};
}

json::object json_of(const store::EmbeddingStorage& storage) {
    json::array indexes;
    for (const store::EmbeddingIndex& index : storage.indexes) {
        indexes.push_back(json::object{{"name", index.name},
                                       {"definition", index.definition},
                                       {"bytes", index.bytes},
                                       {"is_valid", index.is_valid}});
    }
    return {
        {"table_bytes", storage.table_bytes}, {"index_bytes", storage.index_bytes}, {"indexes", std::move(indexes)}};
}

json::object json_of(const GroupedCoverage& groups) {
    json::array rows;
    for (const GroupCoverage& group : groups.rows) {
        rows.push_back(json::object{{"name", or_null(group.name)},
                                    {"total_products", group.products},
                                    {"with_embeddings", group.with_embedding},
                                    {"missing_embeddings", group.products - group.with_embedding},
                                    {"stale_embeddings", group.stale},
                                    {"coverage_percentage", coverage(group.with_embedding, group.products)}});
    }
    return {{"total", groups.total}, {"rows", std::move(rows)}};
}

/// All that `decant stats` shows.
struct Figures {
    EmbeddingStatistics catalog;
    std::vector<store::ModelEmbeddings> models;
    std::optional<store::StatisticsView> view;
    store::EmbeddingStorage storage;
    GroupedCoverage categories;
    GroupedCoverage brands;
};

class Stats final : public Command {
public:
    Stats()
        : Command("stats", "Show coverage, sizes and indexes of the catalog's embeddings, by category and brand too",
                  {"decant stats", "decant stats --refresh --json"}) {}
    void declare(Options& options) override {
        options.flag("--refresh", refreshes_, "Refresh the view product_embedding_stats first, concurrently");
        options.number("--limit", limit_, "At most so many categories and brands, most missing first (default: 20)");
    }

    int run(const Context& context) override {
        const std::uint64_t limit = in_range({.option = "--limit", .low = 1, .high = 100'000, .unset = 20}, limit_);
        pg::Connection db = connect(context);
        const std::string model = model_of(context, db);
        if (refreshes_) store::refresh_statistics_view(db, model);
        const Figures figures{
            .catalog = store::read_embedding_statistics(db, model),
            .models = store::read_embeddings_by_model(db),
            .view = store::read_statistics_view(db),
            .storage = store::read_embedding_storage(db),
            .categories = store::read_grouped_coverage(db, {.by = Grouping::category, .model = model, .limit = limit}),
            .brands = store::read_grouped_coverage(db, {.by = Grouping::brand, .model = model, .limit = limit})};
        if (context.json)
            print_json(figures, model);
        else
            print_text(figures, model);
        return 0;
    }

private:
    void print_json(const Figures& figures, const std::string& model) const {
        json::array models;
        for (const store::ModelEmbeddings& one : figures.models)
            models.push_back(json::object{{"model", or_null(one.model)}, {"products", one.products}});
        fmt::print("{}\n", json_text(json::object{
                               {"embedding_model", model},
                               {"catalog", json_of(figures.catalog)},
                               {"models", std::move(models)},
                               {"view", figures.view ? json::value(json_of(*figures.view)) : json::value(nullptr)},
                               {"refreshed", refreshes_},
                               {"storage", json_of(figures.storage)},
                               {"categories", json_of(figures.categories)},
                               {"brands", json_of(figures.brands)}}));
    }

    static void print_text(const Figures& figures, const std::string& model) {
        const EmbeddingStatistics& catalog = figures.catalog;
        fmt::print("total_products      {}\nwith_embeddings     {}\nmissing_embeddings  {}\nstale_embeddings    {}\n",
                   catalog.products, catalog.with_embedding, catalog.without_embedding(), catalog.stale);
        fmt::print("coverage            {:.1f} %\nmodel               {}\nlast_update         {}\n",
                   catalog.coverage_percentage(), model, catalog.last_update.value_or("never"));
        for (const store::ModelEmbeddings& one : figures.models) {
            if (one.model != model)
                fmt::print("of another model    {} ({})\n", one.products, one.model.value_or("not known"));
        }
        print_view(figures);
        fmt::print("\ntable_size          {} (without indexes)\nindex_size          {} (all of products)\n",
                   bytes_text(figures.storage.table_bytes), bytes_text(figures.storage.index_bytes));
        Table indexes{{{"index"}, {"size", right}, {"valid"}, {"definition"}}};
        for (const store::EmbeddingIndex& index : figures.storage.indexes)
            indexes.add_row({index.name, bytes_text(index.bytes), index.is_valid ? "yes" : "NO", index.definition});
        fmt::print("\n{}", indexes.text());
        print_groups("category", figures.categories);
        print_groups("brand", figures.brands);
    }

    /// As old as its last refresh, so told only where it differs.
    static void print_view(const Figures& figures) {
        if (!figures.view) {
            fmt::print("\nproduct_embedding_stats has no row: fill it with `decant stats --refresh`\n");
        } else if (figures.view->products != figures.catalog.products ||
                   figures.view->with_embedding != figures.catalog.with_embedding ||
                   figures.view->stale != figures.catalog.stale) {
            fmt::print(
                "\nproduct_embedding_stats is older: {} products, {} with embeddings, {} stale; `decant stats "
                "--refresh` makes it anew\n",
                figures.view->products, figures.view->with_embedding, figures.view->stale);
        }
    }

    static void print_groups(const std::string& title, const GroupedCoverage& groups) {
        Table table{{{title}, {"products", right}, {"missing", right}, {"stale", right}, {"coverage", right}}};
        for (const GroupCoverage& group : groups.rows) {
            table.add_row({group.name.value_or("-"), std::to_string(group.products),
                           std::to_string(group.products - group.with_embedding), std::to_string(group.stale),
                           fmt::format("{:.1f} %", coverage(group.with_embedding, group.products))});
        }
        fmt::print("\n{}", table.text());
        if (groups.total > groups.rows.size()) fmt::print("and {} more\n", groups.total - groups.rows.size());
    }

    bool refreshes_ = false;
    std::optional<std::uint64_t> limit_;
};

class Missing final : public Command {
public:
    Missing()
        : Command("missing", "List active products without an embedding",
                  {"decant missing", "decant missing --limit 100 --json"}) {}
    void declare(Options& options) override { options.number("--limit", limit_, "At most so many (default: 10)"); }

    int run(const Context& context) override {
        const std::uint64_t limit = in_range({.option = "--limit", .low = 1, .high = 1'000'000, .unset = 10}, limit_);
        pg::Connection db = connect(context);
        const store::MissingEmbeddings missing = store::read_missing_embeddings(db, limit);
        if (context.json) {
            json::array products;
            for (const store::ProductName& product : missing.rows)
                products.push_back(json::object{{"id", product.id}, {"name", product.name}});
            fmt::print("{}\n", json_text(json::object{{"total", missing.total}, {"products", std::move(products)}}));
            return 0;
        }
        if (missing.rows.empty()) {
            fmt::print("No active product is without an embedding.\n");
            return 0;
        }
        Table table{{{"id"}, {"name"}}};
        for (const store::ProductName& product : missing.rows)
            table.add_row({product.id, product.name});
        fmt::print("{}\n{} of {}; `decant embed` makes them\n", table.text(), missing.rows.size(), missing.total);
        return 0;
    }

private:
    std::optional<std::uint64_t> limit_;
};

class Stale final : public Command {
public:
    Stale()
        : Command("stale", "List active products whose embedding is of an older text or of another model",
                  {"decant stale", "decant stale --days 30 --limit 100 --json"}) {}
    void declare(Options& options) override {
        options.number("--limit", limit_, "At most so many (default: 10)");
        options.number("--days", days_, "Embeddings older than so many days too");
    }

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        store::StaleQuery query{
            .model = model_of(context, db),
            .days = {},
            .limit = in_range({.option = "--limit", .low = 1, .high = 1'000'000, .unset = 10}, limit_)};
        if (days_)
            query.days = static_cast<int>(in_range({.option = "--days", .low = 0, .high = 36'500, .unset = 0}, days_));
        const store::StaleEmbeddings stale = store::read_stale_embeddings(db, query);
        if (context.json)
            print_json(stale);
        else
            print_text(stale);
        return 0;
    }

private:
    static void print_json(const store::StaleEmbeddings& stale) {
        json::array products;
        for (const store::StaleEmbedding& one : stale.rows) {
            products.push_back(json::object{{"id", one.product_id},
                                            {"name", one.name},
                                            {"last_update", or_null(one.last_update)},
                                            {"days", or_null(one.days)}});
        }
        fmt::print("{}\n", json_text(json::object{{"total", stale.total}, {"products", std::move(products)}}));
    }

    static void print_text(const store::StaleEmbeddings& stale) {
        if (stale.rows.empty()) {
            fmt::print("No embedding is stale.\n");
            return;
        }
        Table table{{{"id"}, {"name"}, {"made (UTC)"}, {"days", right}}};
        for (const store::StaleEmbedding& one : stale.rows) {
            table.add_row({one.product_id, one.name, one.last_update.value_or("the text changed"),
                           one.days ? fmt::format("{:.1f}", *one.days) : "-"});
        }
        fmt::print("{}\n{} of {}; `decant embed --stale` makes them anew\n", table.text(), stale.rows.size(),
                   stale.total);
    }

    std::optional<std::uint64_t> limit_;
    std::optional<std::uint64_t> days_;
};

class Analyze final : public Command {
public:
    Analyze()
        : Command("analyze", "Bring the planner's statistics of the catalog's tables up to date",
                  {"decant analyze", "decant analyze --json"}) {}

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        const std::vector<operate::AnalyzedTable> tables = operate::analyze_tables(db);
        if (context.json) {
            json::array out;
            for (const operate::AnalyzedTable& table : tables) {
                out.push_back(json::object{{"table", table.name}, {"rows", table.rows}, {"seconds", table.seconds}});
            }
            fmt::print("{}\n", json_text(json::object{{"tables", std::move(out)}}));
            return 0;
        }
        Table table{{{"table"}, {"rows", right}, {"seconds", right}}};
        for (const operate::AnalyzedTable& one : tables)
            table.add_row({one.name, grouped(one.rows), fmt::format("{:.2f}", one.seconds)});
        fmt::print("{}", table.text());
        return 0;
    }
};

}  // namespace

Commands make_stats() {
    return commands_of<Stats, Missing, Stale, Analyze>();
}

}  // namespace decant::cli
