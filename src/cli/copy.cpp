#include "cli/commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>

#include "cli/copy_text.hpp"
#include "cli/error_text.hpp"
#include "cli/meter_observer.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/shell_word.hpp"
#include "core/write_file.hpp"
#include "migrate/copy.hpp"
#include "migrate/copy_json.hpp"
#include "migrate/into.hpp"
#include "migrate/layout.hpp"
#include "operate/follow.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

class Copy final : public Command {
public:
    Copy()
        : Command("copy",
                  "Copy a collection of a Chroma directory or server into a pgvector table, indexed and verified",
                  {"decant copy --from data/vector_db --collection products",
                   "decant copy --from data/vector_db --collection products --to items --index ivfflat",
                   "decant copy --from data/vector_db --all-collections --json",
                   "decant copy --from data/vector_db --collection products --follow",
                   "CHROMA_TOKEN=... decant copy --from https://chroma.example:8000 --collection products"}) {}

    void declare(Options& options) override {
        options.text("--from", from_,
                     "Chroma directory, or a server as http://HOST:PORT (default: CHROMA_PATH or CHROMA_URL)");
        options.text("--collection", collection_, "Collection by name or uuid (default: CHROMA_COLLECTION)");
        options.text("--tenant", tenant_, "Tenant, where several have the collection");
        options.text("--database", database_, "Chroma database, where several have the collection");
        options.flag("--all-collections", is_all_, "Copy every collection, each into a table of its name");
        options.text("--to", to_, "Table (default: the collection's name)");
        options.text("--schema", schema_, "Schema of the table (default: public)");
        options.choice("--index", index_, {"hnsw", "ivfflat", "none"},
                       "Vector index, built after the load (default: hnsw)");
        options.choice("--layout", layout_, {"decant", "langchain", "langchain-legacy"},
                       "Table of decant's own form, or of langchain-postgres' PGVectorStore or PGVector");
        options.text("--into", into_, "Fill a vector column of this existing table instead, and no other column");
        options.text("--match", match_, "With --into: COLUMN=metadata.KEY or COLUMN=id, what ties rows to records");
        options.text("--column", column_, "With --into: the vector column (default: embedding)");
        options.flag("--add-column", add_column_, "With --into: add the column where it is missing");
        options.choice("--type", type_, {"vector", "halfvec"},
                       "Element type of the embedding column (default: vector)");
        options.number("--batch-size", batch_size_, "Rows a page (a page is also at most 8 MiB)");
        options.choice("--nul", nul_, {"reject", "strip", "escape"},
                       "Text that PostgreSQL cannot hold (default: reject)");
        options.text("--rejects", rejects_, "Where rejected records are written (default: rejects.jsonl)");
        options.flag("--replace", replace_, "Load beside an existing table, then swap; undo with `decant rollback`");
        options.flag("--drop-old", drop_old_, "Drop the previous table that --replace kept, once the copy is verified");
        options.flag("--prune", prune_, "Remove rows that the source does not have (any more)");
        options.flag("--follow", follow_, "Then keep the table up with the directory until stopped; implies --prune");
        options.number("--interval", interval_, "With --follow: seconds between two looks at the queue (default: 2)");
        options.flag("--allow-partial", allow_partial_, "Copy what a damaged directory still proves");
        options.flag("--no-verify", no_verify_, "Do not read back and compare");
    }

