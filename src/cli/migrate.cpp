#include "cli/commands.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "cli/meter_observer.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/shell_word.hpp"
#include "core/utf8.hpp"
#include "embed/open_embedder.hpp"
#include "migrate/catalog_migration.hpp"
#include "store/database_address.hpp"
#include "work/catalog_model.hpp"

namespace decant::cli {
namespace {

/// The guide's lines on stdout, the meter on stderr below them.
class MigrationMeter final : public migrate::MigrationObserver {
public:
    explicit MigrationMeter(bool shows_lines) : shows_lines_(shows_lines) {}

    void begin_phase(const std::string& name, std::uint64_t total) override { meter_.begin_phase(name, total); }
    bool progress(std::uint64_t done, std::uint64_t bytes) override { return meter_.progress(done, bytes); }
    void end_phase() override { meter_.end_phase(); }
    void note(const std::string& line) override { meter_.note(line); }
    void line(const std::string& text) override {
        if (!shows_lines_) return;
        meter_.hide();
        fmt::print("{}\n", printable(text));
        std::fflush(stdout);
    }

private:
    bool shows_lines_;
    MeterObserver meter_;
};

class Migrate final : public Command {
public:
    Migrate()
        : Command("migrate", "Put Chroma's vectors into the product catalog, in the guide's steps",
                  {"decant migrate --dry-run", "decant migrate --from data/vector_db --batch-size 100",
                   "decant migrate --force --reuse always --no-verify"}) {}

    void declare(Options& options) override {
        options.flag("--dry-run", request_.dry_run, "Show the plan, change nothing");
        options.number("--batch-size", batch_size_, "Products a batch (default: 50)");
        options.flag(
            "--force", request_.force,
            "Embed all products anew; with --reuse always, take Chroma's vectors for those that have one, too");
        options.flag("--no-verify", no_verify_, "Do not read back and compare");
        options.text("--from", from_, "Chroma directory or server (default: CHROMA_PATH or CHROMA_URL)");
        options.text("--collection", collection_, "Collection by name or uuid (default: CHROMA_COLLECTION)");
        options.text("--tenant", tenant_, "Tenant, where several have the collection");
        options.text("--database", database_, "Chroma database, where several have the collection");
        options.flag("--create-products", request_.create_products, "Make products that only Chroma has");
        options.choice(
            "--reuse", reuse_, {"auto", "always", "never"},
            "Take Chroma's vectors: where the texts agree and the model is proven the same, always, or never "
            "(default: auto)");
        options.flag("--allow-partial", request_.allow_partial, "Take what a damaged directory still proves");
        declare_embedder(options);
        options.number("--connections", connections_, "Connections that write at once (default: 2)");
        options.number("--seed", request_.seed, "");
    }

    int run(const Context& context) override {
        catch_interrupts();
        fill_request(context);
        MigrationMeter observer{!context.json};
        const migrate::MigrationReport report = migrate::migrate_catalog(request_, observer);
        if (context.json) fmt::print("{}\n", migrate::migration_json(report));
        for (const std::string& warning : report.warnings)
            observer.note(warning);
        if (!context.json && report.run_id != 0 && !report.notes.empty()) {
            observer.note(
                fmt::format("products that were not migrated, with reasons: decant runs show {}", report.run_id));
        }
        return report.errors + report.refused == 0 && (request_.dry_run || report.is_verified()) ? 0 : 1;
    }

private:
    void fill_request(const Context& context) {
        const Settings& settings = context.settings;
        request_.batch_size = in_range("--batch-size", batch_size_.value_or(50), 100'000);
        request_.connections = static_cast<std::uint32_t>(in_range("--connections", connections_.value_or(2), 64));
        request_.verify = !no_verify_;
        request_.source = chroma::source_address(settings, from_, {tenant_, database_, ""});
        request_.collection = {
            tenant_, database_,
            collection_ ? *collection_ : settings.get("CHROMA_COLLECTION").value_or("products_all_products")};
        if (reuse_ == "always") request_.reuse = migrate::Reuse::always;
        if (reuse_ == "never") request_.reuse = migrate::Reuse::never;
        request_.model = settings.get("OLLAMA_API_MODEL_EMBEDDING").value_or("");
        const store::DatabaseAddress address = store::resolve_database(settings);
        request_.conninfo = address.conninfo;
        request_.open_embedder = [&settings, conninfo = address.conninfo] {
            return embed::open_embedder(settings, work::catalog_choice_at(settings, conninfo));
        };
        request_.command_line = command_line(settings);
        if (store::named_server(settings) == "--db") request_.command_line += " --db " + shell_word(address.shown);
    }

    static std::uint64_t in_range(const std::string& option, std::uint64_t value, std::uint64_t most) {
        if (value >= 1 && value <= most) return value;
        throw Error{ErrorCode::request_invalid, fmt::format("{} {} is out of range", option, value),
                    fmt::format("Give 1 to {}.", most)};
    }

    /// The command that goes on with an interrupted one.
    std::string command_line(const Settings& settings) const {
        std::string out = "decant migrate";
        if (from_) out += " --from " + shell_word(request_.source.from);
        if (collection_) out += " --collection " + shell_word(*collection_);
        if (tenant_) out += " --tenant " + shell_word(*tenant_);
        if (database_) out += " --database " + shell_word(*database_);
        if (batch_size_) out += fmt::format(" --batch-size {}", *batch_size_);
        if (request_.force) out += " --force";
        if (reuse_ != "auto") out += " --reuse " + reuse_;
        if (request_.allow_partial) out += " --allow-partial";
        if (request_.create_products) out += " --create-products";
        if (connections_) out += fmt::format(" --connections {}", *connections_);
        if (no_verify_) out += " --no-verify";
        for (const auto& [option, key] :
             {std::pair{"--embedder", "DECANT_EMBEDDER"}, std::pair{"--model", "DECANT_EMBEDDING_MODEL"}}) {
            if (settings.origin(key) == SettingOrigin::flag)
                out += fmt::format(" {} {}", option, shell_word(*settings.get(key)));
        }
        return out;
    }

    migrate::MigrationRequest request_;
    std::optional<std::uint64_t> batch_size_;
    std::optional<std::uint64_t> connections_;
    std::optional<std::string> from_;
    std::optional<std::string> collection_;
    std::optional<std::string> tenant_;
    std::optional<std::string> database_;
    std::string reuse_ = "auto";
    bool no_verify_ = false;
};

}  // namespace

Commands make_migrate() {
    return commands_of<Migrate>();
}

}  // namespace decant::cli
