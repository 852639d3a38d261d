#include "cli/commands.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/schema.hpp"
#include "core/dotenv.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/utf8.hpp"
#include "core/write_file.hpp"
#include "migrate/replace.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

namespace fs = std::filesystem;

struct SearchSetting {
    std::string_view key;
    std::string_view rolled_back;
    std::string_view rolled_forward;
};

constexpr std::array search_settings{SearchSetting{"USE_PGVECTOR", "false", "true"},
                                     SearchSetting{"PRODUCT_SEARCH_STRATEGY", "chroma_primary", "pgvector_primary"}};

std::string read(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file && fs::exists(path)) {
        throw Error{ErrorCode::permission_denied, fmt::format("{} cannot be read", path.string()),
                    "Run this as a user who may read and write it."};
    }
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// PATH.bak, or the first PATH.bak.N that is free: no older one is overwritten.
fs::path backup_of(const fs::path& path) {
    fs::path backup = path.string() + ".bak";
    for (int n = 1; fs::exists(backup); ++n)
        backup = fmt::format("{}.bak.{}", path.string(), n);
    return backup;
}

void keep_copy(const fs::path& path, const fs::path& backup) {
    std::error_code failure;
    fs::copy_file(path, backup, failure);
    if (!failure) return;
    std::error_code ignored;
    fs::remove(backup, ignored);
    const bool is_full = failure == std::errc::no_space_on_device;
    throw Error{is_full ? ErrorCode::store_full : ErrorCode::permission_denied,
                fmt::format("{} cannot be kept as {}: {}. Nothing was changed", path.string(), backup.string(),
                            failure.message()),
                is_full ? "Make room on the disk, then run the same command again."
                        : "Run this as a user who may write the folder."};
}

/// Sets where products are searched in .env. 1 when the environment says otherwise, which goes before the file.
int set_search(const Context& context, bool is_forward, json::object& out) {
    const std::string known = context.settings.dotenv_path();
    const fs::path path = known.empty() ? fs::path{".env"} : fs::path{known};
    const std::string before = read(path);
    std::string after = before;
    std::string overridden;
    json::object set;
    for (const SearchSetting& setting : search_settings) {
        const std::string_view value = is_forward ? setting.rolled_forward : setting.rolled_back;
        after = set_in_dotenv(after, path.string(), setting.key, value);
        set[setting.key] = value;
        if (context.settings.origin(setting.key) == SettingOrigin::environment)
            overridden += fmt::format("{}{}", overridden.empty() ? "" : " ", setting.key);
    }
    fs::path backup;
    if (after != before) {
        if (fs::exists(path)) {
            backup = backup_of(path);
            keep_copy(path, backup);
        }
        write_file(path, after);
    }
    out = {{"file", path.string()},
           {"changed", after != before},
           {"backup", backup.string()},
           {"set", set},
           {"overridden_by_environment", overridden}};
    if (!context.json) {
        for (const auto& [key, value] : set)
            fmt::print("{}={}\n", std::string{key}, std::string{value.as_string()});
        if (after == before)
            fmt::print("{} says so already; nothing was changed\n", printable(path.string()));
        else if (backup.empty())
            fmt::print("Written to {}, which is new\n", printable(path.string()));
        else
            fmt::print("Written to {}; the file before is kept as {}\n", printable(path.string()),
                       printable(backup.string()));
    }
    if (overridden.empty()) return 0;
    if (!context.json) {
        fmt::print("The environment sets {} too, which goes before the file. Run:\nunset {}\n", overridden, overridden);
    }
    return 1;
}

class Rollback final : public Command {
public:
    Rollback()
        : Command("rollback", "Search in Chroma again; with TABLE put back what `copy --replace` kept",
                  {"decant rollback", "decant rollback --complete --yes", "decant rollback items"}) {}
    void declare(Options& options) override {
        options.optional_positional("TABLE", table_, "Table to roll back, instead of the search");
        options.flag("--complete", is_complete_, "Also remove pgvector support from the catalog, with all its vectors");
        options.flag("--yes", is_confirmed_, "Do not ask");
        options.text("--schema", schema_, "With TABLE: its schema (default: public)");
        options.flag("--force", force_, "With TABLE: also when rows were written since the copy");
    }

    int run(const Context& context) override {
        if (table_ && is_complete_) {
            throw Error{ErrorCode::request_invalid, "--complete was given with a table",
                        "Give TABLE to undo a copy, or --complete to leave pgvector."};
        }
        return table_ ? roll_table_back(context) : roll_search_back(context);
    }

private:
    int roll_search_back(const Context& context) const {
        if (is_complete_ && !is_confirmed_ && !confirm_catalog_removal(context, "rollback --complete")) return 1;
        // First the file: an application that starts in between searches where there is something to find.
        json::object out;
        const int exit_code = set_search(context, false, out);
        if (is_complete_) remove_catalog_support(context, out);
        if (context.json)
            fmt::print("{}\n", json_text(out));
        else
            fmt::print("Restart the application to reload settings.\n");
        return exit_code;
    }

    int roll_table_back(const Context& context) const {
        const auto done =
            migrate::rollback_table(store::resolve_database(context.settings).conninfo, {schema_, *table_}, force_);
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{{"table", done.table.shown()},
                                                      {"run", done.run_id},
                                                      {"undone_table", done.undone_table},
                                                      {"seconds", done.seconds}}));
            return 0;
        }
        fmt::print("Table {} is what it was before run {} ({:.3f} s); the undone rows are kept as {}\n",
                   printable(done.table.shown()), done.run_id, done.seconds, printable(done.undone_table));
        return 0;
    }

    std::optional<std::string> table_;
    std::string schema_ = "public";
    bool force_ = false;
    bool is_complete_ = false;
    bool is_confirmed_ = false;
};

class Rollforward final : public Command {
public:
    Rollforward()
        : Command("rollforward", "Search in PostgreSQL again, after `decant rollback`", {"decant rollforward"}) {}

    int run(const Context& context) override {
        json::object out;
        const int exit_code = set_search(context, true, out);
        if (context.json)
            fmt::print("{}\n", json_text(out));
        else
            fmt::print("Restart the application to reload settings.\n");
        return exit_code;
    }
};

}  // namespace

Commands make_rollback() {
    return commands_of<Rollback, Rollforward>();
}

}  // namespace decant::cli