    int run(const Context& context) override {
        check_options();
        catch_interrupts();
        const store::DatabaseAddress address = store::resolve_database(context.settings);
        if (follow_) return follow(context, address);
        if (is_into()) return copy_into_table(context, address);
        if (is_all_) return copy_all(context, address);
        if (layout_ != "decant") return copy_layout(context, address);
        const auto copied =
            copy_one(context, address, {tenant_, database_, collection_name(context)}, {to_.value_or(""), rejects_});
        if (context.json) fmt::print("{}\n", json_text(migrate::report_json(copied.report)));
        return copied.exit_code;
    }

private:
    void check_options() const {
        if (follow_ && (is_into() || is_all_ || replace_ || layout_ != "decant")) {
            throw Error{ErrorCode::request_invalid,
                        "--follow was given with --into, --all-collections, --replace or --layout",
                        "It follows one collection into one table of decant's own form."};
        }
        if (is_into() && (to_ || is_all_ || replace_ || prune_)) {
            throw Error{
                ErrorCode::request_invalid, "--into was given with --to, --all-collections, --replace or --prune",
                "--into fills a column of a table that is yours; the others are about tables that decant makes."};
        }
        if (layout_ != "decant" && (is_into() || replace_ || drop_old_ || type_ != "vector")) {
            throw Error{ErrorCode::request_invalid, "--layout was given with --into, --replace, --drop-old or --type",
                        "Rows of the layout's table are changed in their place; its vectors are of type vector."};
        }
        if (layout_ == "langchain-legacy" && to_) {
            throw Error{ErrorCode::request_invalid, "--layout langchain-legacy was given with --to",
                        "Its table is langchain_pg_embedding; give --schema for another place."};
        }
        if (is_into() != match_.has_value()) {
            throw Error{ErrorCode::request_invalid, "--into and --match belong together",
                        "Give both: --into TABLE --match COLUMN=metadata.KEY, or COLUMN=id."};
        }
        if (is_all_ && (collection_ || to_ || layout_ != "decant")) {
            throw Error{ErrorCode::request_invalid, "--all-collections was given with --collection, --to or --layout",
                        "Give one or the other."};
        }
        if (interval_ && (!follow_ || *interval_ == 0 || *interval_ > 86'400)) {
            throw Error{ErrorCode::request_invalid, "--interval takes 1 to 86400 seconds and belongs to --follow",
                        "As in: --follow --interval 10"};
        }
        if (batch_size_ && (*batch_size_ == 0 || *batch_size_ > 1'000'000)) {
            throw Error{ErrorCode::request_invalid, fmt::format("--batch-size {} is out of range", *batch_size_),
                        "Give 1 to 1000000."};
        }
    }

    chroma::SourceAddress source(const Context& context) const {
        return chroma::source_address(context.settings, from_, {tenant_, database_, ""});
    }

    std::string collection_name(const Context& context) const {
        return collection_ ? *collection_ : context.settings.get("CHROMA_COLLECTION").value_or("products_all_products");
    }

    bool is_into() const noexcept { return into_.has_value(); }

    migrate::MatchKey match_key() const {
        const std::size_t sign = match_->find('=');
        const std::string key = sign == std::string::npos ? "" : match_->substr(sign + 1);
        constexpr std::string_view prefix = "metadata.";
        if (sign == 0 || (key != "id" && (!key.starts_with(prefix) || key.size() == prefix.size()))) {
            throw Error{ErrorCode::request_invalid,
                        fmt::format("--match '{}' is no COLUMN=metadata.KEY or COLUMN=id", *match_),
                        "As in: --match sku=metadata.sku"};
        }
        migrate::MatchKey match{.column = match_->substr(0, sign)};
        if (key != "id") match.metadata_key = key.substr(prefix.size());
        return match;
    }

    int copy_into_table(const Context& context, const store::DatabaseAddress& address) {
        const migrate::IntoRequest request{
            .conninfo = address.conninfo,
            .source = source(context),
            .collection = {tenant_, database_, collection_name(context)},
            .table = {schema_, *into_},
            .match = match_key(),
            .column = column_,
            .add_column = add_column_,
            .type = type_ == "halfvec" ? pg::VectorType::halfvec : pg::VectorType::vector,
            .allow_partial = allow_partial_,
            .verify = !no_verify_};
        MeterObserver observer;
        const migrate::IntoReport report = migrate::copy_into(request, observer);
        if (context.json)
            fmt::print("{}\n", migrate::into_json(report));
        else
            fmt::print("{}", into_text(report, rejects_));
        const bool is_equal = !report.verification || report.verification->is_equal();
        const int exit_code = is_equal && report.counts.rejected == 0 ? 0 : 1;
        return std::max(exit_code, write_rejects(report.rejects, rejects_, context.json));
    }

    int follow(const Context& context, const store::DatabaseAddress& address) {
        const migrate::CopyRequest request =
            request_of(context, address, {tenant_, database_, collection_name(context)}, to_.value_or(""));
        MeterObserver meter;
        const auto show = [&](const std::string& text, const json::object& object) {
            meter.hide();
            fmt::print("{}\n", context.json ? json_text(object) : text);
            std::fflush(stdout);
        };
        const operate::FollowObserver observer{
            .copy = meter,
            .on_copied =
                [&](const migrate::CopyReport& report) {
                    write_rejects(report.rejects, rejects_, context.json);
                    if (!context.json)
                        fmt::print("{}", copy_text(report, {.dsn = address.shown, .rejects_path = rejects_}));
                },
            .on_pass =
                [&](const operate::FollowPass& pass) { show(operate::pass_text(pass), operate::pass_json(pass)); },
            .on_failure = [](const Error& error) { log::warning("{}; tried again", error.happened()); }};
        operate::follow_collection({.copy = request, .interval = std::chrono::seconds{interval_.value_or(2)}},
                                   observer);
        return 0;
    }

    /// The rows are in: a reject file that cannot be written is told after the report, and takes nothing back.
    int write_rejects(const std::vector<std::string>& rejects, const std::string& path, bool json) const {
        if (rejects.empty()) return 0;
        std::string lines;
        for (const std::string& line : rejects)
            lines += line + "\n";
        try {
            write_file(path, lines);
        } catch (const Error& error) {
            return print_error({error.code(), error.happened() + ". The copy itself is done",
                                "Run the same command again with --rejects FILE: only the file is written anew."},
                               json);
        }
        return 0;
    }

    /// Collections of one name in several databases get their tenant and database in front.
    int copy_all(const Context& context, const store::DatabaseAddress& address) {
        const std::unique_ptr<chroma::Source> origin = chroma::open_source(source(context));
        std::map<std::string, int> times;
        for (const chroma::Collection& collection : origin->collections())
            ++times[collection.name];
        int exit_code = 0;
        json::array reports;
        for (const chroma::Collection& collection : origin->collections()) {
            if (collection.name.empty()) continue;
            const bool collides = times[collection.name] > 1;
            const std::string table =
                collides ? fmt::format("{}_{}_{}", collection.tenant, collection.database, collection.name)
                         : collection.name;
            try {
                const CopyTarget target{table, rejects_path_of(table)};
                const auto copied =
                    copy_one(context, address, {collection.tenant, collection.database, collection.id}, target);
                exit_code = std::max(exit_code, copied.exit_code);
                if (context.json) reports.push_back(migrate::report_json(copied.report));
            } catch (const Error& error) {
                // One collection that cannot be copied says nothing about the next; a lost server or a signal does.
                if (error.is_retryable() || error.code() == ErrorCode::cancelled) throw;
                exit_code = std::max(exit_code, print_error(error, context.json));
            }
        }
        if (context.json) fmt::print("{}\n", json_text(reports));
        return exit_code;
    }

    static int exit_code_of(const migrate::CopyReport& report) {
        const bool is_equal = !report.verification || report.verification->is_equal();
        return is_equal && report.counts.rejected == 0 ? 0 : 1;
    }

    /// A file beside the one that --rejects names, with the table in its name.
    std::string rejects_path_of(std::string table) const {
        std::replace(table.begin(), table.end(), '/', '_');
        const std::filesystem::path path = rejects_;
        return path.parent_path() / (path.stem().string() + "-" + table + path.extension().string());
    }

    struct CopyTarget {
        std::string table;
        std::string rejects_path;
    };

    struct Copied {
        migrate::CopyReport report;
        int exit_code = 0;
    };

    /// Prints the text form; the caller prints JSON.
    Copied copy_one(const Context& context, const store::DatabaseAddress& address,
                    const chroma::CollectionName& collection, const CopyTarget& target) {
        const migrate::CopyRequest request = request_of(context, address, collection, target.table);
        MeterObserver observer;
        const migrate::CopyReport report = migrate::copy_collection(request, observer);
        if (!context.json) {
            fmt::print("{}", copy_text(report, {.dsn = address.shown, .rejects_path = target.rejects_path}));
        }
        const int exit_code =
            std::max(exit_code_of(report), write_rejects(report.rejects, target.rejects_path, context.json));
        return {report, exit_code};
    }

    migrate::CopyRequest request_of(const Context& context, const store::DatabaseAddress& address,
                                    const chroma::CollectionName& collection, const std::string& table) const {
        migrate::CopyRequest request{.conninfo = address.conninfo,
                                     .source = source(context),
                                     .collection = collection,
                                     .target = {schema_, table},
                                     .index = store::index_kind_names.find(index_).value_or(store::IndexKind::hnsw),
                                     .type = type_ == "halfvec" ? pg::VectorType::halfvec : pg::VectorType::vector,
                                     .nul = migrate::nul_policy_names.find(nul_).value_or(migrate::NulPolicy::reject),
                                     .replace = replace_,
                                     .drop_old = drop_old_,
                                     .prune = prune_,
                                     .allow_partial = allow_partial_,
                                     .verify = !no_verify_};
        if (batch_size_) request.page.rows = *batch_size_;
        request.command_line = resume_command(request);
        // Without a password: what was typed is not printed. Other ways of naming the server hold for the next command.
        if (store::named_server(context.settings) == "--db") {
            request.command_line += " --db " + shell_word(address.shown);
        }
        return request;
    }

    int copy_layout(const Context& context, const store::DatabaseAddress& address) const {
        const migrate::CopyRequest request =
            request_of(context, address, {tenant_, database_, collection_name(context)}, to_.value_or(""));
        MeterObserver observer;
        const migrate::LayoutReport report = migrate::copy_to_layout(
            request, layout_ == "langchain" ? migrate::Layout::langchain : migrate::Layout::langchain_legacy, observer);
        if (context.json)
            fmt::print("{}\n", json_text(migrate::layout_json(report)));
        else
            fmt::print("{}", layout_text(report, {.dsn = address.shown, .rejects_path = rejects_}));
        const bool is_done = report.copy.is_empty || report.is_equal();
        return std::max(is_done && report.copy.counts.rejected == 0 ? 0 : 1,
                        write_rejects(report.copy.rejects, rejects_, context.json));
    }

    /// The command that goes on with an interrupted copy of one collection.
    std::string resume_command(const migrate::CopyRequest& request) const {
        std::string out = fmt::format("decant copy --from {} --collection {}", shell_word(request.source.from),
                                      shell_word(request.collection.name));
        if (request.collection.tenant) out += " --tenant " + shell_word(*request.collection.tenant);
        if (request.collection.database) out += " --database " + shell_word(*request.collection.database);
        if (!request.target.table.empty()) out += " --to " + shell_word(request.target.table);
        if (schema_ != "public") out += " --schema " + shell_word(schema_);
        if (layout_ != "decant") out += " --layout " + layout_;
        if (index_ != "hnsw") out += " --index " + index_;
        if (type_ != "vector") out += " --type " + type_;
        if (nul_ != "reject") out += " --nul " + nul_;
        if (replace_) out += " --replace";
        if (drop_old_) out += " --drop-old";
        if (prune_) out += " --prune";
        if (follow_) out += " --follow";
        if (allow_partial_) out += " --allow-partial";
        if (no_verify_) out += " --no-verify";
        return out;
    }

    std::optional<std::string> from_;
    std::optional<std::string> collection_;
    std::optional<std::string> tenant_;
    std::optional<std::string> database_;
    std::optional<std::string> to_;
    std::optional<std::string> into_;
    std::optional<std::string> match_;
    std::string column_ = "embedding";
    bool add_column_ = false;
    std::string schema_ = "public";
    std::string index_ = "hnsw";
    std::string type_ = "vector";
    std::string nul_ = "reject";
    std::string layout_ = "decant";
    std::string rejects_ = "rejects.jsonl";
    std::optional<std::uint64_t> batch_size_;
    bool is_all_ = false;
    bool replace_ = false;
    bool drop_old_ = false;
    bool prune_ = false;
    bool follow_ = false;
    std::optional<std::uint64_t> interval_;
    bool allow_partial_ = false;
    bool no_verify_ = false;
};

}  // namespace

Commands make_copy() {
    return commands_of<Copy>();
}

}  // namespace decant::cli
